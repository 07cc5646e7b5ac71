package audio_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

const allKeys = "123A456B789C*0#D"

// hear gives c to a detector in pieces of n samples.
func hear(c audio.Clip, n int) string {
	var k audio.Keys
	pressed := ""
	for len(c) > 0 {
		m := min(n, len(c))
		pressed += string(k.Hear(c[:m]))
		c = c[m:]
	}
	return pressed
}

// dual is a key of our own making, not of DTMF's: levels of the low and the high tone, and
// by how much their frequencies are off.
func dual(key byte, d time.Duration, low, high, off float64) audio.Clip {
	i := strings.IndexByte(allKeys, key)
	a := audio.Tone([]float64{[]float64{697, 770, 852, 941}[i/4] * (1 + off)}, d, low)
	for j, s := range audio.Tone([]float64{[]float64{1209, 1336, 1477, 1633}[i%4] * (1 + off)}, d, high) {
		a[j] += s
	}
	return a
}

func duals(d, pause time.Duration, low, high, off float64) (c audio.Clip) {
	for i := range len(allKeys) {
		c = join(c, dual(allKeys[i], d, low, high, off), silence(pause))
	}
	return c
}

func TestKeysAreHeard(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name  string
		sound audio.Clip
		want  string
	}{
		{"pressed for a tenth of a second", audio.DTMF(allKeys, 100*ms, 100*ms), allKeys},
		{"as short as Q.24 has them", duals(40*ms, 40*ms, -10, -10, 0), allKeys},
		{"shorter than Q.24 has them", duals(22*ms, 60*ms, -10, -10, 0), ""},
		{"held for two seconds: once", audio.DTMF("5#", 2*time.Second, 50*ms), "5#"},
		{"the same key several times", audio.DTMF("33", 60*ms, 40*ms), "33"},
		{"one key after the other without a pause", audio.DTMF("159", 80*ms, 0), "159"},
		{"interrupted for 10 ms", join(audio.DTMF("7", 60*ms, 10*ms), audio.DTMF("7", 60*ms, 50*ms)), "7"},
		{"very quiet", duals(60*ms, 60*ms, -30, -30, 0), allKeys},
		{"as loud as can be", duals(60*ms, 60*ms, -3.5, -3.5, 0), allKeys},
		{"low group 8 dB above the high one", duals(60*ms, 60*ms, -8, -16, 0), allKeys},
		{"high group 6 dB above the low one", duals(60*ms, 60*ms, -14, -8, 0), allKeys},
		{"1.5 % too high", duals(60*ms, 60*ms, -10, -10, 0.015), allKeys},
		{"1.5 % too low", duals(60*ms, 60*ms, -10, -10, -0.015), allKeys},
		{"noise 15 dB below", noisy(duals(50*ms, 50*ms, -13, -13, 0), -25), allKeys},
		{"one tone only", join(audio.Tone([]float64{697}, 200*ms, -10), audio.Tone([]float64{1336}, 200*ms, -10)), ""},
		{"two tones of the low group", audio.Tone([]float64{697, 852}, 200*ms, -10), ""},
		{"ringback", audio.Tone([]float64{440, 480}, 2*time.Second, -13), ""},
		{"white noise", noisy(silence(5*time.Second), -10), ""},
		{"silence", silence(time.Second), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, piece := range []int{1, 7, 51, 160, 100000} {
				if got := hear(join(silence(50*ms), test.sound, silence(50*ms)), piece); got != test.want {
					t.Errorf("in pieces of %d samples: got %q, want %q", piece, got, test.want)
				}
			}
		})
	}
}

func TestKeysAreHeardWithin60Milliseconds(t *testing.T) {
	for i := range len(allKeys) {
		for shift := range 10 {
			c := join(silence(time.Duration(shift)*5*time.Millisecond), audio.DTMF(allKeys[i:i+1], time.Second, 0))
			var k audio.Keys
			at := 0
			for ; at < len(c) && k.Hear(c[at:at+8]) == nil; at += 8 {
			}
			if took := at/8 - shift*5; took > 60 {
				t.Errorf("key %c: %d ms", allKeys[i], took)
			}
		}
	}
}

func TestSpeechIsNoKey(t *testing.T) {
	for _, prompt := range []string{audio.PromptMessage, audio.PromptShort, audio.PromptKeys, audio.PromptGreetingMenu, audio.PromptMenu} {
		for _, gain := range []float64{0.1, 1} {
			if got := hear(scaled(audio.Prompt(prompt), gain), 160); got != "" {
				t.Errorf("%s: heard %q", prompt, got)
			}
		}
	}
	if got := hear(decodeFile(t, "testdata/speech.wav"), 160); got != "" {
		t.Errorf("speech.wav: heard %q", got)
	}
}

func TestKeysAreHeardOverTheEchoOfTheMessage(t *testing.T) {
	speech := audio.Prompt(audio.PromptMessage)
	for i, key := range []byte("1234567890*#") {
		c := scaled(speech[i*2000:i*2000+8000], 0.1) // an echo 20 dB down
		for j, s := range dual(key, 80*time.Millisecond, -10, -8, 0) {
			c[4000+j] += s
		}
		if got := hear(c, 160); got != string(key) {
			t.Errorf("key %c: heard %q", key, got)
		}
	}
}

// What others make we hear, what we make others hear.
func TestKeysAndOtherPrograms(t *testing.T) {
	dir := t.TempDir()
	sh(t, dir, `n=0; for pair in 697:1209 770:1336 852:1477 941:1633; do n=$((n+1));
		sox -n -r 8000 $n.wav synth 0.07 sine ${pair%:*} sine ${pair#*:} remix 1,2 gain -8 pad 0 0.07; done; sox 1.wav 2.wav 3.wav 4.wav sox.wav`)
	if got := hear(decodeFile(t, filepath.Join(dir, "sox.wav")), 160); got != "159D" {
		t.Errorf("of sox we hear %q, want 159D", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "ours.wav"), wav(8000, 1, audio.DTMF(allKeys, 80*time.Millisecond, 80*time.Millisecond)), 0o600); err != nil {
		t.Fatal(err)
	}
	heard := ""
	for line := range strings.Lines(string(sh(t, dir, "sox ours.wav -r 22050 up.wav; multimon-ng -q -t wav -a DTMF up.wav"))) {
		if key, ok := strings.CutPrefix(strings.TrimSpace(line), "DTMF: "); ok {
			heard += key
		}
	}
	if heard != allKeys {
		t.Errorf("of us multimon-ng hears %q, want %q", heard, allKeys)
	}
	sh(t, dir, "sox ours.wav -e gsm-full-rate g.wav")
	if got := hear(decodeFile(t, filepath.Join(dir, "g.wav")), 160); got != allKeys {
		t.Errorf("through a GSM codec we hear %q, want %q", got, allKeys)
	}
}

func TestToneHasItsFrequencyAndLevel(t *testing.T) {
	for _, level := range []float64{-3, -13, -40} {
		if got := dBm0(middle(audio.Tone([]float64{1000}, time.Second, level))); math.Abs(got-level) > 0.05 {
			t.Errorf("got %.2f dBm0, want %.0f", got, level)
		}
	}
	rising, c := 0, audio.Tone([]float64{1004}, 2*time.Second, -13)
	for i := 1; i < len(c); i++ {
		if c[i-1] < 0 && c[i] >= 0 {
			rising++
		}
	}
	if rising < 2007 || rising > 2008 {
		t.Errorf("got %d waves in two seconds, want 2008", rising)
	}
}
