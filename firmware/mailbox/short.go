package mailbox

import (
	"encoding/binary"
	"io"
)

// declared is what a file says of its own length, in bytes.
type declared int

const (
	nothing declared = iota // the format has no length, or whoever wrote it did not know it
	whole                   // all is there
	cutOff                  // it says more than there is: it is still being copied, or was cut off
)

// declaredLength compares a file with its own header, if it is a WAV or an AU file. In other
// formats what is missing at the end can't be told from what is damaged in the middle.
func declaredLength(r io.ReadSeeker) (declared, error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nothing, err
	}
	var head [24]byte
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nothing, err
	}
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nothing, err
	}
	switch {
	case string(head[:4]) == ".snd":
		start, length := binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:])
		return compare(int64(start), int64(length), size), nil
	case string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE":
		return declaredWAV(r, size)
	}
	return nothing, nil
}

// isCut reports whether there is less in a file than its header says.
func isCut(r io.ReadSeeker) bool {
	length, err := declaredLength(r)
	return err == nil && length == cutOff
}

// maxChunks of a WAV file that are gone through before its samples.
const maxChunks = 1000

func declaredWAV(r io.ReadSeeker, size int64) (declared, error) {
	at := int64(12)
	for range maxChunks {
		var head [8]byte
		if at+8 > size {
			return cutOff, nil
		}
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return nothing, err
		}
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nothing, err
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) == "data" {
			return compare(at+8, length, size), nil
		}
		at += 8 + length + length%2
	}
	return nothing, nil
}

// streamed is what programs claim at least that write into a pipe and can't know the length:
// 0x7ffff000 and a header less (sox), 0x7fffffff, 0x80000000 (arecord), 0xffffffff (ffmpeg).
const streamed = 0x7ffff000 - 64

func compare(start, length, size int64) declared {
	switch {
	case length == 0, length >= streamed && start+length > size:
		return nothing
	case start+length > size:
		return cutOff
	}
	return whole
}
