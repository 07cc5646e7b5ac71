package mailbox

import (
	"encoding/binary"
	"io"
)

// cutShort reports whether there is less in a WAV file than its header says: it is still being
// copied, or something has cut it off.
func cutShort(r io.ReadSeeker) (bool, error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return false, err
	}
	for at := int64(12); at+8 <= size; {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return false, err
		}
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return false, err
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) == "data" {
			return length < streamed && at+8+length > size, nil
		}
		at += 8 + length + length%2
	}
	return true, nil
}

// streamed is what programs claim at least that write into a pipe and can't know the length:
// 0x7ffff000 (sox), 0x7fffffff, 0x80000000 (arecord), 0xffffffff (ffmpeg).
const streamed = 0x7ffff000 - 64
