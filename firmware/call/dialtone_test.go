package call_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

// exchangeTone is a cadence of the exchange: frequencies, then ms on, off, on …
func exchangeTone(hz []float64, ms ...int) (t sim.Tone) {
	if len(ms) == 0 {
		return sim.Tone{{Hz: hz}}
	}
	for i, n := range ms {
		s := sim.Segment{For: time.Duration(n) * time.Millisecond}
		if i%2 == 0 {
			s.Hz = hz
		}
		t = append(t, s)
	}
	return t
}

// The exchange gives another dial tone where calls are forwarded or a message waits, and may
// speak first; the line may hum.
func TestTheBoardDialsOnWhateverInvitesItTo(t *testing.T) {
	for _, test := range []struct {
		name, country, like string // like is the country of the other tones
		dial                sim.Tone
		announces           []int16
		hum                 bool
		state               string
	}{
		{"forwarded, Australia", "au", "au", exchangeTone([]float64{413, 438}, 100, 40), nil, false, ""},
		{"a message waits, Argentina", "ar", "de", exchangeTone([]float64{425}, 450, 50), nil, true, ""},
		{"forwarded, Belgium", "be", "de", exchangeTone([]float64{425}, 1000, 250), nil, false, ""},
		{"forwarded, Bulgaria", "bg", "de", exchangeTone([]float64{425}, 1500, 100), nil, true, ""},
		{"forwarded, Austria", "at", "de", exchangeTone([]float64{380, 420}), nil, false, ""},
		{"a message waits, North America, for ever", "us", "us", exchangeTone([]float64{350, 440}, 100, 100), nil, true, ""},
		{"an announcement first", "us", "us", exchangeTone([]float64{350, 440}), audio.Prompt(audio.PromptMessage), false, ""},
		{"the line hums", "us", "us", exchangeTone([]float64{350, 440}), nil, true, ""},
		{"busy tone", "us", "us", exchangeTone([]float64{480, 620}, 500, 500), nil, false, "no dial tone"},
		{"nothing but hum", "us", "us", exchangeTone(nil, 0, 1000), nil, true, "no dial tone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tones := sim.TonePlans[test.like]
				tones.Dial, tones.Announces = test.dial, test.announces
				if test.country == "be" {
					tones.Ringback = exchangeTone([]float64{425}, 1000, 3000)
				}
				x := sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550180": {Rings: 2}}, Tones: &tones})
				b := newBoardOn(t, x, func(o *call.Options) { o.Lines[0].Tones = audio.PlanOf(test.country) }, "fxo1")
				b.lines["fxo1"].Fault(sim.Faults{Hum: test.hum})
				req := request("5550180")
				info, _ := b.until(t, b.start(t, req).ID, call.Disconnected)
				if dialled := info.Reason == "played to the end"; dialled != (test.state == "") {
					t.Fatalf("ended %+v", info)
				}
				if test.state == "" && (info.Answer != "ringback" || b.hears("fxo1", req.Clip) < 0.98) {
					t.Errorf("answer %s; heard %.2f", info.Answer, b.hears("fxo1", req.Clip))
				}
			})
		})
	}
}

// A ringback that is none of the country's is a guess, and so is the answer when it ends.
func TestAnAnswerIsAsSureAsTheRingbackBeforeIt(t *testing.T) {
	for country, want := range map[string]string{"fr": "ringback", "a country that is not listed": "assumed", "us": "assumed"} {
		synctest.Test(t, func(t *testing.T) {
			tones := sim.TonePlans["fr"]
			x := sim.New(sim.Options{Tones: &tones, Numbers: map[string]sim.FarEnd{"5550183": {Rings: 2}}})
			b := newBoardOn(t, x, func(o *call.Options) { o.Lines[0].Tones = audio.PlanOf(country) }, "fxo1")
			info, states := b.until(t, b.start(t, request("5550183")).ID, call.Disconnected)
			if info.Answer != want || !slices.Contains(states, call.Alerted) {
				t.Errorf("%s: answer %q, states %v, %s; want %q", country, info.Answer, states, info.Reason, want)
			}
		})
	}
}

// Hum was taken for a voice, and the call was "answered" while it still rang, or was busy.
func TestHumIsNoAnswer(t *testing.T) {
	for number, want := range map[string]call.Cause{"5550181": call.NoAnswer, "5550182": call.UserBusy} {
		synctest.Test(t, func(t *testing.T) {
			tones := sim.TonePlans["uk"]
			x := sim.New(sim.Options{Tones: &tones, Numbers: map[string]sim.FarEnd{"5550181": {Rings: -1}, "5550182": {Busy: true}}})
			b := newBoardOn(t, x, func(o *call.Options) { o.Lines[0].Tones = audio.PlanOf("uk") }, "fxo1")
			b.lines["fxo1"].Fault(sim.Faults{Hum: true})
			if info, _ := b.until(t, b.start(t, request(number)).ID, call.Disconnected); info.Cause != want {
				t.Errorf("ended %+v, want %s", info, want)
			}
		})
	}
}
