package modem

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
		if v.ID >= 0 || v.Coding != "" {
			_, _, _ = v.override([]Format{{ID: 1, Name: "UNSIGNED PCM", Bits: 8, Rates: []Rate{{8000, 8000}}}})
		}
	})
}

func FuzzTriesLeft(f *testing.F) {
	for _, s := range []string{"+CPINR: SIM PIN,3,3", "+SPIC: 3,10,3,10", `+QPINC: "SC",3,10`, "^CPIN: SIM PIN,3,10,3,10,3", "+SPIC:", "+SPIC: 99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for _, q := range triesQuestions {
			if n := q.parse(line); n < -1 || n > 10 {
				t.Errorf("%q: %d tries by %s", line, n, q.cmd)
			}
		}
	})
}
