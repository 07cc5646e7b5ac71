package audio_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// cadence is a tone as an exchange sends it: frequencies, then ms on, off, on …
func cadence(hz []float64, level float64, d time.Duration, ms ...int) (c audio.Clip) {
	if len(ms) == 0 {
		return audio.Tone(hz, d, level)
	}
	for i := 0; len(c) < int(d.Seconds()*audio.Rate); i++ {
		part := time.Duration(ms[i%len(ms)]) * time.Millisecond
		if i%2 == 0 {
			c = append(c, audio.Tone(hz, part, level)...)
		} else {
			c = append(c, silence(part)...)
		}
	}
	return c[:int(d.Seconds()*audio.Rate)]
}

// progress says what is heard in c: "ringback, voice".
func progress(country string, c audio.Clip, piece int) (sounds string, events []audio.Event) {
	p := audio.NewProgress(audio.PlanOf(country))
	for len(c) > 0 {
		n := min(piece, len(c))
		events = append(events, p.Hear(c[:n])...)
		c = c[n:]
	}
	var names []string
	for _, e := range events {
		names = append(names, string(e.Sound))
	}
	return strings.Join(names, ", "), events
}

// As ITU-T E.180 Supplement 2 lists them.
var tones = []struct {
	country, sound string
	hz             []float64
	ms             []int
	within         time.Duration // since it began
}{
	{"us", "dial tone", []float64{350, 440}, nil, time.Second},
	{"us", "ringback", []float64{440, 480}, []int{2000, 4000}, 4 * time.Second},
	{"us", "busy", []float64{480, 620}, []int{500, 500}, 3 * time.Second},
	{"us", "congestion", []float64{480, 620}, []int{250, 250}, 2 * time.Second},
	{"uk", "dial tone", []float64{350, 440}, nil, time.Second},
	{"uk", "ringback", []float64{400, 450}, []int{400, 200, 400, 2000}, 3 * time.Second},
	{"uk", "busy", []float64{400}, []int{375, 375}, 2 * time.Second},
	{"uk", "congestion", []float64{400}, []int{400, 350, 225, 525}, 3 * time.Second},
	{"fr", "dial tone", []float64{440}, nil, 2500 * time.Millisecond},
	{"fr", "ringback", []float64{440}, []int{1500, 3500}, 4 * time.Second},
	{"fr", "busy", []float64{440}, []int{500, 500}, 3 * time.Second},
	{"fr", "congestion", []float64{440}, []int{250, 250}, 2 * time.Second},
	{"es", "dial tone", []float64{425}, nil, 2500 * time.Millisecond},
	{"es", "ringback", []float64{425}, []int{1500, 3000}, 4 * time.Second},
	{"es", "busy", []float64{425}, []int{200, 200}, 2 * time.Second},
	{"es", "congestion", []float64{425}, []int{200, 200, 200, 200, 200, 600}, 4 * time.Second},
	{"de", "dial tone", []float64{425}, nil, 2500 * time.Millisecond},
	{"de", "ringback", []float64{425}, []int{1000, 4000}, 4 * time.Second},
	{"de", "busy", []float64{425}, []int{480, 480}, 3 * time.Second},
	{"de", "congestion", []float64{425}, []int{240, 240}, 2 * time.Second},
	{"au", "dial tone", []float64{413, 438}, nil, 2 * time.Second},
	{"au", "ringback", []float64{400, 450}, []int{400, 200, 400, 2000}, 3 * time.Second},
	{"au", "ringback", []float64{413, 438}, []int{400, 200, 400, 2000}, 3 * time.Second},
	{"au", "busy", []float64{425}, []int{375, 375}, 2 * time.Second},
	{"it", "dial tone", []float64{425}, []int{200, 200, 600, 1000}, 5 * time.Second},
	{"jp", "ringback", []float64{384, 416}, []int{1000, 2000}, 3 * time.Second},
	{"se", "congestion", []float64{425}, []int{250, 750}, 3 * time.Second},
	{"a country that is not listed", "ringback", []float64{425}, []int{1250, 3750}, 4 * time.Second},
	{"a country that is not listed", "busy", []float64{450}, []int{330, 330}, 3 * time.Second},
	{"us", "ringback", []float64{400, 450}, []int{400, 200, 400, 2000}, 4 * time.Second}, // a call abroad
	{"de", "ringback", []float64{440, 480}, []int{2000, 4000}, 5 * time.Second},
}

func TestTonesOfEachCountry(t *testing.T) {
	for _, test := range tones {
		t.Run(fmt.Sprintf("%s %s %v", test.country, test.sound, test.hz), func(t *testing.T) {
			t.Parallel()
			for lead, level := range map[time.Duration]float64{0: -20, 333 * time.Millisecond: -8, time.Second: -32} {
				if testing.Short() && lead != time.Second {
					continue
				}
				c := join(silence(lead), cadence(test.hz, level-3, 12*time.Second, test.ms...))
				got, events := progress(test.country, noisy(c, -58), 160)
				if got != test.sound {
					t.Errorf("at %.0f dBm0: heard %v", level, events)
					continue
				}
				if took := events[0].At - lead; took > test.within {
					t.Errorf("at %.0f dBm0: heard it after %v, want within %v", level, took, test.within)
				}
			}
		})
	}
}

