package audio_test

import (
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// sent gives c to an Echo in frames of 20 ms and counts how long key is in doubt for d.
func sent(c audio.Clip, key byte, d time.Duration) (doubt time.Duration) {
	const frame = 20 * time.Millisecond
	var e audio.Echo
	for now := time.Unix(0, 0); len(c) >= 160; c = c[160:] {
		now = now.Add(frame)
		e.Sent(c[:160], now)
		if e.Has(key, now, d) {
			doubt += frame
		}
	}
	return doubt
}

func TestEveryKeyThatCanComeBackIsKnownWhenItIsSent(t *testing.T) {
	const ms = time.Millisecond
	speech := audio.Prompt(audio.PromptMessage)
	for i, key := range []byte(allKeys) {
		mixed := scaled(speech[i*2000:i*2000+1600], 0.3)
		for j, s := range dual(key, 200*ms, -16, -14, 0)[:1600] {
			mixed[j] += s
		}
		for name, c := range map[string]audio.Clip{
			"a usual one":           dual(key, 100*ms, -10, -8, 0),
			"one of 25 ms":          join(silence(20*ms), dual(key, 25*ms, -10, -10, 0)),
			"very quiet":            dual(key, 100*ms, -40, -40, 0),
			"the high group weak":   dual(key, 100*ms, -8, -23, 0),
			"the low group weak":    dual(key, 100*ms, -23, -8, 0),
			"1.8 % off":             dual(key, 100*ms, -10, -10, 0.018),
			"noise 3 dB below":      noisy(dual(key, 200*ms, -13, -13, 0), -13),
			"somebody speaks in it": mixed,
		} {
			if sent(join(c, silence(100*ms)), key, time.Second) == 0 {
				t.Errorf("key %c, %s: not known", key, name)
			}
		}
	}
}

// In what a voice says, a key that is pressed is hardly ever in doubt.
func TestSpeechPutsNoKeyInDoubt(t *testing.T) {
	for _, prompt := range []string{audio.PromptMessage, audio.PromptKeys, audio.PromptGreetingMenu, audio.PromptMenu,
		audio.PromptPressOne, audio.PromptDeleteAgain} {
		c := audio.Prompt(prompt)
		for _, key := range []byte("1234567890*#") {
			if d := sent(c, key, 1200*time.Millisecond); d > c.Duration()/6 {
				t.Errorf("%s: %c is in doubt for %v of %v", prompt, key, d, c.Duration())
			}
		}
	}
}
