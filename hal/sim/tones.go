package sim

import (
	"math"
	"strings"
	"time"
)

// Tone is a cadence of one or more frequencies: its segments follow each other and begin
// again. A segment without frequencies is silence; one that lasts for 0 never ends.
type Tone []Segment

// Segment is a part of a Tone.
type Segment struct {
	Hz  []float64
	For time.Duration
}

// Tones are the call-progress tones of one country (ITU-T E.180 Supplement 2).
type Tones struct {
	Dial, Ringback, Busy, Reorder, Intercept Tone

	Announces []int16 // said before dial tone, 8000 Hz: that messages wait, say
}

func hz(f ...float64) []float64 { return f }

func steady(f ...float64) Tone { return Tone{{hz(f...), 0}} }

func cadence(f []float64, ms ...int) Tone {
	var t Tone
	for i, d := range ms {
		s := Segment{For: time.Duration(d) * time.Millisecond}
		if i%2 == 0 {
			s.Hz = f
		}
		t = append(t, s)
	}
	return t
}

// sit is the special information tone before an announcement (ITU-T E.180 §2.9).
var sit = Tone{
	{hz(950), 330 * time.Millisecond}, {hz(1400), 330 * time.Millisecond}, {hz(1800), 330 * time.Millisecond},
	{nil, time.Second},
}

// TonePlans are the tones of some countries by their domain.
var TonePlans = map[string]Tones{
	"us": {steady(350, 440), cadence(hz(440, 480), 2000, 4000), cadence(hz(480, 620), 500, 500), cadence(hz(480, 620), 250, 250), sit, nil},
	"uk": {steady(350, 440), cadence(hz(400, 450), 400, 200, 400, 2000), cadence(hz(400), 375, 375), cadence(hz(400), 400, 350, 225, 525), sit, nil},
	"fr": {steady(440), cadence(hz(440), 1500, 3500), cadence(hz(440), 500, 500), cadence(hz(440), 250, 250), sit, nil},
	"es": {steady(425), cadence(hz(425), 1500, 3000), cadence(hz(425), 200, 200), cadence(hz(425), 200, 200, 200, 600), sit, nil},
	"de": {steady(425), cadence(hz(425), 1000, 4000), cadence(hz(425), 480, 480), cadence(hz(425), 240, 240), sit, nil},
	"au": {steady(400, 425, 450), cadence(hz(400, 425, 450), 400, 200, 400, 2000), cadence(hz(425), 375, 375), cadence(hz(425), 375, 375), sit, nil},
}

// period is how long the cadence takes; 0 for a steady tone.
func (t Tone) period() (d time.Duration) {
	for _, s := range t {
		d += s.For
	}
	return d
}

// segment is the one that sounds at d after the tone's beginning.
func (t Tone) segment(d time.Duration) Segment {
	if p := t.period(); p > 0 {
		d %= p
	}
	for _, s := range t {
		if d < s.For || s.For == 0 {
			return s
		}
		d -= s.For
	}
	return Segment{}
}

// burst is when the n-th repetition falls silent: the end of its last sounding segment.
func (t Tone) burst(n int) time.Duration {
	var d, end time.Duration
	for _, s := range t {
		d += s.For
		if s.Hz != nil {
			end = d
		}
	}
	return time.Duration(n-1)*t.period() + end
}

// Levels on the line (ITU-T E.180: −5 to −15 dBm0 in all; Q.23 for keys). A sine that fills
// 16 bits has +3.14 dBm0 (ITU-T G.711 §6).
const (
	toneLevel = -16 // dBm0, each frequency
	keyLevel  = -9
	fullScale = 3.14
)

// amplitude is the peak of a sine of a level in dBm0.
func amplitude(level float64) float64 { return 32767 * math.Pow(10, (level-fullScale)/20) }

// sampleTime is when the n-th sample is.
func sampleTime(n int) time.Duration { return time.Duration(n) * time.Second / rate }

// add mixes the tone into out, whose first sample is the n-th of the tone.
func (t Tone) add(out []int16, n int, level float64) {
	a := amplitude(level)
	for i := 0; i < len(out); {
		s := t.segment(sampleTime(n + i))
		end := i + 1
		for end < len(out) && (n+end)%20 != 0 { // segments begin on 2.5 ms
			end++
		}
		if s.Hz != nil {
			addSines(out[i:end], n+i, a, s.Hz)
		}
		i = end
	}
}

// addSines mixes sines of one amplitude; their phase is 0 at sample 0.
func addSines(out []int16, n int, a float64, freqs []float64) {
	for i := range out {
		v := float64(out[i])
		for _, f := range freqs {
			v += a * math.Sin(2*math.Pi*f*float64(n+i)/rate)
		}
		out[i] = clip(v)
	}
}

func clip(v float64) int16 {
	return int16(math.Round(max(math.MinInt16, min(math.MaxInt16, v))))
}

// keypad is in the order of its tones (ITU-T Q.23).
const keypad = "123A456B789C*0#D"

// keyTones are the two frequencies of a key, nil for what is none.
func keyTones(key byte) []float64 {
	i := strings.IndexByte(keypad, key)
	if i < 0 {
		return nil
	}
	return hz([]float64{697, 770, 852, 941}[i/4], []float64{1209, 1336, 1477, 1633}[i%4])
}
