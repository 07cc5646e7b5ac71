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

// lease is that of a guard as the engine sees it.
type lease struct {
	mu   sync.Mutex
	err  error
	last time.Time     // when it was last held
	wait chan struct{} // until it is closed nobody gets an answer; nil is no wait
}

func (l *lease) ask(hold bool) error {
	l.mu.Lock()
	wait := l.wait
	l.mu.Unlock()
	if wait != nil {
		<-wait
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if hold {
		l.last = time.Now()
	}
	return l.err
}

func (l *lease) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *lease) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.last) < 300*time.Millisecond
}

// newGuardedBoard has one line, with a guard.
func newGuardedBoard(t *testing.T) (*board, *lease) {
	t.Helper()
	l := &lease{}
	return newBoard(t, func(o *call.Options) { o.Lines[0].Lease = l.ask }, "fxo1"), l
}

func TestALeaseIsHeldForAsLongAsSomebodyHasTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := newGuardedBoard(t)
		time.Sleep(10 * time.Second)
		if l.held() {
			t.Error("held without a call")
		}
		id := b.start(t, request("5550100")).ID
		b.until(t, id, call.Connected)
		if !l.held() {
			t.Error("not held in a call")
		}
		b.until(t, id, call.Disconnected)
		time.Sleep(2 * time.Second)
		if l.held() {
			t.Error("held after the call")
		}
		lent, err := b.Lend("fxo1")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if !l.held() {
			t.Error("not held while a technician has the line")
		}
		lent.Return()
		time.Sleep(time.Second)
		if l.held() {
			t.Error("held after the technician")
		}
	})
}

func TestACallWhoseRelayTheGuardHasOpenedSaysSo(t *testing.T) {
	tests := []struct {
		name, reason string
		err          error
		sooner       time.Duration // the loop current is missed first, for so long
	}{
		{"because the board had stood still", "the board had stood still", hal.ErrLeaseEnded, 0},
		{"and the loss of loop current is not taken for a hang-up", "the board had stood still", hal.ErrLeaseEnded, time.Second},
		{"because it died", "drives the hook relay has died", hal.ErrNoGuard, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, l := newGuardedBoard(t)
				id := b.start(t, request("5550100")).ID
				b.until(t, id, call.Connected)
				answer := make(chan struct{})
				l.mu.Lock()
				l.wait, l.err = answer, tt.err
				l.mu.Unlock()
				if err := b.lines["fxo1"].Relay().Set(false); err != nil {
					t.Fatal(err)
				}
				time.Sleep(tt.sooner)
				close(answer)
				info, _ := b.until(t, id, call.Disconnected)
				if info.Cause != call.Other || !strings.Contains(info.Reason, tt.reason) {
					t.Errorf("cause %s, reason %q", info.Cause, info.Reason)
				}
				l.fail(nil)
			})
		})
	}
}

func TestALineWithoutItsGuardIsInFaultUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := newGuardedBoard(t)
		l.fail(hal.ErrNoGuard)
		time.Sleep(time.Second)
		if info := b.Lines()[0]; info.State != "fault" || !strings.Contains(info.Fault, "drives the relays") {
			t.Errorf("without its guard: %+v", info)
		}
		if _, err := b.Start(request("5550100")); !errors.Is(err, call.ErrFault) {
			t.Errorf("Start: %v, want ErrFault", err)
		}
		l.fail(nil)
		time.Sleep(time.Second)
		if info := b.Lines()[0]; info.State != "idle" {
			t.Errorf("with its guard back: %+v", info)
		}
	})
}

// A call whose own goroutine hangs does not hang up by itself: the guard does it.
func TestTheLeaseOfACallThatHangsIsNotHeld(t *testing.T) {
	for _, end := range []string{"after its longest time", "after a Disconnect"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hangs := make(chan struct{})
				l := &lease{}
				presses := sim.FarEnd{Rings: 1, Keys: []sim.Key{{At: 6 * time.Second, Key: '#'}}}
				x := sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550111": presses}})
				b := newBoardOn(t, x, func(o *call.Options) { o.Lines[0].Lease, o.MaxCall = l.ask, time.Minute }, "fxo1")
				req := request("5550111")
				req.Next = func() (call.Recording, bool) { <-hangs; return call.Recording{}, false }
				id := b.start(t, req).ID
				b.until(t, id, call.Connected)
				time.Sleep(2 * time.Second) // # was pressed
				if end == "after a Disconnect" {
					go func() { _ = b.Disconnect(t.Context(), id) }()
					time.Sleep(1500 * time.Millisecond)
				} else {
					if !l.held() {
						t.Error("not held before")
					}
					time.Sleep(time.Minute)
				}
				if l.held() {
					t.Error("still held")
				}
				close(hangs)
				b.until(t, id, call.Disconnected)
			})
		})
	}
}
