package audio_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// atLevel is c at a level in dBm0, measured where it sounds.
func atLevel(c audio.Clip, level float64) audio.Clip {
	sum, n := 0.0, 0
	for i := 0; i+160 <= len(c); i += 160 {
		if part := c[i : i+160]; dBm0(part) > -45 {
			sum += math.Pow(10, dBm0(part)/10)
			n++
		}
	}
	return scaled(c, math.Pow(10, (level-10*math.Log10(sum/float64(max(1, n))))/20))
}

func sum(a, b audio.Clip) audio.Clip {
	out := append(audio.Clip(nil), a...)
	for i := range min(len(a), len(b)) {
		out[i] = int16(max(math.MinInt16, min(math.MaxInt16, int(a[i])+int(b[i]))))
	}
	return out
}

// smooth is noise as codecs make it up for comfort: low frequencies above all.
func smooth(d time.Duration, level float64) audio.Clip {
	c, last := noisy(silence(d), -10), 0.0
	for i, s := range c {
		last += 0.3 * (float64(s) - last)
		c[i] = int16(last)
	}
	return atLevel(c, level)
}

// clicks come so many times a second.
func clicks(d time.Duration, rate int, ms int) audio.Clip {
	c := silence(d)
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < len(c); i += audio.Rate / rate {
		for j := i; j < min(len(c), i+ms*audio.Rate/1000); j++ {
			c[j] = int16(r.IntN(20000) - 10000)
		}
	}
	return c
}

func TestNoiseOfALineIsNoAnswer(t *testing.T) {
	const second = time.Second
	us := cadence([]float64{440, 480}, -20, 14*second, 2000, 4000)
	uk := cadence([]float64{400, 450}, -22, 14*second, 400, 200, 400, 2000)
	de := cadence([]float64{425}, -16, 14*second, 1000, 4000)
	rings := map[string]audio.Clip{"us": us, "uk": uk, "de": de}
	for name, noise := range map[string]audio.Clip{
		"hum of 50 Hz":           hummed(silence(14*second), 50, -30),
		"hum of 60 Hz":           hummed(silence(14*second), 60, -30),
		"hum of 100 Hz":          hummed(silence(14*second), 100, -38),
		"hum of 120 Hz":          hummed(silence(14*second), 120, -38),
		"hum of 50 Hz, 8 bits":   eightBits(hummed(silence(14*second), 50, -38)),
		"hum of 60 Hz, 8 bits":   eightBits(hummed(silence(14*second), 60, -30)),
		"pure 50 Hz, 8 bits":     eightBits(audio.Tone([]float64{50}, 14*second, -38)),
		"pure 100 Hz, 8 bits":    eightBits(audio.Tone([]float64{100}, 14*second, -34)),
		"buzz of 150 Hz":         audio.Tone([]float64{150, 250, 350}, 14*second, -42),
		"hiss, 8 bits":           eightBits(noisy(silence(14*second), -42)),
		"comfort noise, 8 bits":  eightBits(smooth(14*second, -42)),
		"a loud hum of 50 Hz":    hummed(silence(14*second), 50, -24),
		"hiss":                   noisy(silence(14*second), -38),
		"a loud hiss":            noisy(silence(14*second), -32),
		"hiss that begins later": join(silence(3*second), noisy(silence(11*second), -36)),
		"hiss that stops":        join(noisy(silence(3*second), -36), silence(second), noisy(silence(10*second), -40)),
		"comfort noise":          smooth(14*second, -38),
		"comfort noise, bursts":  join(silence(2700*time.Millisecond), smooth(second, -36), silence(second), smooth(300*time.Millisecond, -34), silence(9*second)),
		"crosstalk":              atLevel(join(audio.Prompt(audio.PromptMessage), audio.Prompt(audio.PromptShort)), -46),
		"few clicks":             clicks(14*second, 2, 10),
		"many clicks":            clicks(14*second, 12, 4),
		"dial pulses of others":  clicks(14*second, 10, 2),
	} {
		t.Run(name, func(t *testing.T) {
			for country, ring := range rings {
				if testing.Short() && country != "us" {
					continue
				}
				if got, events := progress(country, noise, 160); got != "" {
					t.Errorf("%s, alone: heard %v", country, events)
				}
				if got, events := progress(country, sum(ring, noise), 160); got != "ringback" {
					t.Errorf("%s, while it rings: heard %v", country, events)
				}
			}
		})
	}
}

func TestAnAnswerIsHeardOverTheNoiseOfALine(t *testing.T) {
	const second = time.Second
	hello := audio.Prompt(audio.PromptShort)
	for _, level := range []float64{-15, -24, -30} {
		for name, noise := range map[string]audio.Clip{
			"nothing":       silence(14 * second),
			"hum of 50 Hz":  hummed(silence(14*second), 50, -30),
			"hum of 60 Hz":  hummed(silence(14*second), 60, -30),
			"comfort noise": smooth(14*second, -46),
			"hiss":          noisy(silence(14*second), -46),
			"8 bits":        nil,
			"clicks":        clicks(14*second, 2, 4),
		} {
			line := sum(join(cadence([]float64{440, 480}, -20, 9*second, 2000, 4000), atLevel(hello, level)), noise)
			if noise == nil {
				line = eightBits(line)
			}
			got, events := progress("us", line, 160)
			if got != "ringback, voice" {
				t.Errorf("%.0f dBm0 over %s: heard %v", level, name, events)
			} else if at := events[1].At; at < 9*second || at > 10*second {
				t.Errorf("%.0f dBm0 over %s: heard at %v", level, name, at)
			}
		}
	}
}

func TestMachinesAnswer(t *testing.T) {
	ring := cadence([]float64{440, 480}, -20, 9*time.Second, 2000, 4000)
	for name, c := range map[string]audio.Clip{
		"a fax machine, 2100 Hz":             audio.Tone([]float64{2100}, 3*time.Second, -20),
		"a fax machine over the hum of 50":   hummed(audio.Tone([]float64{2100}, 3*time.Second, -25), 50, -30),
		"a fax machine's, with turned phase": join(audio.Tone([]float64{2100}, 450*time.Millisecond, -20), audio.Tone([]float64{2100}, 450*time.Millisecond, -20)),
	} {
		if got, events := progress("us", join(ring, c, silence(500*time.Millisecond)), 160); got != "ringback, voice" {
			t.Errorf("%s: heard %v", name, events)
		}
	}
}
