package call

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookswitch/hal/modem"
)

// Limits of a hang-up.
const (
	// relayFirst is how long the modem waits for its turn behind the relay: one that hangs must
	// not keep the modem off-hook too.
	relayFirst = 50 * time.Millisecond
	// modemGrace is how long a line that is known to be on-hook by its relay waits for its modem
	// as well. Most have confirmed by then, and the line serves at once.
	modemGrace = 500 * time.Millisecond
	// relayLimit is when a line with a relay that is not known to be on-hook is told to be so;
	// modemLimit is the same for one without: the modem's ladder takes its time.
	relayLimit = 800 * time.Millisecond
	modemLimit = 5 * time.Second
	// lookAgain is when a line that is not known to be on-hook is judged anew though nothing
	// has told of a change: an input may hang, which only time tells.
	lookAgain = time.Second
	// hangUpLimit bounds the hang-up of an attempt that makes progress.
	hangUpLimit = 10 * time.Second
	// publishLimit is how long a call whose line is on-hook may take to notice.
	publishLimit = 100 * time.Millisecond
)

// errSilent is the fault of a line whose modem has not confirmed the last hang-up.
var errSilent = errors.New("the modem has not confirmed the last hang-up, and is told again until it has: " +
	"if this lasts, switch it off for 5 s")

// hangup is the end of an attempt, from the first word to hang up until the line is known to
// be on-hook. Each channel is closed when its time has come.
type hangup struct {
	began  time.Time
	driven chan struct{} // the relay has been told, and has taken it
	modem  chan struct{} // the modem has confirmed, or Close has given it up
	onHook chan struct{} // the line is known to be on-hook
	late   chan struct{} // it was not in time: everybody is told so until it is
}

func newHangup() *hangup {
	return &hangup{
		began: time.Now(), driven: make(chan struct{}), modem: make(chan struct{}),
		onHook: make(chan struct{}), late: make(chan struct{}),
	}
}

