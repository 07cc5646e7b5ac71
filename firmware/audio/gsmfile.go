package audio

import (
	"bufio"
	"fmt"
	"io"

	"hookswitch/firmware/audio/gsm"
)

// isGSM says whether b is the beginning of a bare stream of GSM frames: each of 33 bytes
// begins with the same four bits, which no text has.
func isGSM(b []byte) bool {
	const enough = 5
	n := 0
	for ; len(b) >= gsm.FrameSize; b = b[gsm.FrameSize:] {
		if b[0]>>4 != 0xd {
			return false
		}
		n++
	}
	return n >= enough
}

func openGSM(r io.Reader, size int64) *source {
	return gsmFrames(bufio.NewReaderSize(r, 1<<16), Rate, size/gsm.FrameSize*gsm.Samples)
}

// gsm is either packing: two frames in 65 bytes, or frames as in a bare stream.
func (f *wavFormat) gsm(r *bufio.Reader, length, fact int64) (*source, error) {
	if f.channels != 1 {
		return nil, fmt.Errorf("%w: GSM with %d channels", ErrBroken, f.channels)
	}
	head, _ := r.Peek(int(min(length, 8*gsm.FrameSize)))
	bare := f.block > 0 && (f.block%gsm.FrameSize == 0 || f.block%gsm.BlockSize != 0 && isGSM(head))
	frames := length / gsm.BlockSize * 2 * gsm.Samples
	if bare {
		frames = length / gsm.FrameSize * gsm.Samples
	}
	if fact > 0 && fact < frames {
		frames = fact
	}
	if bare {
		return gsmFrames(r, f.rate, frames), nil
	}
	var d gsm.Decoder
	var pcm [2 * gsm.Samples]int16
	read := blockReader(r, gsm.BlockSize, 2*gsm.Samples, 1, frames, func(out []int16, block []byte) int {
		if len(block) < gsm.BlockSize {
			return 0
		}
		d.Block(&pcm, block)
		return copy(out, pcm[:])
	})
	return &source{f.rate, frames, read}, nil
}

func gsmFrames(r io.Reader, rate int, length int64) *source {
	var d gsm.Decoder
	var pcm [gsm.Samples]int16
	return &source{rate, length, blockReader(r, gsm.FrameSize, gsm.Samples, 1, length, func(out []int16, block []byte) int {
		if len(block) < gsm.FrameSize {
			return 0
		}
		d.Frame(&pcm, block)
		return copy(out, pcm[:])
	})}
}
