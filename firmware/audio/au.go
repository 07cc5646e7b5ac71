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

// openAU reads the header of a Sun or NeXT file: six big-endian words.
func openAU(r io.ReadSeeker, size int64) (*source, error) {
	var head struct{ Magic, Offset, Length, Encoding, Rate, Channels uint32 }
	if err := binary.Read(r, binary.BigEndian, &head); err != nil {
		return nil, fmt.Errorf("%w: AU header cut short", ErrBroken)
	}
	length := size - int64(head.Offset)
	switch {
	case head.Offset < 24 || length < 0:
		return nil, fmt.Errorf("%w: AU with its sound at %d", ErrBroken, head.Offset)
	case head.Channels < 1 || head.Channels > most:
		return nil, fmt.Errorf("%w: %d channels", ErrBroken, head.Channels)
	}
	e, ok := auEncodings[head.Encoding]
	if !ok {
		return nil, fmt.Errorf("%w: AU of encoding %d", ErrFormat, head.Encoding)
	}
	if _, err := r.Seek(int64(head.Offset), io.SeekStart); err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	const unknown = 0xffffffff
	if head.Length != unknown {
		length = min(length, int64(head.Length))
	}
	channels := int(head.Channels)
	pcm := pcmReader(bufio.NewReaderSize(io.LimitReader(r, length), 1<<16), e, channels)
	return &source{int(head.Rate), length / int64(e.bytes*channels), pcm}, nil
}
