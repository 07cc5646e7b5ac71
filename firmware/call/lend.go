package call

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"hookswitch/hal"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
)

// errLent is the fault of a line that a technician has.
var errLent = errors.New("call: the line is taken out of service by the technician")

// Lent is a line that a technician has taken out of service. Return puts it back.
type Lent struct {
	x    *Exchange
	l    *line
	back sync.Once
}

// Lend takes an idle line out of service. Errors: ErrUnknown where there is no such line,
// ErrNoLine where it has a call or is lent already.
func (x *Exchange) Lend(name string) (*Lent, error) {
	t, err := x.lend(name)
	if err == nil {
		x.log.Warn("line out of service", "line", name, "error", errLent)
	}
	return t, err
}

func (x *Exchange) lend(name string) (*Lent, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.lines {
		switch {
		case l.cfg.Name != name:
		case x.closed:
			return nil, errShutdown
		case l.lent != nil:
			return nil, fmt.Errorf("%w: %s is taken by a technician", ErrNoLine, name)
		case l.call != nil && !l.call.stuckLocked(): // else it may take a technician to end it
			return nil, fmt.Errorf("%w: %s is in a call", ErrNoLine, name)
		default:
			l.lent = &Lent{x: x, l: l}
			x.notifyLocked()
			return l.lent, nil
		}
	}
	return nil, fmt.Errorf("%w: there is no line %q", ErrUnknown, name)
}

// Config is the line's.
func (t *Lent) Config() LineConfig { return t.l.cfg }

// OffHook closes the hook relay, where the line is free for it (see hook.Switch).
func (t *Lent) OffHook(ctx context.Context) error {
	if t.l.rung().on { // the modem may have heard what no input is wired for
		return modem.ErrRinging
	}
	return t.l.hook.OffHook(ctx)
}

// Flash breaks the loop of a line that is off-hook for as long as the exchanges of a country
// take for a flash: a PBX then gives dial tone again, to transfer.
func (t *Lent) Flash(ctx context.Context, country string) error {
	return t.l.hook.Flash(ctx, hook.FlashOf(country))
}

// OnHook opens the hook relay.
func (t *Lent) OnHook() error { return t.l.hook.OnHook() }

// Port gives the modem's port, which nobody else uses until it is closed. The first thing
// that the modem is told then is to hang up.
func (t *Lent) Port(ctx context.Context) (io.ReadWriteCloser, error) {
	return t.l.modem.Borrow(ctx)
}

// Return opens the hook relay and puts the line back into service. The port must have been
// closed. It may be called more than once.
func (t *Lent) Return() {
	t.back.Do(func() {
		if err := t.l.hook.OnHook(); err != nil {
			t.x.log.Error("line not confirmed on-hook", "line", t.l.cfg.Name, "error", err)
		}
		t.x.mu.Lock()
		t.l.lent = nil
		t.x.notifyLocked()
		t.x.mu.Unlock()
		t.x.log.Info("line returned by the technician", "line", t.l.cfg.Name)
	})
}

// Levels is what a line's relays and inputs are now, by their names: "closed" and "open",
// "active" and "inactive", or why that can't be read.
func (x *Exchange) Levels(name string) map[string]string {
	levels := map[string]string{}
	for _, l := range x.lines {
		if l.cfg.Name != name {
			continue
		}
		h := l.cfg.Hook
		relay := map[bool]string{true: "closed", false: "open"}[!l.hook.State().Open] // as commanded: an output is not read back
		if h.Relay != nil {
			levels["hook relay"] = relay
		}
		if h.Select != nil {
			levels["line-select relay"] = relay
		}
		for what, in := range map[string]hal.Input{"loop current": h.Loop, "ring": h.Ring, "in use": h.InUse} {
			if in == nil {
				continue
			}
			on, err := in.Read()
			levels[what] = map[bool]string{true: "active", false: "inactive"}[on]
			if err != nil {
				levels[what] = err.Error()
			}
		}
	}
	return levels
}
