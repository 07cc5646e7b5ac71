package guard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hookswitch/hal"
)

const ms = int64(time.Millisecond)

// tape is a contact that notes what it is driven to, and fails on demand.
type tape struct {
	driven string // C and O
	fail   error
}

func (t *tape) Set(closed bool) error {
	if t.fail != nil {
		return t.fail
	}
	t.driven += map[bool]string{true: "C", false: "O"}[closed]
	return nil
}

// say gives the guard a request at a time.
func say(t *testing.T, w *watch, at int64, o op, relays uint64, until int64) reply {
	t.Helper()
	rep, err := parseReply(w.answer(request{o, relays, until}.append(nil), at).append(nil))
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestAContactIsOpenedWhen(t *testing.T) {
	lease := int64(Lease)
	tests := []struct {
		name  string
		drive func(t *testing.T, w *watch)
		want  string // what the first contact was driven to, after the opening at the start
		ended uint64 // what the next reply tells
	}{
		{"it is asked for", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, lease)
			say(t, w, 10*ms, opOpen, 1, 0)
			w.expire(10 * lease)
		}, "CO", 0},
		{"its lease ends", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, lease)
			w.expire(lease - 1)
			w.expire(lease)
			w.expire(2 * lease)
		}, "CO", 1},
		{"its lease ends, and not while it is renewed", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, lease)
			for at := int64(0); at < 10*lease; at += 100 * ms {
				w.expire(at)
				say(t, w, at, opRenew, 1, at+lease)
			}
			w.expire(11 * lease)
		}, "CO", 1},
		{"only another contact's lease is renewed", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, lease)
			say(t, w, 0, opClose, 2, lease)
			say(t, w, lease-1, opRenew, 2, 2*lease)
			w.expire(lease)
		}, "CO", 1},
		{"the renewal was on time, but not its reading", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, lease)
			say(t, w, lease+50*ms, opRenew, 1, lease+400*ms) // no: it stays closed
			w.expire(lease + 399*ms)
		}, "C", 0},
		{"the renewal is as old as the lease", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, lease)
			if rep := say(t, w, lease+50*ms, opRenew, 1, lease+40*ms); rep.ended != 1 {
				t.Errorf("the reply does not tell that the lease has ended: %+v", rep)
			}
		}, "CO", 0},
		{"a lease longer than any is asked for", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, 100*lease)
			say(t, w, 1, opRenew, 1, 1<<62)
			w.expire(lease + 1)
		}, "CO", 1},
		{"the request to close it is as old as a lease", func(t *testing.T, w *watch) {
			if rep := say(t, w, lease, opClose, 1, lease); rep.status != statusEnded {
				t.Errorf("closed by an old request: %+v", rep)
			}
		}, "", 0},
		{"a pulse is dialled after its lease has ended", func(t *testing.T, w *watch) {
			say(t, w, 0, opClose, 1, lease)
			if rep := say(t, w, 2*lease, opOpen, 1, 0); rep.status != statusDone || rep.ended != 1 {
				t.Errorf("the end of the lease is not told: %+v", rep)
			}
		}, "COO", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pins := []*tape{{}, {}}
			w := newWatch([]hal.Relay{pins[0], pins[1]})
			tt.drive(t, w)
			if want := "O" + tt.want; pins[0].driven != want {
				t.Errorf("driven %s, want %s", pins[0].driven, want)
			}
			if w.ended != tt.ended {
				t.Errorf("ended leases %b, want %b", w.ended, tt.ended)
			}
		})
	}
}

func TestAContactIsNotClosedAgainBeforeTheEndOfItsLeaseIsTold(t *testing.T) {
	pin := &tape{}
	w := newWatch([]hal.Relay{pin})
	say(t, w, 0, opClose, 1, int64(Lease))
	w.expire(int64(Lease))
	if rep := say(t, w, int64(Lease)+ms, opClose, 1, 2*int64(Lease)); rep.status != statusEnded || rep.ended != 1 {
		t.Errorf("got %+v, want a refusal that tells of the end", rep)
	}
	if rep := say(t, w, int64(Lease)+2*ms, opClose, 1, 2*int64(Lease)); rep.status != statusDone {
		t.Errorf("after it was told: %+v", rep)
	}
	if pin.driven != "OCOC" {
		t.Errorf("driven %s, want OCOC", pin.driven)
	}
}

