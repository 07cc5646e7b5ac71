package call_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/hook"
	"hookswitch/hal/sim"
)

// A modem that can't tell the tones of a country, or a relay that dials in its place, leaves
// call progress to the board's own ears.
func TestTheBoardHearsWhatBecomesOfACall(t *testing.T) {
	tests := []struct {
		name, number string
		cause        call.Cause
		reason       string
		alerted      bool
		answer       string
	}{
		{"an answer after some rings", "5550130", call.None, "played to the end", true, "ringback"},
		{"busy", "5550131", call.UserBusy, "busy", false, ""},
		{"unobtainable", "5550132", call.Unavailable, "the network does not put the call through", false, ""},
		{"no answer", "5550133", call.NoAnswer, "no answer", true, ""},
		{"somebody who answers at once and speaks", "5550134", call.None, "played to the end", false, "assumed"},
	}
	numbers := map[string]sim.FarEnd{
		"5550130": {Rings: 3}, "5550131": {Busy: true}, "5550132": {Unobtainable: true}, "5550133": {Rings: -1},
		"5550134": {Says: speech(10 * time.Second)},
	}
	for c, country := range []string{"us", "uk", "fr", "es", "de", "au"} {
		for d, dials := range []string{"tones", "pulses"} {
			for i, tt := range tests {
				if testing.Short() && (c+d+i)%4 != 0 {
					continue
				}
				t.Run(strings.Join([]string{country, dials, tt.name}, " "), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						tones := sim.TonePlans[country]
						b := newBoardOn(t, sim.New(sim.Options{Numbers: numbers, Tones: &tones}), func(o *call.Options) {
							o.Lines[0].Tones = audio.PlanOf(country)
							if p := hook.PulseOf(country); dials == "pulses" {
								o.Lines[0].Pulse = &p
							}
						}, "fxo1")
						req := request(tt.number)
						info, states := b.until(t, b.start(t, req).ID, call.Disconnected)
						if info.Cause != tt.cause || info.Reason != tt.reason || info.Answer != tt.answer {
							t.Errorf("ended %+v", info)
						}
						alerted := false
						for _, s := range states {
							alerted = alerted || s == call.Alerted
						}
						if alerted != tt.alerted {
							t.Errorf("states %v", states)
						}
						if heard := b.hears("fxo1", req.Clip) > 0.98; heard != (tt.answer != "") {
							t.Errorf("message heard: %v", heard)
						}
						if t.Failed() {
							t.Log(b.lines["fxo1"].Log())
						}
					})
				})
			}
		}
	}
}

func TestTheBoardHearsThatThereIsNoDialTone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.Lines[0].Tones = audio.PlanOf("us") }, "fxo1")
		b.lines["fxo1"].Fault(sim.Faults{NoDialTone: true})
		info, _ := b.until(t, b.start(t, request("5550100")).ID, call.Disconnected)
		if info.Cause != call.Unavailable || !strings.Contains(info.Reason, "no dial tone") {
			t.Errorf("ended %+v", info)
		}
	})
}

func TestPulsesHaveNoStarAndHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) {
			o.Rules.Allow = []string{`\*xx`}
			o.Lines[0].Tones, o.Lines[0].Pulse = audio.PlanOf("us"), &hook.Pulse{Break: 60 * time.Millisecond, Make: 40 * time.Millisecond, Pause: 800 * time.Millisecond}
		}, "fxo1")
		info, _ := b.until(t, b.start(t, request("*21")).ID, call.Disconnected)
		if info.Cause != call.Unavailable || !strings.Contains(info.Reason, "pulses") {
			t.Errorf("ended %+v", info)
		}
	})
}

// While a greeting is recorded the modem sends what it hears, and need not know busy tone.
func TestTheBoardHearsThatTheFarEndHasHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var box greetingBox
		numbers := map[string]sim.FarEnd{"5550140": {Rings: 1, Says: speech(40 * time.Second), Keys: []sim.Key{{At: 12 * time.Second, Key: '2'}}, HangUp: 25 * time.Second}}
		b := newBoardOn(t, sim.New(sim.Options{Numbers: numbers}), func(o *call.Options) { o.Lines[0].Tones = audio.PlanOf("us") }, "fxo1")
		b.lines["fxo1"].Fault(sim.Faults{})
		info, _ := b.until(t, b.start(t, box.request("5550140", nil)).ID, call.Disconnected)
		if info.Reason != "the far end hung up" || box.kept != nil {
			t.Errorf("ended %+v, kept %v", info, box.kept.Duration())
		}
		if t.Failed() {
			t.Log(b.lines["fxo1"].Log())
		}
	})
}
