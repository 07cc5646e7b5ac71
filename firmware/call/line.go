package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
)

// hangUpLimit is when the ladder of hanging up ends: a modem that has not confirmed by then
// is closed, opened and initialised anew before the line serves again.
const hangUpLimit = 10 * time.Second

// LineConfig is one telephone line: a modem and, on an analogue line, a hook switch.
type LineConfig struct {
	Name  string
	Modem modem.Config
	Hook  hook.Config
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

	hang   chan struct{} // holds one token: one hang-up at a time; guards holder
	holder *active       // the call that may be off-hook now
	seized atomic.Bool   // off-hook, or not confirmed on-hook
}

// newLine opens the line's relay.
func newLine(cfg LineConfig, x *Exchange) *line {
	l := &line{cfg: cfg, x: x, hang: make(chan struct{}, 1)}
	l.hang <- struct{}{}
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
		}
		return heard
	}
}

// openModem starts the modem's keeper, whose first act is to hang up.
func (l *line) openModem() { l.modem = modem.New(l.cfg.Modem) }

// serves says whether the line's rules admit a call.
func (l *line) serves(user, number string) bool {
	if len(l.cfg.Users) > 0 && !slices.Contains(l.cfg.Users, user) {
		return false
	}
	begins := func(prefix string) bool { return strings.HasPrefix(number, prefix) }
	return len(l.cfg.Prefixes) == 0 || slices.ContainsFunc(l.cfg.Prefixes, begins)
}

// fault is why the line can't take a call, or nil.
func (l *line) fault() error {
	return errors.Join(l.hook.State().Fault, l.modem.Fault())
}

// infoLocked is the line as readers see it; Exchange.mu is held.
func (l *line) infoLocked() LineInfo {
	_, dialect := l.modem.Ident()
	if dialect == "" {
		dialect = l.cfg.Modem.Dialect
	}
	info := LineInfo{Name: l.cfg.Name, Dialect: dialect, Hook: "on-hook", State: "idle"}
	fault := l.fault()
	if l.lent != nil {
		fault = errLent
	}
	if st := l.hook.State(); st.Off || !st.Open || l.seized.Load() && (l.call != nil || fault != nil) {
		info.Hook = "off-hook"
	}
	switch {
	case l.call != nil:
		info.State, info.Call = "in-call", l.call.info.ID
	case l.lent != nil:
		info.State = "lent"
	case fault != nil:
		info.State = "fault"
	}
	if fault != nil {
		info.Fault = fault.Error()
	}
	return info
}

// run is a call on this line, from off-hook to on-hook. Whatever ends it, a panic too,
// leaves through hangUp.
func (l *line) run(ctx context.Context, c *active) (err error) {
	defer func() { c.hungUp = l.hangUp(c) }()
	l.hold(c)
	if err := l.hook.OffHook(ctx); err != nil {
		return err
	}
	ctx, stop := l.hook.WatchLoop(ctx)
	defer stop()
	number := c.info.Number
	if !l.modem.GSM() {
		number = l.x.opt.Rules.Analogue(number)
	}
	answer, err := l.modem.Dial(ctx, number, modem.Far{Alerted: func() { l.x.set(c, Alerted, "") }})
	if err != nil {
		return err
	}
	l.x.set(c, Connected, string(answer))
	return l.talk(ctx, c)
}

// hold notes that c may put the line off-hook from now on.
func (l *line) hold(c *active) {
	<-l.hang
	defer func() { l.hang <- struct{}{} }()
	l.holder = c
	l.seized.Store(true)
}

// hangUpNow is hangUp from another goroutine, for as long as c holds the line. What it
// can't confirm, the call's own hangUp tries again and reports.
func (l *line) hangUpNow(c *active) {
	<-l.hang
	defer func() { l.hang <- struct{}{} }()
	if l.holder == c {
		_ = l.hangUpLocked()
	}
}

// hangUp puts the line on-hook and says what was not confirmed.
func (l *line) hangUp(c *active) error {
	<-l.hang
	defer func() { l.hang <- struct{}{} }()
	err := l.hangUpLocked()
	l.holder = nil
	l.seized.Store(err != nil)
	if err != nil {
		l.x.log.Error("line not confirmed on-hook", "line", l.cfg.Name, "call", c.info.ID, "error", err)
	}
	return err
}

// hangUpLocked opens the relay first: it needs nobody's consent. The modem has its own deadline.
func (l *line) hangUpLocked() error {
	relay := l.hook.OnHook()
	ctx, cancel := context.WithTimeout(context.Background(), hangUpLimit)
	defer cancel()
	if err := l.modem.Hangup(ctx); err != nil {
		return errors.Join(relay, fmt.Errorf("call: modem of %s: %w", l.cfg.Name, err))
	}
	return relay
}

// close releases the relay, then the modem's port.
func (l *line) close() error { return errors.Join(l.hook.Close(), l.modem.Close()) }
