package audio

import "math"

// Keys hears push-button keys (DTMF) in received audio. The zero value is ready; it is not
// safe for concurrent use. After ITU-T Q.24: a key counts from 40 ms on, once until a pause
// of 40 ms; its two tones may differ by 10 dB and be 1.5 % off; speech is no key.
type Keys struct {
	buf  []float32 // of a step, and the step before it
	hit  byte      // what the latest step sounded like
	hits int       // for how many steps
	gone int       // steps since the key last counted was heard
	down byte      // the key last counted, until it is let go
}

// A window of 102 samples separates the frequencies of Q.23; half of one is the step.
const (
	keyWindow = 102
	keyStep   = keyWindow / 2
	keyHits   = 4 // steps: 32 ms
	keyPause  = 4 // steps in which the key is not heard
)

// Hear takes what was received next, in pieces of any size, and returns the keys that
// became certain, mostly none.
func (k *Keys) Hear(samples []int16) (pressed []byte) {
	for _, s := range samples {
		k.buf = append(k.buf, float32(s))
		if len(k.buf) < keyWindow {
			continue
		}
		if key := k.step(keyIn(k.buf)); key != 0 {
			pressed = append(pressed, key)
		}
		k.buf = k.buf[:copy(k.buf, k.buf[keyStep:])]
	}
	return pressed
}

// Down is the key that is held by what was heard last, 0 for none.
func (k *Keys) Down() byte { return k.down }

// step returns a key when it has been heard for long enough.
func (k *Keys) step(key byte) byte {
	if key != k.hit {
		k.hit, k.hits = key, 0
	}
	k.hits++
	if key == k.down && key != 0 {
		k.gone = 0
		return 0
	}
	if k.gone++; k.gone >= keyPause {
		k.down = 0
	}
	if key == 0 || k.hits < keyHits {
		return 0
	}
	k.down, k.gone = key, 0
	return key
}

// keyIn is the key that this window of sound is part of, or 0.
func keyIn(w []float32) byte {
	const (
		faint  = -38  // dBm0 of both tones
		twist  = 10   // times the power: 10 dB
		others = 5    // times the power of any other tone of the group: 7 dB
		purity = 0.65 // of the power is in the two tones
	)
	energy := float64(dot(w, w))
	if dBm0(energy/float64(len(w))) < faint {
		return 0
	}
	row, low := strongest(w, lowTones)
	col, high := strongest(w, highTones)
	if low > twist*high || high > twist*low {
		return 0
	}
	// A sine wave of energy e in the window has |X|² = e·n/2.
	if (low+high)*2/float64(len(w)) < purity*energy {
		return 0
	}
	return digits[4*row+col]
}

// strongest says which of a group it is, and its power.
func strongest(w []float32, group []wave) (best int, power float64) {
	for i := range group {
		if p := group[i].power(w); p > power {
			best, power = i, p
		}
	}
	return best, power
}

var lowTones, highTones = waves(lowGroup[:], keyWindow), waves(highGroup[:], keyWindow)

// A wave is a frequency to look for in a window of sound.
type wave struct{ cos, sin []float32 }

func waves(freqs []float64, n int) []wave {
	ws := make([]wave, len(freqs))
	for k, f := range freqs {
		ws[k] = wave{make([]float32, n), make([]float32, n)}
		for i := range n {
			sin, cos := math.Sincos(2 * math.Pi * f / Rate * float64(i))
			ws[k].cos[i], ws[k].sin[i] = float32(cos), float32(sin)
		}
	}
	return ws
}

// power is |X|² at the frequency.
func (v wave) power(w []float32) float64 {
	re, im := float64(dot(v.cos, w)), float64(dot(v.sin, w))
	return re*re + im*im
}
