package call_test

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

// A stranger rings a line. Nothing is dialled on it until it has been quiet for 6 s.
func TestALineThatRingsTakesNoCall(t *testing.T) {
	for _, name := range []string{"fxo1", "bare1", "gsm1"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				b := newBoard(t, func(o *call.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }, name)
				b.lines[name].Call(sim.Caller{Number: "5559876", GiveUp: 2})
				time.Sleep(3 * time.Second)
				if l := b.line(name); l.State != "ringing" || !strings.Contains(l.Fault, "ringing") || l.Hook != "on-hook" {
					t.Errorf("the line that rings: %+v", l)
				}
				if _, err := b.Start(request("5550106")); !errors.Is(err, call.ErrRinging) {
					t.Errorf("Start: %v", err)
				}
				for b.line(name).State == "ringing" {
					<-b.Changed()
				}
				if dialled := strings.Contains(b.lines[name].Log(), "ATD"); dialled {
					t.Error("dialled on a line that rang")
				}
				b.serves(t)
				_ = b.Close()
				if strings.Count(log.String(), "line rings") == 0 || name == "gsm1" && !strings.Contains(log.String(), "caller=5559876") {
					t.Errorf("logged %s", log.String())
				}
			})
		})
	}
}

func TestAnotherLineIsChosenForOneThatRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1", "gsm1")
		b.lines["fxo1"].Call(sim.Caller{GiveUp: 3})
		time.Sleep(3 * time.Second)
		info, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected)
		if info.Line != "gsm1" || info.Cause != call.None {
			t.Errorf("%+v", info)
		}
	})
}

func TestACallWaitsInTheQueueForALineThatRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.Queue = 1 }, "bare1")
		b.lines["bare1"].Call(sim.Caller{GiveUp: 1})
		time.Sleep(3 * time.Second)
		begin := time.Now()
		info, states := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected)
		if info.Cause != call.None || !slices.Contains(states, call.Connected) {
			t.Errorf("%+v, %v", info, states)
		}
		if waited := info.Answered.Sub(begin); waited < 3*time.Second {
			t.Errorf("answered %v after the request, while it rang", waited)
		}
	})
}

// The line begins to ring when the call has it already, and has not been dialled yet.
func TestALineThatBeginsToRingAtTheLastMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "bare1")
		b.lines["bare1"].Call(sim.Caller{GiveUp: 1})
		info, err := b.Start(request("5550106")) // the modem has not said RING yet
		if err != nil {
			t.Fatal(err)
		}
		info, _ = b.until(t, info.ID, call.Disconnected)
		if info.Cause != call.Unavailable || info.SIPCode != 503 || info.Reason != "the line is ringing" {
			t.Errorf("%+v", info)
		}
	})
}

// A technician's test would answer, too.
func TestALineThatRingsIsNotTested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "bare1")
		b.lines["bare1"].Call(sim.Caller{GiveUp: 1})
		time.Sleep(3 * time.Second)
		lent, err := b.Lend("bare1")
		if err != nil {
			t.Fatal(err)
		}
		defer lent.Return()
		var found []call.Finding
		if err := lent.Test(t.Context(), audio.Plan{}, func(f call.Finding) { found = append(found, f) }); err != nil {
			t.Error(err)
		}
		last := found[len(found)-1]
		if last.OK || !strings.Contains(last.Says, "ringing") || b.lines["bare1"].OffHook() {
			t.Errorf("found %+v", found)
		}
	})
}
