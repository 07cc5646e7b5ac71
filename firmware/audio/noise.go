package audio

import (
	"math"
	"slices"
)

// noise tells what is said on a line from what a line sounds like by itself: hum, hiss, the
// comfort noise of a codec, clicks, crosstalk. Sound exceeds the noise floor, which follows
// what goes on for a while without becoming louder and quieter, as a voice does.
type noise struct {
	floor  float64             // dBm0
	tones  float64             // level of the call-progress tones, dBm0
	levels [noiseSteps]float64 // of the latest steps, dBm0, in a ring
	loud   [noiseSteps]bool    // that were above the floor then
	pitch  [noiseSteps]bool    // that were one tone above 900 Hz
	steps  int                 // so far
	plain  int                 // steps since there was a tone
}

const (
	noiseSteps = 20    // 400 ms
	noiseLeast = -42.0 // dBm0: nobody who has answered is as quiet
)

func newNoise() noise { return noise{floor: noiseLeast - 6, tones: -60} }

// add takes a step that is no call-progress tone, and reports whether it is above the noise.
func (n *noise) add(step []float32) (loud bool) {
	const (
		above = 6.0      // dB by which sound exceeds the noise
		fall  = 0.3      // of the difference, a step
		rise  = 3.0 / 50 // dB a step
	)
	level := steadyLevel(step)
	i := n.steps % noiseSteps
	loud = level > max(noiseLeast, n.floor+above)
	n.levels[i], n.loud[i], n.pitch[i] = level, loud, isPitch(step)
	n.steps++
	n.plain++
	if level < n.floor {
		n.floor += fall * (level - n.floor)
	} else {
		n.floor = min(level, n.floor+rise)
	}
	if n.plain >= noiseSteps && n.range80() < 4 && !n.pitched() {
		n.floor = max(n.floor, total(n.levels[:])/noiseSteps)
		n.loud = [noiseSteps]bool{}
	}
	return loud
}

// tone takes a step that sounds like a call-progress tone, and reports whether it is as loud
// as one: what is much weaker than those before is a voice on another line.
func (n *noise) tone(level float64) bool {
	const (
		weaker = 12.0     // dB
		forget = 3.0 / 50 // dB a step
	)
	n.tones = max(n.tones-forget, level)
	if level < n.tones-weaker {
		return false
	}
	i := n.steps % noiseSteps
	n.levels[i], n.loud[i], n.pitch[i] = math.Inf(-1), false, false
	n.steps++
	n.plain = 0
	return true
}

// range80 is between which levels the latest steps were, but for the two quietest and loudest.
func (n *noise) range80() float64 {
	l := n.levels
	slices.Sort(l[:])
	return l[noiseSteps-3] - l[2]
}

// pitched reports whether the latest steps are one tone, such as that of a fax machine.
func (n *noise) pitched() bool {
	count := 0
	for _, p := range n.pitch {
		if p {
			count++
		}
	}
	return count >= noiseSteps-2 && n.range80() < 1
}

// voice reports whether somebody, or something, speaks: the sound of the latest 400 ms has
// become quieter and louder, or is one tone.
func (n *noise) voice() bool {
	const (
		enough = 8   // steps of sound, 160 ms
		swing  = 5.0 // dB
	)
	var heard []float64 // levels of the steps with sound, in order
	for i := range noiseSteps {
		if j := (n.steps + i) % noiseSteps; n.loud[j] {
			heard = append(heard, n.levels[j])
		}
	}
	if len(heard) < enough {
		return false
	}
	// The single loudest and quietest don't count: noise begins and ends within a step.
	down, up := 0, 0
	for i, v := range heard {
		for _, later := range heard[i+1:] {
			switch {
			case v-later > swing:
				down++
			case later-v > swing:
				up++
			}
		}
	}
	return down >= 4 && down+up >= 6 || n.pitched()
}

// steadyLevel is the level of a step without what is in it for a few milliseconds only: of
// its quarters, the second quietest counts.
func steadyLevel(step []float32) float64 {
	var parts [4]float64
	q := len(step) / len(parts)
	for i := range parts {
		part := step[i*q : (i+1)*q]
		parts[i] = float64(dot(part, part)) / float64(q)
	}
	slices.Sort(parts[:])
	return dBm0(parts[1])
}

// isPitch reports whether a step is one sine wave above 900 Hz: for one of the angular
// frequency ω, x[n+1] + x[n-1] = 2·cos ω·x[n]. Below, the harmonics of the mains are as near.
func isPitch(x []float32) bool {
	most := math.Cos(2 * math.Pi * 900 / Rate)
	ahead, here, back := x[2:], x[1:len(x)-1], x[:len(x)-2]
	power := float64(dot(here, here))
	cos := float64(dot(here, ahead)+dot(here, back)) / (2*power + 1)
	rest := 0.0
	for i, s := range here {
		d := float64(ahead[i]) + float64(back[i]) - 2*cos*float64(s)
		rest += d * d
	}
	return cos < most && rest < 0.1*power
}

// highPass takes away what telephones don't carry, mains hum above all: a Butterworth filter
// of the fourth order at 280 Hz.
type highPass struct{ s [2][2]float64 }

var highPassSections = func() (c [2][3]float64) { // gain, a1, a2
	k := math.Tan(math.Pi * 280 / Rate)
	for i, q := range []float64{0.54119610, 1.3065630} {
		norm := 1 / (1 + k/q + k*k)
		c[i] = [3]float64{norm, 2 * (k*k - 1) * norm, (1 - k/q + k*k) * norm}
	}
	return c
}()

func (h *highPass) filter(x float64) float64 {
	for i, c := range highPassSections {
		y := c[0]*x + h.s[i][0]
		h.s[i][0] = -2*c[0]*x - c[1]*y + h.s[i][1]
		h.s[i][1] = c[0]*x - c[2]*y
		x = y
	}
	return x
}
