package audio

import "encoding/binary"

// imaSteps and imaIndex are the tables of the IMA's "Recommended Practices for Enhancing
// Digital Audio Compatibility", 1992, §6.
var imaSteps = [89]int{
	7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66,
	73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408,
	449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066,
	2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630,
	9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
}

var imaIndex = [8]int{-1, -1, -1, -1, 2, 4, 6, 8}

type imaState struct{ value, index int }

func (s *imaState) next(code byte) int16 {
	step := imaSteps[s.index]
	diff := step >> 3
	for bit, part := byte(4), step; bit > 0; bit, part = bit>>1, part>>1 {
		if code&bit != 0 {
			diff += part
		}
	}
	if code&8 != 0 {
		diff = -diff
	}
	s.value = clamp16(s.value + diff)
	s.index = min(max(s.index+imaIndex[code&7], 0), len(imaSteps)-1)
	return int16(s.value)
}

func clamp16(v int) int { return min(max(v, -32768), 32767) }

// imaBlock decodes a block of WAVE_FORMAT_IMA_ADPCM: for each channel its first sample and
// step, then for each in turn eight samples in four bytes.
func imaBlock(channels int) func(frames []int16, block []byte) int {
	return func(frames []int16, block []byte) int {
		if len(block) < 4*channels {
			return 0
		}
		states := make([]imaState, channels)
		for c := range states {
			head := block[4*c:]
			states[c] = imaState{int(int16(binary.LittleEndian.Uint16(head))), min(int(head[2]), len(imaSteps)-1)}
			frames[c] = int16(states[c].value)
		}
		n := 1
		group := 4 * channels
		for block = block[group:]; len(block) >= group && (n+8)*channels <= len(frames); block = block[group:] {
			for c := range states {
				for i := range 8 {
					code := block[4*c+i/2] >> (i % 2 * 4) & 0xf
					frames[(n+i)*channels+c] = states[c].next(code)
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