// isLate reports whether the line was not known to be on-hook in time; a nil one never is.
func (h *hangup) isLate() bool { return h != nil && closed(h.late) && !closed(h.onHook) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// stuckLocked reports whether the call is over, and its line not known to be on-hook.
func (c *active) stuckLocked() bool { return c.hangup.isLate() }

// seize notes that c may put the line off-hook from now on, until hangUp is done with it.
func (l *line) seize(c *active) error {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	if err := l.faultLocked(); err != nil { // since the call was given the line, or the last attempt
		return err
	}
	c.seized, c.hangup = true, nil
	return nil
}

// hangUp begins to put the line on-hook, for as long as c has it seized; more than one may
// say so. The relay opens in the caller's goroutine: nothing stands between who wants the line
// on-hook and the relay but this function's few instructions. It returns nil where c has not
// seized the line.
func (l *line) hangUp(c *active) *hangup {
	x := l.x
	x.mu.Lock()
	h, first := c.hangup, false
	if !c.seized {
		x.mu.Unlock()
		return nil
	}
	if h == nil {
		h, first = newHangup(), true
		c.hangup, l.hangup = h, h
		x.running.Go(func() { l.hangUpModem(h) })
		x.running.Go(func() { l.confirm(c, h) })
	}
	x.mu.Unlock()
	_ = l.hook.OnHook() // its State tells whether the relay is open
	if first {
		close(h.driven)
	}
	return h
}

// hangUpModem has the modem hang up, however long that takes, or until Close.
func (l *line) hangUpModem(h *hangup) {
	head := time.NewTimer(relayFirst)
	defer head.Stop()
	select {
	case <-h.driven:
	case <-head.C:
	}
	err := l.modem.Hangup(l.x.life)
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	if err == nil && l.hangup == h {
		l.hangup = nil
	}
	close(h.modem)
	l.x.notifyLocked()
}

// confirm watches the line until it is known to be on-hook. What is told of it meanwhile, the
// call's reason, the line's fault and the answer to a Disconnect, changes in one step.
func (l *line) confirm(c *active, h *hangup) {
	limit := time.NewTimer(modemLimit)
	defer limit.Stop()
	if l.cfg.Hook.Relay != nil {
		limit.Reset(relayLimit)
	}
	grace := time.NewTimer(modemGrace)
	defer grace.Stop()
	modemDone := h.modem
	for {
		hook, modemHook := l.hook.Changed(), l.modem.Changed()
		if l.hookState() == onHook && (closed(h.modem) || time.Since(h.began) >= modemGrace) {
			break
		}
		select {
		case <-hook:
		case <-modemHook:
		case <-grace.C:
		case <-modemDone:
			modemDone = nil
		case <-limit.C:
			l.tellLate(c, h)
			limit.Reset(lookAgain)
		case <-l.x.life.Done():
			return
		}
	}
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	if c.seized = false; closed(h.late) {
		c.info.Unconfirmed, c.info.Reason = false, ""
	}
	close(h.onHook)
	l.x.notifyLocked()
}

// tellLate tells everybody that the line is not known to be on-hook.
func (l *line) tellLate(c *active, h *hangup) {
	x := l.x
	x.mu.Lock()
	if closed(h.late) {
		x.mu.Unlock()
		return
	}
	why := l.notOnHook()
	c.info.Unconfirmed = true
	c.info.Reason = "the call is over, but its line is not known to be on-hook: " + why.Error()
	if closed(h.driven) { // else a driver hangs, which the watchdogs may mend
		c.due = time.Time{}
	}
	close(h.late)
	x.notifyLocked()
	x.mu.Unlock()
	x.log.Error("line not confirmed on-hook", "line", l.cfg.Name, "call", c.info.ID, "error", why)
}

// notOnHook is why the line is not known to be on-hook.
func (l *line) notOnHook() error {
	if err := l.hook.State().Fault; err != nil {
		return err
	}
	if err := l.modem.Fault(); err != nil {
		return err
	}
	return errSilent
}

// What is known of a line's hook, as LineInfo has it.
const (
	onHook  = string(modem.OnHook)
	offHook = string(modem.OffHook)
)

// hookState is the one place where the line is judged to be on-hook or not: by the loop
// current, then the relay, then the modem, which may not have been reached yet.
func (l *line) hookState() string {
	st, relay := l.hook.State(), l.cfg.Hook.Relay != nil
	switch m := string(l.modem.Hook()); {
	case st.Off || st.Current:
		return offHook
	case relay && st.Open:
		return onHook
	case relay && m != onHook:
		return offHook
	default:
		return m
	}
}

// release hangs up at the end of an attempt and waits until the line is known to be on-hook,
// or the lines are closed.
func (l *line) release(c *active) {
	h := l.hangUp(c)
	if h == nil {
		return
	}
	if p := recover(); p != nil { // the process is about to die: not without a moment for the modem
		select {
		case <-h.onHook:
		case <-h.late:
		}
		panic(p)
	}
	select {
	case <-h.onHook:
	case <-l.x.life.Done():
	}
}

// Disconnect hangs up and returns when the line is known to be on-hook, or with ErrOnHook and
// why it is not: then the call goes on to be told as not yet Disconnected, and so does every
// further Disconnect, until the line is. A call that has already ended is no error.
func (x *Exchange) Disconnect(ctx context.Context, id string) error {
	x.mu.Lock()
	c := x.calls[id]
	x.mu.Unlock()
	if c == nil {
		return ErrUnknown
	}
	return x.end(ctx, c, errDisconnected)
}

// Limits of Close.
const (
	lentLimit = 2 * time.Second // for a technician's line to be given back
	callLimit = 5 * time.Second // for the goroutines of calls whose lines are given up, too
)

// end stops a call for a reason of ours and returns when its line is known to be on-hook, or
// with ErrOnHook and why it is not. The call's own goroutine hangs up too, on its way out, as
// after every call; where something else holds that up, nobody waits for it.
func (x *Exchange) end(ctx context.Context, c *active, why error) error {
	if closed(c.done) {
		return nil
	}
	c.cancel(why)
	x.mu.Lock()
	l := c.line
	x.mu.Unlock()
	var h *hangup
	if l != nil {
		h = l.hangUp(c)
	}
	if h == nil { // it waits for a line, or between two attempts: it is about to leave
		h = &hangup{}
	}
	select {
	case <-c.done:
		return nil
	case <-h.onHook:
	case <-h.late:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrOnHook, context.Cause(ctx))
	}
	if !h.isLate() {
		x.leave(c, why)
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOnHook, l.notOnHook())
}

// leave waits until the call is over, or ends its record: its goroutine waits for a card or
// another machine.
func (x *Exchange) leave(c *active, why error) {
	limit := time.NewTimer(publishLimit)
	defer limit.Stop()
	select {
	case <-c.done:
	case <-limit.C:
		x.finish(c, why)
	}
}
