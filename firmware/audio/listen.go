package audio

import (
	"math"
	"slices"
	"sync"
)

// kind of sound, within a step.
type kind int

const (
	quiet kind = iota
	low        // a call-progress tone, of one frequency or two between 300 and 700 Hz
	first      // the special information tones, ITU-T E.180: 950, 1400 and 1800 Hz
	second
	third
	sound // anything else that is above the noise
)

const (
	progressStep = Rate / 50 // 20 ms
	toneWindow   = Rate / 20 // 50 ms
	binHz        = Rate / toneWindow
)

// bank is the frequencies that matter, 20 Hz apart: with Hann's window a sine wave has its
// power in three or four of them, wherever it is.
var (
	bank  = bankHz()
	banks = sync.OnceValue(func() []wave { return waves(bank, toneWindow) })
	hann  = hannWindow()
)

const (
	lowBins = 21 // of bank, for the tones of a cadence
	sitBins = 7  // after those, for each of the special information tones
)

func bankHz() (hz []float64) {
	for f := 300.0; f <= 700; f += binHz {
		hz = append(hz, f)
	}
	for _, middle := range []float64{950, 1400, 1800} {
		for f := middle - 60; f <= middle+60; f += binHz {
			hz = append(hz, f)
		}
	}
	return hz
}

func hannWindow() (w [toneWindow]float32) {
	for i := range w {
		w[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/toneWindow))
	}
	return w
}

// listen says what kind of sound the end of a window is, and how its power is spread over the
// bank, if it is a tone.
func (n *noise) listen(window []float32) (kind, []float64) {
	const (
		faint = -43.0 // dBm0: no tone is as quiet
		pure  = 0.75  // of a tone's power is in its bins
		dense = 0.85  // of a low tone's power is in six of them, which speech has not
	)
	latest := window[len(window)-progressStep:]
	level := dBm0(float64(dot(latest, latest)) / progressStep)
	if level < faint {
		n.add(latest)
		return quiet, nil
	}
	var w [toneWindow]float32
	for i, s := range window {
		w[i] = s * hann[i]
	}
	all := float64(dot(w[:], w[:])) * toneWindow / 2
	spread := make([]float64, len(bank))
	for i, v := range banks() {
		spread[i] = v.power(w[:]) / all
	}
	if in := total(spread[:lowBins]); in > pure {
		top := slices.Clone(spread[:lowBins])
		slices.Sort(top)
		if total(top[lowBins-6:]) > dense*in && n.tone(level) {
			return low, spread
		}
	}
	for i := range 3 {
		if total(spread[lowBins+i*sitBins:][:sitBins]) > pure && n.tone(level) {
			return first + kind(i), spread
		}
	}
	if !n.add(latest) {
		return quiet, nil
	}
	return sound, nil
}

func total(powers []float64) (sum float64) {
	for _, v := range powers {
		sum += v
	}
	return sum
}

// narrow says whether the power of r is at one or two frequencies, as that of a voice is not
// for long.
func (r *run) narrow() bool {
	const bins, most = 8, 0.8
	if r.power == nil {
		return false
	}
	top := slices.Clone(r.power[:lowBins])
	slices.Sort(top)
	return total(top[lowBins-bins:]) > most*total(top)
}

// sounds says whether r is these frequencies together, each within 35 Hz.
func (r *run) sounds(hz []int) bool {
	const (
		near  = 35   // Hz
		most  = 0.75 // of the power is near one of the frequencies
		share = 0.06 // at least, near each of them
	)
	if r.kind != low || r.power == nil {
		return false
	}
	sum, all := 0.0, total(r.power[:lowBins])
	shares := make([]float64, len(hz))
	for i, f := range bank[:lowBins] {
		nearest, at := math.Inf(1), 0
		for j, h := range hz {
			if d := math.Abs(f - float64(h)); d < nearest {
				nearest, at = d, j
			}
		}
		if nearest <= near {
			sum += r.power[i]
			shares[at] += r.power[i]
		}
	}
	return sum > most*all && slices.Min(shares) > share*all
}
