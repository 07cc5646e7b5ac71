package flac

import (
	"encoding/binary"
	mathbits "math/bits"
)

// spare bytes stand behind what bits may read.
const spare = 8

// bits reads a stream of bits, the most significant first. pos may run past the end of b,
// where it reads whatever is there; who cares must look.
type bits struct {
	b   []byte
	pos int
}

// peek is the next 57 bits or more.
func (r *bits) peek() uint64 {
	at := min(r.pos>>3, len(r.b)-spare)
	return binary.BigEndian.Uint64(r.b[at:]) << (r.pos & 7)
}

// take is the next n bits, 0 to 57.
func (r *bits) take(n int) uint64 {
	v := r.peek() >> 1 >> (63 - n)
	r.pos += n
	return v
}

// signed is the next n bits in two's complement, 1 to 32.
func (r *bits) signed(n int) int32 {
	v := int64(r.peek()) >> (64 - n)
	r.pos += n
	return int32(v)
}

// unary counts zeros up to the next one. A count that nothing sensible has is -1.
func (r *bits) unary() int {
	const most = 1 << 20
	for n := 0; n < most; n += 56 {
		if zeros := mathbits.LeadingZeros64(r.peek()); zeros < 56 {
			r.pos += zeros + 1
			return n + zeros
		}
		r.pos += 56
	}
	return -1
}

// rice reads the residuals of a partition, zigzag-coded, with k lower bits each.
func (r *bits) rice(out []int32, k int) bool {
	for i := range out {
		v := r.peek()
		high := mathbits.LeadingZeros64(v)
		if high+1+k <= 56 {
			r.pos += high + 1 + k
			v = v << (high + 1) >> 1 >> (63 - k)
		} else {
			if high = r.unary(); high < 0 {
				return false
			}
			v = r.take(k)
		}
		v |= uint64(high) << k
		out[i] = int32(v>>1) ^ -int32(v&1)
	}
	return true
}
