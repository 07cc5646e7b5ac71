package audio_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

func TestLevel(t *testing.T) {
	tone := func(level float64) audio.Clip {
		return audio.Tone([]float64{440, 480}, 2*time.Second, level-3.01) // each of the two
	}
	speech := audio.Prompt(audio.PromptShort)
	for _, test := range []struct {
		name string
		in   audio.Clip
		want float64 // dBm0 of what is not silence
	}{
		{"a quiet tone is raised", tone(-40), -13},
		{"a loud tone is lowered", tone(-4), -13},
		{"a tone at the nominal level stays", tone(-13), -13},
		{"silence around a tone does not count", join(silence(3*time.Second), tone(-30), silence(time.Second)), -13},
		{"a very quiet tone is raised by no more than 30 dB", tone(-46), -16},
		{"noise stays as it is", noisy(silence(time.Second), -60), -60},
		{"quiet speech is raised", scaled(speech, 0.05), -13},
		{"speech recorded too loud is lowered", scaled(speech, 1.1), -13},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := slices.Clone(test.in)
			out := audio.Level(in)
			if !slices.Equal(in, test.in) {
				t.Error("the clip itself was changed")
			}
			if got := activeLevel(out); math.Abs(got-test.want) > 0.2 {
				t.Errorf("got %.2f dBm0, want %.1f", got, test.want)
			}
			if hi := peak(out); hi > 31100 {
				t.Errorf("peaks of %d", hi)
			}
		})
	}
}

func TestLevelKeepsTheShapeOfSpeech(t *testing.T) {
	speech := audio.Prompt(audio.PromptMessage)
	if r := correlation(speech, audio.Level(scaled(speech, 0.1))); r < 0.995 {
		t.Errorf("correlation %.4f with the original", r)
	}
}

func TestLevelLeavesSilenceAlone(t *testing.T) {
	for _, offset := range []int16{0, 1, -300} {
		in := silence(time.Second)
		for i := range in {
			in[i] = offset
		}
		if out := audio.Level(in); peak(out) != 0 {
			t.Errorf("silence with an offset of %d becomes %v …", offset, out[:4])
		}
	}
	if out := audio.Level(nil); len(out) != 0 {
		t.Errorf("nothing becomes %v", out)
	}
}

func TestLevelLimitsPeaksWithoutClipping(t *testing.T) {
	// Speech with bursts 20 dB above it: the mean rules the gain, the peaks have to fit.
	in := audio.Tone([]float64{300}, 2*time.Second, -30)
	for at := 4000; at < len(in); at += 4000 {
		copy(in[at:], audio.Tone([]float64{1000}, 20*time.Millisecond, 2))
	}
	out := audio.Level(in)
	if p := peak(out); p > 31100 {
		t.Errorf("peak %d", p)
	}
	flat := 0
	for i := 2; i < len(out); i++ {
		if out[i] == out[i-1] && out[i] == out[i-2] && (out[i] > 30000 || out[i] < -30000) {
			flat++
		}
	}
	if flat > 0 {
		t.Errorf("%d samples of flattened peaks", flat)
	}
}

func scaled(c audio.Clip, by float64) audio.Clip {
	out := make(audio.Clip, len(c))
	for i, s := range c {
		out[i] = int16(math.Max(-32768, math.Min(32767, math.Round(float64(s)*by))))
	}
	return out
}

func peak(c audio.Clip) (p int) {
	for _, s := range c {
		p = max(p, int(s), -int(s))
	}
	return p
}

// activeLevel is the mean level of the 20 ms stretches that are less than 16 dB below it.
func activeLevel(c audio.Clip) float64 {
	level := -200.0
	for range 20 {
		sum, n := 0.0, 0
		for stretch := range slices.Chunk(c, 160) {
			if l := dBm0(stretch); l > level-16 {
				sum += math.Pow(10, l/10)
				n++
			}
		}
		level = 10 * math.Log10(sum/float64(n))
	}
	return level
}
