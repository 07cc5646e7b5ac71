package audio

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"hookswitch/firmware/audio/gsm"
)

// gsmMark begins a frame: its upper four bits.
const gsmMark = 0xd

// isGSM reports whether a file is a bare stream of GSM frames: each of 33 bytes begins with
// the same four bits. Sound that has these bits in other places too (silence in A-law is
// 0xd5) is none. It looks at several places: what is taken for GSM and is not plays as noise.
func isGSM(r io.ReadSeeker, head []byte, at, size int64) (bool, error) {
	if !gsmFramesIn(head[:min(len(head), 5*gsm.FrameSize)]) || !gsmFramesIn(head) {
		return false, nil
	}
	const places = 8
	others := 0
	for i := int64(1); i < places; i++ {
		b, _, err := sniffHere(r, at+(size-at)*i/places, 2000)
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

// gsmFramesIn reports whether most of b are GSM frames, wherever they begin.
func gsmFramesIn(b []byte) bool {
	const enough = 4
	frames, others := 0, 0
	for i := 0; i < len(b); {
		n := nextGSM(b[i:])
		if i += n; i+gsm.FrameSize > len(b) {
			break
		}
		for _, c := range b[i+1 : i+gsm.FrameSize] {
			if c>>4 == gsmMark {
				others++
			}
		}
		frames++
		i += gsm.FrameSize
	}
	return frames >= enough && frames*gsm.FrameSize > len(b)/2 && others < frames*gsm.FrameSize/3
}

// nextGSM is where in b the next frame begins: one that another follows, as far as b goes.
func nextGSM(b []byte) int {
	for i, c := range b {
		if c>>4 == gsmMark && (i+gsm.FrameSize >= len(b) || b[i+gsm.FrameSize]>>4 == gsmMark) {
			return i
		}
	}
	return len(b)
}

func openGSM(r io.Reader) *source { return gsmFrames(bufio.NewReaderSize(r, 1<<16), Rate) }

// gsm is either packing: two frames in 65 bytes, or frames as in a bare stream.
func (f *wavFormat) gsm(r *bufio.Reader, length, fact int64) (*source, error) {
	if f.channels != 1 {
		return nil, fmt.Errorf("%w: GSM with %d channels", ErrBroken, f.channels)
	}
	head, _ := r.Peek(int(min(length, 8*gsm.FrameSize)))
	if gsmFramesIn(head) && f.block != gsm.BlockSize {
		return gsmFrames(r, f.rate), nil
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

// gsmFrames reads bare frames. Where something else stands between them there is silence as
// long as it, up to a second.
func gsmFrames(r *bufio.Reader, rate int) *source {
	s := &source{rate: rate, length: -1}
	var d gsm.Decoder
	var pcm [gsm.Samples]int16
	silent := 0 // frames
	next := func() (frame []byte, err error) {
		skipped := 0
		for silent == 0 {
			b, _ := r.Peek(8 * gsm.FrameSize)
			n := 0
			if skipped > 0 || len(b) == 0 || b[0]>>4 != gsmMark {
				n = nextGSM(b)
			}
			if n == 0 && len(b) >= gsm.FrameSize {
				s.damaged = s.damaged || skipped > 0
				if silent = min(skipped/gsm.FrameSize, rate/gsm.Samples); silent > 0 {
					break
				}
				frame = bytes.Clone(b[:gsm.FrameSize])
				_, _ = r.Discard(gsm.FrameSize)
				return frame, nil
			}
			if len(b)-n < gsm.FrameSize && len(b) < 8*gsm.FrameSize {
				return nil, io.EOF
			}
			_, _ = r.Discard(n)
			skipped += n
		}
		silent--
		return nil, nil
	}
	var ready []int16
	s.read = func(p []float32) (int, error) {
		if len(ready) == 0 {
			frame, err := next()
			if err != nil {
				return 0, err
			}
			if clear(pcm[:]); frame != nil {
				d.Frame(&pcm, frame)
			}
			ready = pcm[:]
		}
		n := min(len(p), len(ready))
		for i, v := range ready[:n] {
			p[i] = float32(v)
		}
		ready = ready[n:]
		return n, nil
	}
	s.count = func() (n int64) {
		for {
			if _, err := next(); err != nil {
				return n
			}
			n += gsm.Samples
		}
	}
	return s
}
