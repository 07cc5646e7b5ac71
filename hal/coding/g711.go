// Package coding is the ways of coding sound that modems and recordings share: ITU-T G.711 and
// IMA ADPCM.
package coding

// EncodeULaw codes a 16-bit sample by ITU-T G.711 table 2a, µ-law.
func EncodeULaw(s int16) byte {
	const bias, clip = 0x84, 32635
	sign, v := byte(0), int(s)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, clip) + bias
	segment := 7
	for mask := 0x4000; v&mask == 0 && segment > 0; mask >>= 1 {
		segment--
	}
	return ^(sign | byte(segment)<<4 | byte(v>>(segment+3))&0x0f)
}

// DecodeULaw is the 16-bit sample that a µ-law code stands for: every bit inverted; sign, 3
// bits of segment, 4 of step, above a bias of 33 (in 14 bits).
func DecodeULaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v)
}

// EncodeALaw codes a 16-bit sample by ITU-T G.711 table 1a, A-law.
func EncodeALaw(s int16) byte {
	sign, v := byte(0x80), int(s)>>3
	if v < 0 {
		sign, v = 0, -v-1
	}
	segment := 0
	for top := v >> 5; top != 0; top >>= 1 {
		segment++
	}
	mantissa := v >> 1
	if segment > 0 {
		mantissa = v >> segment
	}
	return (sign | byte(segment)<<4 | byte(mantissa)&0x0f) ^ 0x55
}

// DecodeALaw is the 16-bit sample that an A-law code stands for: every second bit inverted;
// sign (set when positive), 3 bits of segment, 4 of step.
func DecodeALaw(b byte) int16 {
	b ^= 0x55
	segment, v := b>>4&7, int(b&0x0f)<<4+8
	if segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}
