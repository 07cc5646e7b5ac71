package sim

import (
	"slices"
	"sync"
)

// format is one line of AT+VSM=? (V.253 §10.3.8): what voice data looks like at 8000 Hz.
type format struct {
	id   int
	name string
	bits int
	code coding
}

type coding int

const (
	linear coding = iota // unsigned 8 bits, 128 is silence; or signed 16 bits, the low byte first
	signed               // 8 bits
	muLaw
	aLaw
	imaADPCM // 4 bits, the first sample in the low half of a byte
)

// codec turns voice data into samples and back; each stream has its own.
type codec struct {
	f       format
	in, out ima
	odd     byte
	half    bool // odd is the low byte of a sample
}

// decode appends the samples that one byte of voice data completes.
func (c *codec) decode(dst []int16, b byte) []int16 {
	switch c.f.code {
	case signed:
		return append(dst, int16(int8(b))<<8)
	case muLaw:
		return append(dst, fromMuLaw(b))
	case aLaw:
		return append(dst, fromALaw(b))
	case imaADPCM:
		return append(dst, c.in.decode(b&15), c.in.decode(b>>4))
	}
	if c.f.bits == 8 {
		return append(dst, (int16(b)-128)<<8)
	}
	if c.half = !c.half; c.half {
		c.odd = b
		return dst
	}
	return append(dst, int16(c.odd)|int16(b)<<8)
}

// encode appends the voice data of an even number of samples.
func (c *codec) encode(dst []byte, s []int16) []byte {
	for i, v := range s {
		switch c.f.code {
		case signed:
			dst = append(dst, byte(round8(v)))
		case muLaw:
			dst = append(dst, muLawTable().nearest(v))
		case aLaw:
			dst = append(dst, aLawTable().nearest(v))
		case imaADPCM:
			if n := c.out.encode(v); i%2 == 0 {
				dst = append(dst, n)
			} else {
				dst[len(dst)-1] |= n << 4
			}
		default:
			if c.f.bits == 8 {
				dst = append(dst, byte(round8(v)+128))
			} else {
				dst = append(dst, byte(v), byte(v>>8))
			}
		}
	}
	return dst
}

// round8 is the nearest multiple of 256.
func round8(v int16) int { return min(127, (int(v)+128)>>8) }

// fromMuLaw and fromALaw are ITU-T G.711 tables 2a and 1a, scaled to 16 bits.
func fromMuLaw(b byte) int16 {
	b = ^b
	v := int16((int(b&15)*2+33)<<(b>>4&7)-33) << 2
	if b&0x80 != 0 {
		return -v
	}
	return v
}

func fromALaw(b byte) int16 {
	b ^= 0x55
	v := int(b&15)*2 + 1
	if segment := b >> 4 & 7; segment > 0 {
		v = (v + 32) << (segment - 1)
	}
	if b&0x80 != 0 {
		return int16(v << 3)
	}
	return int16(-v << 3)
}

// lawTable finds the code whose value is nearest: slow and plainly right, so that it can
// judge the fast one of a program under test.
type lawTable []lawCode

type lawCode struct {
	value int16
	code  byte
}

func newLawTable(decode func(byte) int16) lawTable {
	var t lawTable
	for c := range 256 {
		t = append(t, lawCode{decode(byte(c)), byte(c)})
	}
	slices.SortStableFunc(t, func(a, b lawCode) int { return int(a.value) - int(b.value) })
	return t
}

var (
	muLawTable = sync.OnceValue(func() lawTable { return newLawTable(fromMuLaw) })
	aLawTable  = sync.OnceValue(func() lawTable { return newLawTable(fromALaw) })
)

func (t lawTable) nearest(v int16) byte {
	i, _ := slices.BinarySearchFunc(t, v, func(c lawCode, v int16) int { return int(c.value) - int(v) })
	if i == len(t) || i > 0 && int(v)-int(t[i-1].value) < int(t[i].value)-int(v) {
		i--
	}
	return t[i].code
}

// ima is the state of an IMA ADPCM coder (IMA Digital Audio Focus and Technical Working
// Group, recommended practices, revision 3.00).
type ima struct{ value, index int }

var imaIndex = [8]int{-1, -1, -1, -1, 2, 4, 6, 8}

var imaStep = [89]int{
	7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97,
	107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796,
	876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871,
	5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623,
	27086, 29794, 32767,
}

func (a *ima) decode(code byte) int16 {
	step := imaStep[a.index]
	d := step >> 3
	for i := range 3 {
		if code&(4>>i) != 0 {
			d += step >> i
		}
	}
	if code&8 != 0 {
		d = -d
	}
	a.value = max(-32768, min(32767, a.value+d))
	a.index = max(0, min(len(imaStep)-1, a.index+imaIndex[code&7]))
	return int16(a.value)
}

func (a *ima) encode(v int16) byte {
	best, least := byte(0), 1<<17
	for code := range byte(16) {
		try := *a
		d := int(try.decode(code)) - int(v)
		if d = max(d, -d); d < least {
			best, least = code, d
		}
	}
	a.decode(best)
	return best
}
