package audio

import (
	"encoding/binary"

	"hookswitch/hal/coding"
)

func clamp16(v int) int { return min(max(v, -32768), 32767) }

// imaBlock decodes a block of WAVE_FORMAT_IMA_ADPCM: for each channel its first sample and
// step, then for each in turn eight samples in four bytes.
func imaBlock(channels int) func(frames []int16, block []byte) int {
	return func(frames []int16, block []byte) int {
		if len(block) < 4*channels {
			return 0
		}
		states := make([]coding.IMA, channels)
		for c := range states {
			head := block[4*c:]
			states[c] = coding.IMA{Value: int(int16(binary.LittleEndian.Uint16(head))), Index: min(int(head[2]), coding.IMASteps-1)}
			frames[c] = int16(states[c].Value)
		}
		n := 1
		group := 4 * channels
		for block = block[group:]; len(block) >= group && (n+8)*channels <= len(frames); block = block[group:] {
			for c := range states {
				for i := range 8 {
					code := block[4*c+i/2] >> (i % 2 * 4) & 0xf
					frames[(n+i)*channels+c] = states[c].Decode(code)
				}
			}
			n += 8
		}
		return n
	}
}

// msAdapt is how a step changes, in 1/256, and msCoefs the predictors that every file has:
// Microsoft's "Multimedia Standards Update: New Multimedia Data Types", 1994.
var (
	msAdapt = [16]int{230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230}
	msCoefs = [][2]int{{256, 0}, {512, -256}, {0, 0}, {192, 64}, {240, 0}, {460, -208}, {392, -232}}
)

type msState struct {
	coef         [2]int
	delta        int
	last, before int
}

func (s *msState) next(code byte) int16 {
	predicted := (s.last*s.coef[0] + s.before*s.coef[1]) >> 8
	signed := int(int8(code<<4) >> 4)
	value := clamp16(predicted + signed*s.delta)
	s.before, s.last = s.last, value
	s.delta = min(max(s.delta*msAdapt[code]>>8, 16), 1<<24)
	return int16(value)
}

// msBlock decodes a block of WAVE_FORMAT_ADPCM: predictors, steps and the first two samples
// of all channels, then a half byte a sample, the upper one first.
func msBlock(channels int, coefs [][2]int) func(frames []int16, block []byte) int {
	return func(frames []int16, block []byte) int {
		if len(block) < 7*channels {
			return 0
		}
		word := func(i, c int) int {
			return int(int16(binary.LittleEndian.Uint16(block[channels+2*(i*channels+c):])))
		}
		states := make([]msState, channels)
		for c := range states {
			which := min(int(block[c]), len(coefs)-1)
			states[c] = msState{coefs[which], word(0, c), word(1, c), word(2, c)}
			frames[c], frames[channels+c] = int16(states[c].before), int16(states[c].last)
		}
		n := 2 * channels
		for _, b := range block[7*channels:] {
			for _, code := range []byte{b >> 4, b & 0xf} {
				if n < len(frames) {
					frames[n] = states[n%channels].next(code)
					n++
				}
			}
		}
		return n / channels
	}
}
