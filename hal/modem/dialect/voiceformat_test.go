package dialect

import (
	"fmt"
	"testing"
)

func FuzzParseVoiceFormat(f *testing.F) {
	for _, s := range []string{"131 ulaw", "131", "ulaw", "", "128 signed8", "256 alaw", " 1  ima-adpcm "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseVoiceFormat(s)
		if err != nil {
			return
		}
		text := v.Coding
		if v.ID >= 0 {
			text = fmt.Sprintf("%d %s", v.ID, v.Coding)
		}
		if again, err := ParseVoiceFormat(text); err != nil || again != v {
			t.Errorf("%q: %+v is read back as %+v, %v", s, v, again, err)
		}
	})
}

func TestVoiceFormatsThatAreNone(t *testing.T) {
	for _, text := range []string{"mp3", "131 mp3", "ulaw 131", "131 ulaw alaw", "-1", "256", "131,ulaw"} {
		if v, err := ParseVoiceFormat(text); err == nil {
			t.Errorf("%q is taken for %+v", text, v)
		}
	}
}
