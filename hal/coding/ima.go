package coding

// IMA is the state of an IMA ADPCM coder or decoder (IMA Digital Audio Focus and Technical
// Working Groups, Recommended Practices 3.00, 1992): the sample before, and where in the
// table of steps it was.
type IMA struct {
	Value int // -32768 to 32767
	Index int // 0 to IMASteps-1
}

// IMASteps is how many steps there are.
const IMASteps = len(imaSteps)

var imaSteps = [89]int{
	7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
	130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060,
	1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132,
	7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
}

var imaIndex = [8]int{-1, -1, -1, -1, 2, 4, 6, 8}

// Decode returns the sample that four bits stand for.
func (a *IMA) Decode(code byte) int16 {
	step := imaSteps[a.Index]
	diff := step >> 3
	for bit, part := byte(4), step; bit > 0; bit, part = bit>>1, part>>1 {
		if code&bit != 0 {
			diff += part
		}
	}
	if code&8 != 0 {
		diff = -diff
	}
	a.Value = max(-32768, min(32767, a.Value+diff))
	a.Index = max(0, min(len(imaSteps)-1, a.Index+imaIndex[code&7]))
	return int16(a.Value)
}

// Encode returns the four bits for a sample.
func (a *IMA) Encode(s int16) byte {
	diff, code := int(s)-a.Value, byte(0)
	if diff < 0 {
		diff, code = -diff, 8
	}
	for bit, step := byte(4), imaSteps[a.Index]; bit > 0; bit, step = bit>>1, step>>1 {
		if diff >= step {
			code |= bit
			diff -= step
		}
	}
	a.Decode(code) // as the other side will
	return code
}
