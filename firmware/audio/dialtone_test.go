package audio_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// segment is a part of a tone: its frequencies, none is silence, and ms.
type segment struct {
	hz []float64
	ms int
}

func tone(ms int, hz ...float64) segment { return segment{hz, ms} }

// segments is d of parts again and again, after those that come once.
func segments(level float64, d time.Duration, once, parts []segment) (c audio.Clip) {
	add := func(s segment) {
		if s.hz == nil {
			c = append(c, silence(time.Duration(s.ms)*time.Millisecond)...)
		} else {
			c = append(c, audio.Tone(s.hz, time.Duration(s.ms)*time.Millisecond, level)...)
		}
	}
	for _, s := range once {
		add(s)
	}
	for len(c) < int(d.Seconds()*audio.Rate) {
		for _, s := range parts {
			add(s)
		}
	}
	return c[:int(d.Seconds()*audio.Rate)]
}

// stutter is n bursts and pauses of ms.
func stutter(n, ms int, hz ...float64) (s []segment) {
	for range n {
		s = append(s, tone(ms, hz...), tone(ms))
	}
	return s
}

// steady is a tone without pauses.
func steady(hz ...float64) []segment { return []segment{tone(1000, hz...)} }

// modulated is a tone of hz whose level goes up and down mod times a second.
func modulated(hz, mod float64) []segment { return steady(hz-mod, hz, hz+mod) }

// specialDialTones are what exchanges give for dial tone where a message waits or calls are
// forwarded, after ITU-T E.180 Supplement 2 and the tables that PBXs come with.
var specialDialTones = []struct {
	country     string
	once, parts []segment
}{
	{"ar", nil, []segment{tone(450, 425), tone(50)}},
	{"at", nil, steady(380, 420)},
	{"au", nil, []segment{tone(100, 413, 438), tone(40)}},
	{"be", nil, []segment{tone(1000, 425), tone(250)}},
	{"bg", nil, []segment{tone(1500, 425), tone(100)}},
	{"br", nil, steady(350, 440)},
	{"ch", nil, []segment{tone(1100, 340, 425), tone(1100)}},
	{"cl", stutter(6, 100, 400), steady(400)},
	{"cn", nil, steady(425, 450)},
	{"cz", nil, []segment{tone(330, 425), tone(330), tone(660, 425), tone(660)}},
	{"cz", nil, []segment{tone(450, 425), tone(50)}},
	{"de", nil, steady(400, 425)},
	{"dk", nil, []segment{tone(450, 425), tone(50)}},
	{"ee", nil, []segment{tone(650, 425), tone(25)}},
	{"es", stutter(6, 100, 425), steady(425)},
	{"fi", nil, []segment{tone(650, 425), tone(25)}},
	{"fr", stutter(6, 100, 440), steady(440)},
	{"fr", nil, steady(330, 440)},
	{"gr", nil, []segment{tone(200, 425), tone(300), tone(700, 425), tone(800)}},
	{"gr", nil, []segment{tone(650, 425), tone(25)}},
	{"hu", nil, steady(350, 375, 400)},
	{"hu", nil, steady(425, 450)},
	{"il", stutter(10, 160, 414), steady(414)},
	{"in", stutter(6, 100, 350, 440), modulated(400, 25)},
	{"it", nil, []segment{tone(400, 470), tone(400, 425)}},
	{"jp", stutter(6, 100, 400), steady(400)},
	{"jp", stutter(3, 200, 400), steady(400)},
	{"lt", nil, []segment{tone(500, 425), tone(50)}},
	{"mx", stutter(6, 100, 350, 440), steady(425)},
	{"my", stutter(6, 100, 425), steady(425)},
	{"nl", nil, []segment{tone(500, 425), tone(50)}},
	{"no", nil, []segment{tone(400, 470), tone(400, 425)}},
	{"nz", stutter(6, 100, 400), steady(400)},
	{"ph", stutter(6, 100, 350, 440), steady(425)},
	{"pl", stutter(6, 100, 425), steady(425)},
	{"pl", nil, []segment{tone(500, 425), tone(50)}},
	{"pt", nil, []segment{tone(1000, 425), tone(200)}},
	{"ru", nil, []segment{tone(400, 425), tone(40)}},
	{"se", stutter(6, 100, 425), steady(425)},
	{"se", nil, []segment{tone(320, 425), tone(20)}},
	{"sg", nil, modulated(425, 24)},
	{"th", nil, modulated(400, 50)},
	{"th", nil, []segment{tone(400, 350, 400, 450), tone(100)}},
	{"uk", nil, []segment{tone(750, 350, 440), tone(750, 440)}},
	{"us", stutter(6, 100, 350, 440), steady(350, 440)},
	{"us", stutter(10, 100, 350, 440), steady(350, 440)},
	{"us", nil, stutter(1, 100, 350, 440)}, // some PBXs never stop
	{"us", stutter(3, 100, 350, 440), steady(350, 440)},
	{"za", nil, modulated(400, 33)},
	{"za", stutter(6, 100, 367, 400, 433), modulated(400, 33)},
	{"za", nil, steady(383, 417)},
	{"a country that is not listed", nil, []segment{tone(450, 425), tone(50)}},
	{"a country that is not listed", nil, []segment{tone(1000, 425), tone(250)}},
	{"a country that is not listed", nil, []segment{tone(100, 425), tone(30)}},
}

