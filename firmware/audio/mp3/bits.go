package mp3

import "encoding/binary"

// bits reads a stream of bits, the most significant first. Behind its end are zeros.
type bits struct {
	b   []byte // with 8 spare bytes behind the end
	pos int    // in bits
	end int
}

const spare = 8

// peek is the next 32 bits.
func (r *bits) peek() uint32 {
	at := min(r.pos>>3, len(r.b)-spare)
	return uint32(binary.BigEndian.Uint64(r.b[at:]) << (r.pos & 7) >> 32)
}

// take is the next n bits, 0 to 25.
func (r *bits) take(n int) int {
	v := int(uint64(r.peek()) >> (32 - n))
	r.pos += n
	return v
}

func (r *bits) flag() bool { return r.take(1) == 1 }
