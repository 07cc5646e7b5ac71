package audio_test

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

func TestEveryPromptIsSpokenAtTheNominalLevel(t *testing.T) {
	files, err := os.ReadDir("prompts")
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".wav")
		if !ok {
			continue
		}
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
		c := audio.Prompt(name)
		if c.Duration() < 300*time.Millisecond || c.Duration() > 20*time.Second {
			t.Errorf("%s lasts %v", name, c.Duration())
		}
		if level := activeLevel(c); math.Abs(level+13) > 0.6 {
			t.Errorf("%s: %.1f dBm0", name, level)
		}
		if p := peak(c); p > 31100 {
			t.Errorf("%s: peak %d", name, p)
		}
	}
	if size > 400<<10 {
		t.Errorf("the prompts take %d KB", size>>10)
	}
}

func TestTestMessages(t *testing.T) {
	if d := audio.Prompt(audio.PromptMessage).Duration(); d < 8*time.Second || d > 12*time.Second {
		t.Errorf("the message lasts %v", d)
	}
	if d := audio.Prompt(audio.PromptShort).Duration(); d < 3*time.Second || d > 6*time.Second {
		t.Errorf("the second message lasts %v", d)
	}
}

func TestTheTonePromptEndsWithTheTone(t *testing.T) {
	c, beep := audio.Prompt(audio.PromptTone), audio.Beep()
	if !slices.Equal(c[len(c)-len(beep):], beep) {
		t.Error("no tone")
	}
	if p := part(beep, 1000); p < 0.9 || beep.Duration() < 300*time.Millisecond {
		t.Errorf("the tone lasts %v, %.2f of it at 1000 Hz", beep.Duration(), p)
	}
}

func TestKeyHelpNamesTheKeysThatAreConfigured(t *testing.T) {
	if c := audio.KeyHelp(nil); len(c) != 0 {
		t.Errorf("without keys: %v", c.Duration())
	}
	if c := audio.KeyHelp(map[string]string{"5": "an action that nobody knows", "A": "back"}); len(c) != 0 {
		t.Errorf("without keys that have a name: %v", c.Duration())
	}
	c := audio.KeyHelp(map[string]string{"1": "back", "33": "to-end", "#": "next"})
	want := join(
		audio.Prompt("next"), audio.Prompt("pound"), silence(250*time.Millisecond),
		audio.Prompt("back"), audio.Prompt("1"), silence(250*time.Millisecond),
		audio.Prompt("to-end"), audio.Prompt("3"), audio.Prompt("3"), silence(250*time.Millisecond))
	if !slices.Equal(c, want) {
		t.Errorf("got %v, want next pound, back one, to-end three three: %v", c.Duration(), want.Duration())
	}
}
