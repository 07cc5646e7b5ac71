package call

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/hal"
	"hookswitch/hal/modem"
)

// Finding is one step of a line test, for a person.
type Finding struct {
	What string // "dial tone"
	OK   bool
	Says string // what was found, and where it is not OK what to do
}

const (
	loopSettles = 300 * time.Millisecond // from the modem's seizing of the line to a steady current
	testLimit   = time.Minute
)

// Test goes through a line: its inputs while it is on-hook, the relay and the loop current,
// dial tone, a digit that goes out, and on-hook again. A mobile line is asked for its
// network. Each finding is told as it is found. plan is the tones of the line's country.
func (t *Lent) Test(ctx context.Context, plan audio.Plan, tell func(Finding)) error {
	ctx, cancel := context.WithTimeout(ctx, testLimit)
	defer cancel()
	port, err := t.Port(ctx)
	if err != nil {
		return err
	}
	defer port.Close()
	if t.l.modem.GSM() {
		return t.testMobile(ctx, port, tell)
	}
	h := t.l.cfg.Hook
	t.idle(h.Ring, "ringing", "not ringing", "the line is ringing: try again when it has stopped", tell)
	t.idle(h.InUse, "line in use", "free", "another telephone on the line is off-hook: put it down", tell)
	t.idle(h.Loop, "loop current, on-hook", "none", "current flows though the relay is open: the contact is stuck, or wired past the relay", tell)
	if err := t.OffHook(ctx); err != nil {
		tell(Finding{"hook relay", false, err.Error()})
		return nil
	}
	defer func() {
		err := t.OnHook()
		tell(Finding{"on-hook", err == nil, map[bool]string{true: "relay opened"}[err == nil] + text(err)})
	}()
	tell(Finding{"hook relay", true, map[bool]string{true: "closed", false: "none; the modem alone seizes the line"}[h.Relay != nil]})
	found, err := modem.TestLine(ctx, port, func() func([]int16) modem.Progress { return listener(plan) }, func() { t.loop(ctx, h.Loop, tell) })
	if err != nil && !errors.Is(err, modem.ErrNoDialTone) {
		tell(Finding{"modem", false, err.Error()})
		return nil
	}
	if !found.DialTone {
		tell(Finding{"dial tone", false, "none: check the line's cable at both ends, and the relay's contact (" + text(err) + ")"})
		return nil
	}
	tell(Finding{"dial tone", true, "heard"})
	if found.Taken {
		tell(Finding{"tone out", true, "dial tone stopped at a digit"})
	} else {
		tell(Finding{"tone out", false, "dial tone goes on after a digit: the exchange takes pulses only, or nothing goes out (AT+VGT?)"})
	}
	return nil
}

// idle tells of an input that should not be active.
func (t *Lent) idle(in hal.Input, what, fine, wrong string, tell func(Finding)) {
	if in == nil {
		return
	}
	active, err := in.Read()
	switch {
	case err != nil:
		tell(Finding{what, false, err.Error()})
	case active:
		tell(Finding{what, false, wrong})
	default:
		tell(Finding{what, true, fine})
	}
}

// loop tells of the loop current of a line that is off-hook.
func (t *Lent) loop(ctx context.Context, in hal.Input, tell func(Finding)) {
	if in == nil || pause(ctx, loopSettles) != nil {
		return
	}
	flows, err := in.Read()
	switch {
	case err != nil:
		tell(Finding{"loop current", false, err.Error()})
	case flows:
		tell(Finding{"loop current", true, "flows"})
	default:
		tell(Finding{"loop current", false, "none: check the line's cable, the relay's contact, and the modem's socket"})
	}
}

func (t *Lent) testMobile(ctx context.Context, port io.ReadWriteCloser, tell func(Finding)) error {
	r, err := modem.Probe(ctx, port)
	if err != nil {
		tell(Finding{"modem", false, err.Error()})
		return nil
	}
	network := r.Network
	if r.Operator != "" {
		network += ", operator " + r.Operator
	}
	if r.Signal != 0 {
		network += fmt.Sprintf(", %d dBm", r.Signal)
	}
	if r.NetworkFault != "" {
		network += ": " + r.NetworkFault
	}
	tell(Finding{"network", r.NetworkFault == "", network})
	sound := r.SoundFault
	if open := t.l.cfg.Modem.OpenPCM; sound == "" && open != nil {
		sound = text(modem.TrySoundPort(open))
	}
	tell(Finding{"sound", sound == "", cmp.Or(sound, r.Sound)})
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
