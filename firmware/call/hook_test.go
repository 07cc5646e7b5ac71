package call_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/hal"
	"hookswitch/hal/sim"
)

func TestCurrentThatFlowsOnIsToldUntilItStops(t *testing.T) {
	for name, fault := range map[string]sim.Faults{
		"a stuck contact and a deaf modem": {Stuck: true, Deaf: true},
		"somebody else on the line":        {Flows: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t, nil, "fxo1")
				id := b.start(t, long("5550100")).ID
				b.until(t, id, call.Connected)
				b.lines["fxo1"].Fault(fault)
				for _, limit := range []time.Duration{time.Second, 0, 0} {
					if err := b.hangsUp(t, id, limit); !errors.Is(err, call.ErrOnHook) || !strings.Contains(err.Error(), "current") {
						t.Errorf("Disconnect: %v", err)
					}
					time.Sleep(20 * time.Second)
				}
				if l := b.line("fxo1"); l.Hook != "off-hook" || !strings.Contains(l.Fault, "current flows") {
					t.Errorf("the line: %+v", l)
				}
				_, err := b.Start(request("5550106"))
				if !errors.Is(err, call.ErrFault) || !strings.Contains(err.Error(), "current flows") {
					t.Errorf("a call on that line: %v", err)
				}
				b.lines["fxo1"].Fault(sim.Faults{})
				info, _ := b.until(t, id, call.Disconnected)
				if info.Cause != call.None || info.Reason != "disconnected by the user" {
					t.Errorf("at the end: %+v", info)
				}
				time.Sleep(time.Minute)
				b.serves(t)
			})
		})
	}
}

// A contact that is stuck is no danger where the modem hangs up, and is found out at the next call.
func TestAStuckContactAndAGoodModem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1")
		id := b.start(t, long("5550100")).ID
		b.until(t, id, call.Connected)
		b.lines["fxo1"].Fault(sim.Faults{Stuck: true})
		if err := b.hangsUp(t, id, time.Second); err != nil || b.lines["fxo1"].OffHook() {
			t.Errorf("Disconnect: %v, off-hook %v", err, b.lines["fxo1"].OffHook())
		}
		b.lines["fxo1"].Fault(sim.Faults{})
	})
}

func TestCurrentWithoutACallPutsTheLineInFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1")
		time.Sleep(time.Minute)
		b.lines["fxo1"].Fault(sim.Faults{Flows: true})
		time.Sleep(time.Second)
		l := b.line("fxo1")
		if l.State != "fault" || l.Hook != "off-hook" || !strings.Contains(l.Fault, "another telephone") {
			t.Errorf("the line: %+v", l)
		}
		_, err := b.Start(request("5550100"))
		if !errors.Is(err, call.ErrFault) || !strings.Contains(err.Error(), "current flows") {
			t.Errorf("a call: %v", err)
		}
		b.lines["fxo1"].Fault(sim.Faults{})
		time.Sleep(time.Second)
		b.serves(t)
	})
}

func TestARelayThatCannotBeDriven(t *testing.T) {
	for name, fault := range map[string]sim.Faults{
		"and a modem that hangs up": {NoRelay: true},
		"and a deaf modem":          {NoRelay: true, Deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t, nil, "fxo1")
				id := b.start(t, long("5550100")).ID
				b.until(t, id, call.Connected)
				b.lines["fxo1"].Fault(fault)
				err := b.hangsUp(t, id, time.Second)
				if fault.Deaf != errors.Is(err, call.ErrOnHook) || b.lines["fxo1"].OffHook() != fault.Deaf {
					t.Errorf("Disconnect: %v, off-hook %v", err, b.lines["fxo1"].OffHook())
				}
				if l := b.line("fxo1"); l.State != "fault" || !strings.Contains(l.Fault, "hook relay can't be driven") {
					t.Errorf("the line: %+v", l)
				}
				if _, err := b.Start(request("5550106")); !errors.Is(err, call.ErrFault) {
					t.Errorf("a call on that line: %v", err)
				}
				b.lines["fxo1"].Fault(sim.Faults{})
				b.until(t, id, call.Disconnected)
				time.Sleep(time.Minute)
				b.serves(t)
			})
		})
	}
}

func TestARelayThatHangsHoldsUpNoOtherLineAndNoQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := make(chan struct{}, 1)
		b := newBoard(t, func(o *call.Options) {
			o.PerUser = -1
			o.Lines[0].Hook.Relay = busRelay{o.Lines[0].Hook.Relay, bus}
		}, "fxo1", "fxo2")
		one, two := b.start(t, long("5550100")).ID, b.start(t, long("5550106")).ID
		b.until(t, one, call.Connected)
		bus <- struct{}{} // hangs
		var hung sync.WaitGroup
		hung.Go(func() { _ = b.Disconnect(t.Context(), one) })
		synctest.Wait()
		start := time.Now()
		b.Lines()
		b.Levels("fxo1")
		b.Calls()
		if d := time.Since(start); d > 0 {
			t.Errorf("questions took %v", d)
		}
		if err := b.hangsUp(t, two, time.Second); err != nil || b.lines["fxo2"].OffHook() {
			t.Errorf("the other line: %v", err)
		}
		time.Sleep(500 * time.Millisecond)
		if b.lines["fxo1"].ModemOffHook() {
			t.Error("the modem behind the relay that hangs was not told to hang up")
		}
		<-bus
		hung.Wait()
		b.until(t, one, call.Disconnected)
	})
}

// busRelay is a relay behind a bus that hangs while somebody has put something into it.
type busRelay struct {
	hal.Relay
	bus chan struct{}
}

func (r busRelay) Set(closed bool) error {
	r.bus <- struct{}{}
	defer func() { <-r.bus }()
	return r.Relay.Set(closed)
}

func TestAnInputThatCannotBeReadIsAFaultBeforeTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.Lines[0].Hook.Loop = nil }, "fxo1", "fxo2")
		b.lines["fxo2"].Fault(sim.Faults{BadInput: "loop"})
		time.Sleep(2 * time.Second)
		if l := b.line("fxo2"); l.State != "fault" || !strings.Contains(l.Fault, "loop-current input can't be read") {
			t.Errorf("the line: %+v", l)
		}
		if l := b.line("fxo1"); l.State != "idle" {
			t.Errorf("the other line: %+v", l)
		}
		b.lines["fxo2"].Fault(sim.Faults{})
		time.Sleep(time.Second)
		if l := b.line("fxo2"); l.State != "idle" {
			t.Errorf("the line afterwards: %+v", l)
		}
	})
}

func TestBadReadsInACall(t *testing.T) {
	for name, tt := range map[string]struct {
		reads  int
		reason string
	}{
		"one":      {1, "played to the end"},
		"fifty":    {50, "played to the end"},
		"for ever": {0, "an input of the line could not be read any more: hookswitch lines says which"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t, nil, "fxo1")
				id := b.start(t, request("5550106")).ID
				b.until(t, id, call.Connected)
				b.lines["fxo1"].Fault(sim.Faults{BadInput: "loop", BadReads: tt.reads})
				info, _ := b.until(t, id, call.Disconnected)
				if info.Reason != tt.reason {
					t.Errorf("ended: %s, %s", info.Cause, info.Reason)
				}
				checkAgree(t, b, id, nil)
			})
		})
	}
}
