package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/dialing"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
)

// LineConfig is one telephone line: a modem and, on an analogue line, a hook switch.
type LineConfig struct {
	Name  string
	Modem modem.Config
	Hook  hook.Config
	// Lease is that of the hook's relays, where a guard drives them (package guard); nil where
	// there is none. To hold is to extend it. It returns an error when the guard has opened
	// them, or is not there.
	Lease func(hold bool) error
	Tones audio.Plan  // what the board listens for itself; nil leaves call progress to the modem
	Pulse *hook.Pulse // the hook relay dials, not the modem; nil is by tones. It takes Tones.

	Users    []string // only these users' calls; empty is everybody's
	Prefixes []string // only numbers that begin so; empty is all

	PressOne bool          // the message waits until the person who answers presses 1
	SayKeys  bool          // the person is told the keys before the message
	LeadIn   time.Duration // silence between the answer and the first word
}

// line is one line at work.
type line struct {
	cfg   LineConfig
	x     *Exchange
	hook  *hook.Switch
	modem *modem.Modem

	call *active // guarded by Exchange.mu: the call that has the line
	lent *Lent   // guarded by Exchange.mu: the technician who has it
	used int     // guarded by Exchange.mu: calls so far

	hangup *hangup // guarded by Exchange.mu: one that the modem has not confirmed yet; nil when it has

	guardFault   error         // guarded by Exchange.mu: nobody drives the relays
	guardChanged chan struct{} // holds one when guardFault has changed
}

// newLine opens the line's relay.
func newLine(cfg LineConfig, x *Exchange) *line {
	l := &line{cfg: cfg, x: x, guardChanged: make(chan struct{}, 1)}
	l.hook, _ = hook.New(cfg.Hook) // its State tells of a relay that could not be opened
	if cfg.Tones != nil {
		l.cfg.Modem.Listen = func() func([]int16) modem.Progress { return listener(cfg.Tones) }
	}
	if cfg.Pulse != nil {
		l.cfg.Modem.Pulse = func(ctx context.Context, digits string) error { return l.hook.Dial(ctx, digits, *cfg.Pulse) }
	}
	return l
}

// means is what the sounds of a line mean for a call.
var means = map[audio.Sound]modem.Progress{
	audio.DialTone: modem.DialTone, audio.Ringback: modem.Ringing, audio.Busy: modem.Busy,
	audio.Congestion: modem.Unobtainable, audio.SIT: modem.Unobtainable,
	audio.Voice: modem.Answered, audio.RingbackEnded: modem.Answered,
}

// listener hears call progress in the tones of a plan.
func listener(plan audio.Plan) func([]int16) modem.Progress {
	p := audio.NewProgress(plan)
	return func(samples []int16) modem.Progress {
		heard := modem.Undecided
		for _, e := range p.Hear(samples) {
			heard = means[e.Sound]
			if e.Guess {
				heard = modem.LikeRinging
			}
		}
		return heard
	}
}

// openModem starts the modem's keeper, whose first act is to hang up.
func (l *line) openModem() { l.modem = modem.New(l.cfg.Modem) }

// serves says whether the line's rules admit a call.
func (l *line) serves(user string, number dialing.Dialled) bool {
	if number.On(l.modem.GSM()) == "" {
		return false
	}
	if len(l.cfg.Users) > 0 && !slices.Contains(l.cfg.Users, user) {
		return false
	}
	begins := func(prefix string) bool { return strings.HasPrefix(number.String(), prefix) }
	return len(l.cfg.Prefixes) == 0 || slices.ContainsFunc(l.cfg.Prefixes, begins)
}

// faultLocked is why the line can't take a call, or nil; Exchange.mu is held.
func (l *line) faultLocked() error {
	hookFault, modemFault := l.hook.State().Fault, l.modem.Fault()
	if l.guardFault != nil { // what the hook says is what came of it
		hookFault = l.guardFault
	}
	if modemFault == nil && l.hangup != nil && (l.call == nil || !l.call.seized || l.call.stuckLocked()) {
		modemFault = errSilent
	}
	if hookFault != nil && modemFault != nil {
		return fmt.Errorf("%w; %w", hookFault, modemFault)
	}
	return errors.Join(hookFault, modemFault)
}

// rings is whether somebody calls a line, and who where that is told.
type rings struct {
	on     bool
	caller string
}

// rung is whether the line rings now.
func (l *line) rung() rings {
	caller, left := l.modem.Ringing()
	return rings{left > 0 || l.hook.Ringing(), caller}
}

// rings is rung, and when to look again: nobody tells of the end, nor the hook switch of the
// beginning.
func (l *line) rings() (now rings, again <-chan time.Time) {
	if _, left := l.modem.Ringing(); left > 0 {
		again = time.After(left)
	} else if l.cfg.Hook.Ring != nil {
		again = time.After(time.Second)
	}
	return l.rung(), again
}

// infoLocked is the line as readers see it; Exchange.mu is held.
func (l *line) infoLocked() LineInfo {
	_, dialect := l.modem.Ident()
	if dialect == "" {
		dialect = l.cfg.Modem.Dialect
	}
	info := LineInfo{Name: l.cfg.Name, Dialect: dialect, Hook: l.hookState(), State: "idle"}
	fault := l.faultLocked()
	if l.lent != nil {
		fault = errLent
	}
	if l.call != nil {
		info.Call = l.call.info.ID
	}
	switch {
	case l.lent != nil:
		info.State = "lent"
	case l.call != nil && !l.call.stuckLocked():
		info.State = "in-call"
	case fault != nil || l.call != nil:
		info.State = "fault"
	}
	if fault != nil {
		info.Fault = fault.Error()
	}
	if r := l.rung(); r.on && info.State == "idle" {
		info.State, info.Fault = "ringing", "the line is ringing"
		if r.caller != "" {
			info.Fault += ", " + r.caller + " calls"
		}
	}
	return info
}

// run is a call on this line, from off-hook to on-hook. Whatever ends it, a panic too,
// leaves through release; and a card that holds up what it does in between does not keep the
// line off-hook.
func (l *line) run(ctx context.Context, c *active) error {
	if l.rung().on { // since it was chosen; hanging up would turn the caller away
		return modem.ErrRinging
	}
	if err := l.seize(c); err != nil {
		return err
	}
	defer l.release(c)
	if err := l.hook.OffHook(ctx); err != nil {
		return err
	}
	ctx, stop := l.hook.WatchLoop(ctx)
	defer stop()
	defer context.AfterFunc(ctx, func() { l.hangUp(c) })()
	answer, err := l.modem.Dial(ctx, c.number.On(l.modem.GSM()), modem.Far{Alerted: func() { l.x.set(c, Alerted, "") }})
	if err != nil {
		return err
	}
	l.x.set(c, Connected, string(answer))
	l.x.within(c, l.x.opt.MaxCall+l.cfg.LeadIn)
	return l.talk(ctx, c)
}

// close releases the relay, then the modem's port.
func (l *line) close() error { return errors.Join(l.hook.Close(), l.modem.Close()) }