// eightBits is c as a modem delivers it that has 8 bits without companding.
func eightBits(c audio.Clip) audio.Clip {
	d := make(audio.Clip, len(c))
	for i, s := range c {
		d[i] = min(127, (s+128)>>8) << 8
	}
	return d
}

func TestSpecialDialTones(t *testing.T) {
	for _, test := range specialDialTones {
		for lead, level := range map[time.Duration]float64{200: -13, 231: -24} {
			if testing.Short() && lead == 200 {
				continue
			}
			c := join(silence(lead*time.Millisecond), segments(level, 5*time.Second, test.once, test.parts))
			for how, c := range map[string]audio.Clip{"hum": noisy(hummed(c, 50, -30), -58), "8 bits": eightBits(c)} {
				heard, events := progress(test.country, c[:5*audio.Rate], 160)
				if !strings.Contains(heard, "dial tone") || strings.Contains(heard, "voice") {
					t.Errorf("%s, %v %v, %s, at %.0f dBm0 after %d ms: heard %v", test.country, test.once, test.parts, how, level, lead, events)
				}
			}
		}
	}
}

// hums are half a minute of mains hum at 0 dBm0 by its frequency, as hummed makes it.
var hums = map[float64]audio.Clip{}

// hummed is c with the hum of a mains of hz, its harmonics weaker each by 6 dB and less.
func hummed(c audio.Clip, hz, level float64) audio.Clip {
	if hums[hz] == nil {
		h := make(audio.Clip, 30*audio.Rate)
		down := -6.0
		for n := 1.0; n <= 10; n++ {
			for i, s := range audio.Tone([]float64{n * hz}, h.Duration(), down) {
				h[i] += s
			}
			down -= map[bool]float64{true: 6, false: 2}[n <= 4]
		}
		hums[hz] = h
	}
	out := append(audio.Clip(nil), c...)
	gain := math.Pow(10, (level+6)/20)
	for i := range out {
		out[i] += int16(math.Round(gain * float64(hums[hz][i])))
	}
	return out
}

// What a plan has is heard as what it is, and as nothing else before.
func TestEachToneOfEachPlan(t *testing.T) {
	for i, country := range strings.Fields(countries) {
		for _, p := range audio.PlanOf(country) {
			if p.Hz == nil || testing.Short() && i%4 != 0 {
				continue
			}
			hz := make([]float64, len(p.Hz))
			for i, f := range p.Hz {
				hz[i] = float64(f)
			}
			c := join(silence(345*time.Millisecond), cadence(hz, -19, 8*time.Second, p.Cadence...))
			got, events := progress(country, noisy(hummed(c, 60, -36), -52), 160)
			same := country == "es" && p.Sound == audio.Busy && got == "congestion" // 200/200 both
			if got != string(p.Sound) && !same {
				t.Errorf("%s: %s %v %v: heard %v", country, p.Sound, p.Hz, p.Cadence, events)
			}
		}
	}
}

const countries = "ar at au be bg br ca ch cl cn cz de dk ee es fi fr gb gr hu il in it jp lt mx my nl no nz ph pl pt ru se sg th tw uk us ve za"