func TestAPinThatFails(t *testing.T) {
	bad, good := &tape{fail: errors.New("no such pin")}, &tape{}
	w := newWatch([]hal.Relay{bad, good})
	if rep := say(t, w, 0, opOpen, 1, 0); rep.status != statusFailed || rep.text != "no such pin" {
		t.Errorf("of a pin that is missing: %+v", rep)
	}
	if rep := say(t, w, 0, opClose, 2, int64(Lease)); rep.status != statusDone {
		t.Errorf("of the other line: %+v", rep)
	}
	if got := w.timeout(0); got != int(Lease/time.Millisecond) {
		t.Errorf("a pin that never worked is tried every %d ms by the guard", got)
	}
	// It fails while it is closed: it is tried until it opens, and told once.
	good.fail = errors.New("I/O error")
	w.expire(int64(Lease))
	if w.ended != 2 || !w.anyClosed() {
		t.Errorf("ended %b, closed %v", w.ended, w.anyClosed())
	}
	say(t, w, int64(Lease), opRenew, 0, 0)
	at := int64(Lease)
	for range 3 {
		wait := w.timeout(at)
		if wait <= 0 || wait > int(openAgain/time.Millisecond) {
			t.Fatalf("tried again after %d ms", wait)
		}
		at += int64(wait) * ms
		if rep := say(t, w, at, opRenew, 2, at+int64(Lease)); rep.ended != 0 {
			t.Error("told twice")
		}
	}
	good.fail = nil
	w.expire(at + int64(openAgain))
	if good.driven != "OCO" || w.anyClosed() {
		t.Errorf("driven %s, closed %v", good.driven, w.anyClosed())
	}
}

func TestAContactThatCouldNotBeClosedIsOpened(t *testing.T) {
	pin := &failsToClose{}
	w := newWatch([]hal.Relay{pin})
	if rep := say(t, w, 0, opClose, 1, int64(Lease)); rep.status != statusFailed {
		t.Errorf("got %+v", rep)
	}
	if pin.driven != "OO" || w.anyClosed() {
		t.Errorf("driven %s, closed %v", pin.driven, w.anyClosed())
	}
}

// failsToClose is a contact of which nobody knows whether it has closed.
type failsToClose struct{ tape }

func (f *failsToClose) Set(closed bool) error {
	if closed {
		return errors.New("I/O error")
	}
	return f.tape.Set(closed)
}

func TestALongReasonFitsIntoAReply(t *testing.T) {
	long := reply{status: statusFailed, text: strings.Repeat("x", 1000)}
	rep, err := parseReply(long.append(nil))
	if err != nil || rep.err().Error() != strings.Repeat("x", 255) {
		t.Errorf("got %v, %v", rep, err)
	}
}

// FuzzGuard holds that no packet keeps a contact closed for longer than a lease, closes one
// without a time to open it, or makes an answer that is none.
func FuzzGuard(f *testing.F) {
	f.Add(request{opClose, 1, int64(Lease)}.append(nil), request{opRenew, 3, 1 << 62}.append(nil))
	f.Add(request{opOpen, 2, 0}.append(nil), []byte("c"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		pins := []hal.Relay{&tape{}, &tape{}}
		w := newWatch(pins)
		for at, packet := range [][]byte{a, b} {
			out := w.answer(packet, int64(at)).append(nil)
			_, err := parseReply(out)
			if err != nil {
				t.Fatal(err)
			}
			req, ok := parseRequest(packet, len(pins))
			if ok && string(req.append(nil)) != string(packet) {
				t.Errorf("%x is read as %+v", packet, req)
			}
		}
		w.expire(1 + int64(Lease))
		if w.anyClosed() {
			t.Error("closed after a lease")
		}
	})
}

func TestARelayOfAnotherProgramIsToldAsSuch(t *testing.T) {
	sent := failed(fmt.Errorf("%w: /sys/class/gpio/gpio26/value", hal.ErrBusy))
	rep, err := parseReply(sent.append(nil))
	if got := rep.err(); err != nil || !errors.Is(got, hal.ErrBusy) || got.Error() != sent.text {
		t.Errorf("got %v, %v, want %q", got, err, sent.text)
	}
}

// busyFor is a contact that another guard has for so many tries.
type busyFor struct {
	tries  int
	opened bool
}

func (b *busyFor) Set(closed bool) error {
	if b.tries--; b.tries >= 0 {
		return hal.ErrBusy
	}
	b.opened = !closed
	return nil
}

func TestARelayThatTheGuardBeforeStillHasIsOpenedWhenThatHasEnded(t *testing.T) {
	relay := &busyFor{tries: 3}
	newWatch([]hal.Relay{relay})
	if !relay.opened {
		t.Error("the relay was not opened")
	}
}
