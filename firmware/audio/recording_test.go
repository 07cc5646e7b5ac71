package audio_test

import (
	"slices"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

func TestTrim(t *testing.T) {
	speech := audio.Prompt(audio.PromptShort) // ends with 0.1 s of silence
	spoken := speech.Duration() - 100*time.Millisecond
	const second = time.Second
	for _, test := range []struct {
		name string
		in   audio.Clip
		want time.Duration
	}{
		{"silence at the end", join(speech, silence(5*second)), spoken},
		{"noise at the end", noisy(join(speech, silence(5*second)), -52), spoken},
		{"a key at the end", join(speech, audio.DTMF("#", 200*time.Millisecond, 0)), spoken},
		{"a key, then silence", join(speech, silence(second), audio.DTMF("#", 150*time.Millisecond, second)), spoken},
		{"the beginning of a key, as a modem leaves it", join(speech, audio.DTMF("#", 30*time.Millisecond, 0)), spoken},
		{"two keys", join(speech, audio.DTMF("##", 100*time.Millisecond, 100*time.Millisecond)), spoken},
		{"a key on a noisy line", noisy(join(speech, silence(second), audio.DTMF("5", 200*time.Millisecond, 0)), -45), spoken},
		{"a key before the speech stays", join(audio.DTMF("1", 200*time.Millisecond, second), speech), 1200*time.Millisecond + spoken},
		{"nothing to trim", speech, spoken},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := audio.Trim(test.in)
			if d := got.Duration() - test.want; d < -60*time.Millisecond || d > 300*time.Millisecond {
				t.Errorf("%v of sound, want %v and a breath", got.Duration(), test.want)
			}
			if !slices.Equal(got, test.in[:len(got)]) {
				t.Error("more was changed than the length")
			}
		})
	}
}

func TestTrimLeavesNothingOfNothing(t *testing.T) {
	for name, in := range map[string]audio.Clip{
		"nothing": nil, "silence": silence(3 * time.Second), "noise": noisy(silence(3*time.Second), -50),
		"a key alone": join(silence(time.Second), audio.DTMF("#", 300*time.Millisecond, time.Second)),
	} {
		if got := audio.Trim(in); got != nil {
			t.Errorf("%s: %v are left", name, got.Duration())
		}
	}
}

func TestSilence(t *testing.T) {
	speech := audio.Prompt(audio.PromptMessage)
	const second = time.Second
	for _, test := range []struct {
		name string
		in   audio.Clip
		want time.Duration
	}{
		{"from the start", silence(3 * second), 3 * second},
		{"after speech", join(speech, silence(3*second)), 3 * second},
		{"on a noisy line", noisy(join(speech, silence(3*second)), -48), 3 * second},
		{"on a very noisy line", noisy(join(speech, silence(3*second)), -38), 3 * second},
		{"with a click in it", join(speech, silence(2*second), noisy(silence(20*time.Millisecond), -10), silence(second)), 3 * second},
		{"while somebody speaks", speech[:len(speech)-1600], 0},
		{"after speech began again", join(speech, silence(3*second), speech[:16000]), 0},
		{"while somebody speaks softly", scaled(speech[:len(speech)-1600], 0.06), 0},
		{"with a tone", audio.Tone([]float64{1000}, 5*second, -20), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, piece := range []int{1, 100, 160, 5000} {
				var s audio.Silence
				var got time.Duration
				for c := range slices.Chunk(test.in, piece) {
					got = s.Hear(c)
				}
				if d := got - test.want; d < -100*time.Millisecond || d > 200*time.Millisecond {
					t.Errorf("in pieces of %d: quiet for %v, want %v", piece, got, test.want)
				}
			}
		})
	}
}

func TestSpeechWithPausesIsNotFiveSecondsOfSilence(t *testing.T) {
	for _, prompt := range []string{audio.PromptMessage, audio.PromptKeys, audio.PromptGreetingMenu} {
		var s audio.Silence
		for c := range slices.Chunk(noisy(scaled(audio.Prompt(prompt), 0.2), -55), 160) {
			if q := s.Hear(c); q > time.Second {
				t.Fatalf("%s: quiet for %v", prompt, q)
			}
		}
	}
}
