package call

import (
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
)

func TestAPressIsTakenOnce(t *testing.T) {
	type told struct {
		ms  int
		by  source
		key byte
	}
	for _, test := range []struct {
		name string
		told []told
		want string
	}{
		{"twice by the modem alone", []told{{0, byModem, '7'}, {300, byModem, '7'}}, "77"},
		{"twice in the sound alone", []told{{0, inSound, '7'}, {300, inSound, '7'}}, "77"},
		{"once by both", []told{{0, inSound, '7'}, {380, byModem, '7'}}, "7"},
		{"once by both, the modem first", []told{{0, byModem, '7'}, {50, inSound, '7'}}, "7"},
		{"twice by both", []told{{0, inSound, '3'}, {100, byModem, '3'}, {300, inSound, '3'}, {400, byModem, '3'}}, "33"},
		{"twice by both, the modem late", []told{{0, inSound, '3'}, {300, inSound, '3'}, {350, byModem, '3'}, {650, byModem, '3'}}, "33"},
		{"twice, of which the modem has told one", []told{{0, inSound, '3'}, {300, inSound, '3'}, {400, byModem, '3'}}, "33"},
		{"two keys by both", []told{{0, inSound, '1'}, {100, inSound, '2'}, {150, byModem, '1'}, {300, byModem, '2'}}, "12"},
		{"once in the sound, once by the modem, far apart", []told{{0, inSound, '7'}, {500, byModem, '7'}}, "77"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p presses
				got, begin := "", time.Now()
				for _, k := range test.told {
					time.Sleep(time.Until(begin.Add(time.Duration(k.ms) * time.Millisecond)))
					if p.take(k.key, k.by) {
						got += string(k.key)
					}
				}
				if got != test.want {
					t.Errorf("took %q, want %q", got, test.want)
				}
			})
		})
	}
}

// A module may tell of a key when it is let go.
func TestAHeldKeyIsToldByTheModemAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p presses
		got := ""
		for c := audio.DTMF("5", 2*time.Second, 100*time.Millisecond); len(c) > 0; c = c[160:] {
			got += string(p.listen(c[:160]))
			time.Sleep(20 * time.Millisecond)
		}
		if p.take('5', byModem) {
			got += "5"
		}
		if got != "5" {
			t.Errorf("took %q, want it once", got)
		}
	})
}
