package audio

// muLaw and aLaw are the values of ITU-T G.711's 8-bit codes, in 16 bits.
var muLaw, aLaw = func() (mu, a [256]float32) {
	for i := range 256 {
		mu[i] = float32(fromMuLaw(byte(i)))
		a[i] = float32(fromALaw(byte(i)))
	}
	return mu, a
}()

// fromMuLaw: every bit inverted; sign, 3 bits of segment, 4 of step, above a bias of 33 (in 14 bits).
func fromMuLaw(code byte) int {
	const bias = 33 << 2
	code = ^code
	v := (int(code&0x0f)<<3+bias)<<(code>>4&7) - bias
	if code&0x80 != 0 {
		return -v
	}
	return v
}

// fromALaw: every second bit inverted; sign (set when positive), 3 bits of segment, 4 of step.
func fromALaw(code byte) int {
	code ^= 0x55
	v := int(code&0x0f)<<4 + 8
	if segment := code >> 4 & 7; segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if code&0x80 == 0 {
		return -v
	}
	return v
}
