package modem_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

// A line that rings is not seized: that would be to answer.
func TestALineThatRingsIsNotSeized(t *testing.T) {
	tests := []struct {
		name   string
		gsm    bool
		said   string
		caller string
	}{
		{"RING", false, "\r\nRING\r\n", ""},
		{"RING in voice mode", false, "\x10R", ""},
		{"caller id without RING", false, "\r\nDATE = 1127\r\nTIME = 0905\r\nNMBR = 8055554567\r\nNAME = JOHN DOE\r\n", "8055554567"},
		{"a date alone", false, "\r\nDATE=1127\r\n", ""},
		{"a number that is withheld", false, "\r\nNMBR=P\r\n", ""},
		{"RING of a mobile line", true, "\r\nRING\r\n", ""},
		{"+CRING and +CLIP", true, "\r\n+CRING: VOICE\r\n\r\n+CLIP: \"+49895551234\",145,,,\"\",0\r\n", "+49895551234"},
		{"+CLIP without quotes", true, "\r\n+CLIP:82882690,129,,,,0\r\n", "82882690"},
		{"+CLIP glued to RING", true, "\r\nRING+CLIP: \"5559876\",129\r\n", "5559876"},
		{"SIMCom's +CLCC", true, "\r\n+CLCC: 1,1,4,0,0,\"5559876\",129\r\n", "5559876"},
		{"Quectel's ^DSCI", true, "\r\n^DSCI: 1,1,4,0,5559876,129\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.gsm = tt.gsm
				if tt.gsm {
					f.onDial = says("stat 0")
				}
				m := start(t, f, map[bool]string{true: "gsm", false: "voice"}[tt.gsm])
				changed := m.Changed()
				f.say(tt.said)
				<-changed
				synctest.Wait()
				if caller, left := m.Ringing(); caller != tt.caller || left != 6*time.Second {
					t.Errorf("told %q for %v, want %q", caller, left, tt.caller)
				}
				time.Sleep(5900 * time.Millisecond)
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrRinging) {
					t.Errorf("dialled: %v", err)
				}
				if slices.ContainsFunc(f.received(), func(c string) bool { return strings.HasPrefix(c, "ATD") || c == "AT+VLS=1" }) {
					t.Errorf("the line was seized: %q", f.received())
				}
				time.Sleep(200 * time.Millisecond)
				answers(t, m)
				hangUp(t, m)
			})
		})
	}
}

// The RING of a call that comes in was lost: before a mobile line is dialled on it is asked.
func TestACallThatComesInIsFoundBeforeDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		m := start(t, f, "gsm")
		f.change(func() { f.calls = []string{`+CLCC: 1,1,4,0,0,"5559876",129`} })
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrRinging) {
			t.Errorf("dialled: %v", err)
		}
		if caller, _ := m.Ringing(); caller != "5559876" {
			t.Errorf("caller %q", caller)
		}
	})
}

// A module that refuses to dial because a call has just come in.
func TestAMobileLineThatBeginsToRingAsItIsDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		m := start(t, f, "gsm")
		f.change(func() { f.answer["ATD"] = "RING\r\n\r\n+CME ERROR: 3" })
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrRinging) {
			t.Errorf("got %v", err)
		}
		hangUp(t, m)
	})
}
