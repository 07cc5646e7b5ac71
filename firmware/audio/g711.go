package audio

import "hookswitch/hal/coding"

// muLaw and aLaw are the values of ITU-T G.711's 8-bit codes, in 16 bits.
var muLaw, aLaw = func() (mu, a [256]float32) {
	for i := range 256 {
		mu[i] = float32(coding.DecodeULaw(byte(i)))
		a[i] = float32(coding.DecodeALaw(byte(i)))
	}
	return mu, a
}()
