package audio

import (
	"math"
	"strings"
	"time"
)

// Frequencies of push-button signals, ITU-T Q.23.
var (
	lowGroup  = [4]float64{697, 770, 852, 941}
	highGroup = [4]float64{1209, 1336, 1477, 1633}
)

// digits are the keys, a row of the keypad after the other.
const digits = "123A456B789C*0#D"

// Tone is a sum of sine waves of these frequencies in Hz, each of this level in dBm0.
func Tone(freqs []float64, d time.Duration, level float64) Clip {
	c := make(Clip, samples(d))
	ramp := min(Rate/500, len(c)/2) // 2 ms: no click
	for i := range c {
		sum := 0.0
		for _, f := range freqs {
			sum += math.Sin(2 * math.Pi * f / Rate * float64(i))
		}
		sum *= amplitude(level)
		if edge := min(i, len(c)-1-i); edge < ramp {
			sum *= (1 - math.Cos(math.Pi*float64(edge)/float64(ramp))) / 2
		}
		c[i] = round16(float32(sum))
	}
	return c
}

// Beep is the tone after which one speaks.
func Beep() Clip { return Tone([]float64{1000}, 400*time.Millisecond, -16) }

// DTMF is the sound of these keys, each pressed for on with a pause of off after it, the
// high group 2 dB above the low one. What is no key is left out.
func DTMF(keys string, on, off time.Duration) Clip {
	var c Clip
	for _, key := range keys {
		i := strings.IndexRune(digits, key)
		if i < 0 {
			continue
		}
		low := Tone([]float64{lowGroup[i/4]}, on, -10)
		high := Tone([]float64{highGroup[i%4]}, on, -8)
		for j := range low {
			low[j] += high[j]
		}
		c = append(c, low...)
		c = append(c, make(Clip, samples(off))...)
	}
	return c
}

// samples is how many of them make d.
func samples(d time.Duration) int { return int(int64(d) * Rate / int64(time.Second)) }