func TestTonesAreTheSameInPiecesOfAnySize(t *testing.T) {
	c := join(cadence([]float64{440, 480}, -20, 9*time.Second, 2000, 4000), audio.Prompt(audio.PromptShort),
		cadence([]float64{480, 620}, -20, 5*time.Second, 500, 500))
	want, events := progress("us", c, len(c))
	if want != "ringback, voice, busy" {
		t.Fatalf("heard %v", events)
	}
	for _, piece := range []int{1, 33, 160, 161, 5000} {
		if got, _ := progress("us", c, piece); got != want {
			t.Errorf("in pieces of %d: %q, want %q", piece, got, want)
		}
	}
}

func TestTonesDistortedByTheNetwork(t *testing.T) {
	dir := t.TempDir()
	for _, test := range tones[:8] {
		c := noisy(join(silence(500*time.Millisecond), cadence(test.hz, -18, 12*time.Second, test.ms...)), -45)
		writeFile(t, dir, "in.wav", wav(8000, 1, c))
		sh(t, dir, "sox -D in.wav -e gsm-full-rate out.wav bandpass 1700 2800h")
		if got, events := progress(test.country, decodeFile(t, dir+"/out.wav"), 160); got != test.sound {
			t.Errorf("%s %s: heard %v", test.country, test.sound, events)
		}
	}
}

func TestAnswer(t *testing.T) {
	us := func(d time.Duration) audio.Clip { return cadence([]float64{440, 480}, -20, d, 2000, 4000) }
	uk := func(d time.Duration) audio.Clip {
		return cadence([]float64{400, 450}, -20, d, 400, 200, 400, 2000)
	}
	hello := audio.Prompt(audio.PromptShort)
	const second = time.Second
	for _, test := range []struct {
		name, country string
		line          audio.Clip
		want          string
		from, to      time.Duration // when the last sound is told
	}{
		{"a voice between two rings", "us", join(us(4*second), hello), "ringback, voice", 4 * second, 5 * second},
		{"a voice in the middle of a ring", "us", join(us(7*second), hello), "ringback, voice", 7 * second, 8 * second},
		{"a voice without any ring", "us", join(silence(second), hello), "voice", second, 2 * second},
		{"a voice in the middle of the first ring", "us", join(us(second), hello), "voice", second, 2 * second},
		{"silence in the middle of a ring", "us", join(us(7*second), silence(10*second)), "ringback, ringback ended", 8 * second, 10 * second},
		{"silence between two rings", "us", join(us(9*second), silence(10*second)), "ringback, ringback ended", 12 * second, 14 * second},
		{"silence between the two bursts of a ring", "uk", join(uk(3500*time.Millisecond), silence(9*second)), "ringback, ringback ended", 4500 * time.Millisecond, 7 * second},
		{"rings for ever", "us", us(60 * second), "ringback", 0, 4 * second},
		{"rings for ever on a noisy line", "uk", noisy(uk(60*second), -47), "ringback", 0, 4 * second},
		{"the far end hangs up", "us", join(us(4*second), hello, silence(second), cadence([]float64{480, 620}, -20, 10*second, 500, 500)), "ringback, voice, busy", 9 * second, 14 * second},
		{"the exchange gives dial tone again", "uk", join(uk(4*second), hello, silence(second), audio.Tone([]float64{350, 440}, 5*second, -15)), "ringback, voice, dial tone", 9 * second, 13 * second},
		{"number unobtainable", "us", join(silence(second), sit(950, 1400, 1800, 330), hello), "special information tones, voice", 2 * second, 4 * second},
		{"number unobtainable, with North American frequencies", "us", join(sit(913.8, 1370.6, 1776.7, 276), silence(second)), "special information tones", 0, 2 * second},
		{"two beeps, which are not yet a busy tone", "us", join(silence(second), cadence([]float64{480, 620}, -20, 1900*time.Millisecond, 500, 500), hello), "voice", 3 * second, 4 * second},
		{"the tones in another order", "us", join(sit(1800, 1400, 950, 330), silence(second)), "", 0, 0},
		{"clicks", "us", join(silence(second), noisy(silence(40*time.Millisecond), -10), silence(second), noisy(silence(20*time.Millisecond), -5), silence(second)), "", 0, 0},
		{"nothing", "us", silence(20 * second), "", 0, 0},
		{"line noise", "us", noisy(silence(20*second), -50), "", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, events := progress(test.country, test.line, 160)
			if got != test.want {
				t.Fatalf("heard %v, want %q", events, test.want)
			}
			if len(events) > 0 {
				if at := events[len(events)-1].At; at < test.from || at > test.to {
					t.Errorf("told at %v, want between %v and %v", at, test.from, test.to)
				}
			}
		})
	}
}

func sit(a, b, c float64, ms int) audio.Clip {
	d := time.Duration(ms) * time.Millisecond
	return join(audio.Tone([]float64{a}, d, -20), audio.Tone([]float64{b}, d, -20), audio.Tone([]float64{c}, d, -20))
}

func TestSpeechIsNoTone(t *testing.T) {
	for _, country := range []string{"us", "uk", "de", "nowhere"} {
		for _, prompt := range []string{audio.PromptMessage, audio.PromptKeys, audio.PromptGreetingMenu} {
			if got, events := progress(country, audio.Prompt(prompt), 160); got != "voice" {
				t.Errorf("%s, %s: heard %v", country, prompt, events)
			}
		}
	}
}
