package sim

// G.711 from its definition, and its inverse by search: slow and obviously right, so that
// it can judge the fast one of the program under test.

func fromUlaw(b byte) int16 {
	b = ^b
	v := int16((int(b&15)*2+33)<<(b>>4&7)-33) << 2
	if b&0x80 != 0 {
		return -v
	}
	return v
}

func fromAlaw(b byte) int16 {
	b ^= 0x55
	v := int(b&15)*2 + 1
	if seg := b >> 4 & 7; seg > 0 {
		v = (v + 32) << (seg - 1)
	}
	if b&0x80 != 0 {
		return int16(v << 3)
	}
	return int16(-v << 3)
}

// nearest is the code whose value is nearest to v.
func nearest(v int16, decode func(byte) int16) (best byte) {
	least := 1 << 20
	for c := range 256 {
		d := int(decode(byte(c))) - int(v)
		if d < 0 {
			d = -d
		}
		if d < least {
			best, least = byte(c), d
		}
	}
	return best
}
