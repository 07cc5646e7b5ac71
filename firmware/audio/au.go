package audio

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// auEncodings are those of Sun's audio(4) that telephone systems wrote.
var auEncodings = map[uint32]encoding{
	1: encMuLaw, 2: encS8, 3: bigEndian(encS16), 4: bigEndian(encS24), 5: bigEndian(encS32),
	6: bigEndian(encF32), 7: bigEndian(encF64), 27: encALaw,
}

// openAU reads the header of a Sun or NeXT file: six big-endian words. r stands at its start.
func openAU(r io.ReadSeeker, at, size int64) (*source, error) {
	var head struct{ Magic, Offset, Length, Encoding, Rate, Channels uint32 }
	if err := binary.Read(r, binary.BigEndian, &head); err != nil {
		return nil, fmt.Errorf("%w: AU header cut short", ErrBroken)
	}
	at += int64(head.Offset)
	there := size - at
	switch {
	case head.Offset < 24 || there < 0:
		return nil, fmt.Errorf("%w: AU with its sound at %d", ErrBroken, head.Offset)
	case head.Channels < 1 || head.Channels > most:
		return nil, fmt.Errorf("%w: %d channels", ErrBroken, head.Channels)
	}
	e, ok := auEncodings[head.Encoding]
	if !ok {
		return nil, demuxer("au", fmt.Sprintf("AU of encoding %d", head.Encoding))
	}
	frame := int64(e.bytes) * int64(head.Channels)
	s := &source{rate: int(head.Rate)}
	claimed := int64(head.Length)
	switch next, _, _ := sniffHere(r, at+claimed, 4); {
	case claimed >= unknownSize: // nobody came to fill it in
	case claimed > there:
		s.missing = (claimed - there) / frame
	case string(next) == ".snd" && claimed > 0: // two files in one
		there = claimed
		s.next = func() (*source, error) { return openNext(r, at+claimed) }
	}
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	s.length = there / frame
	s.read = pcmReader(bufio.NewReaderSize(io.LimitReader(r, there), 1<<16), e, int(head.Channels))
	return s, nil
}
