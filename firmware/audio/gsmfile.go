package audio

import (
	"bufio"
	"fmt"
	"io"

	"hookswitch/firmware/audio/gsm"
)

// isGSM reports whether a file is a bare stream of GSM frames: each of 33 bytes begins with
// the same four bits. Sound that has these bits in other places too (silence in A-law is
// 0xd5) is none. It looks at several places: what is taken for GSM and is not plays as noise.
func isGSM(r io.ReadSeeker, head []byte, at, size int64) (bool, error) {
	if !gsmFramesIn(head) {
		return false, nil
	}
	const places = 8
	frames, others := (size-at)/gsm.FrameSize, 0
	for i := int64(1); i < places; i++ {
		b, _, err := sniffHere(r, at+frames*i/places*gsm.FrameSize, 2000)
		if err != nil {
			return false, err
		}
		if len(b) >= 6*gsm.FrameSize && !gsmFramesIn(b) {
			others++ // a hole, perhaps
		}
	}
	if others > places/2 {
		return false, nil
	}
	_, err := r.Seek(at, io.SeekStart)
	return err == nil, err
}

func gsmFramesIn(b []byte) bool {
	const enough = 5
	frames, marked, others := len(b)/gsm.FrameSize, 0, 0
	for i, c := range b[:frames*gsm.FrameSize] {
		switch {
		case c>>4 != 0xd:
		case i%gsm.FrameSize == 0:
			marked++
		default:
			others++
		}
	}
	return frames >= enough && marked >= frames*3/4 && b[0]>>4 == 0xd && others < frames*gsm.FrameSize/3
}

func openGSM(r io.Reader, at, size int64) *source {
	return gsmFrames(bufio.NewReaderSize(r, 1<<16), Rate, (size-at)/gsm.FrameSize*gsm.Samples)
}

// gsm is either packing: two frames in 65 bytes, or frames as in a bare stream.
func (f *wavFormat) gsm(r *bufio.Reader, length, fact int64) (*source, error) {
	if f.channels != 1 {
		return nil, fmt.Errorf("%w: GSM with %d channels", ErrBroken, f.channels)
	}
	head, _ := r.Peek(int(min(length, 8*gsm.FrameSize)))
	bare := gsmFramesIn(head) && f.block != gsm.BlockSize
	if bare {
		return gsmFrames(r, f.rate, inLastBlock(fact, length/gsm.FrameSize*gsm.Samples, gsm.Samples)), nil
	}
	frames := inLastBlock(fact, length/gsm.BlockSize*2*gsm.Samples, 2*gsm.Samples)
	var d gsm.Decoder
	var pcm [2 * gsm.Samples]int16
	read := blockReader(r, gsm.BlockSize, 2*gsm.Samples, 1, frames, func(out []int16, block []byte) int {
		if len(block) < gsm.BlockSize {
			return 0
		}
		d.Block(&pcm, block)
		return copy(out, pcm[:])
	})
	return &source{rate: f.rate, length: frames, read: read}, nil
}

func gsmFrames(r io.Reader, rate int, length int64) *source {
	s := &source{rate: rate, length: length}
	var d gsm.Decoder
	var pcm [gsm.Samples]int16
	s.read = blockReader(r, gsm.FrameSize, gsm.Samples, 1, length, func(out []int16, block []byte) int {
		if len(block) < gsm.FrameSize {
			return 0
		}
		if block[0]>>4 == 0xd {
			d.Frame(&pcm, block)
		} else { // no frame
			clear(pcm[:])
			s.damaged = true
		}
		return copy(out, pcm[:])
	})
	s.count = func() (n int64) {
		block := make([]byte, gsm.FrameSize)
		for ; n < length; n += gsm.Samples {
			if _, err := io.ReadFull(r, block); err != nil {
				return n
			}
			s.damaged = s.damaged || block[0]>>4 != 0xd
		}
		return length
	}
	return s
}
