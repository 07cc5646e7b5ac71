package hook

import (
	"context"
	"time"

	"hookswitch/hal"
)

const (
	pollCall = 10 * time.Millisecond // edges can't be waited for on current kernels
	pollIdle = 50 * time.Millisecond
	pollBell = 4 * time.Millisecond

	loopWait  = 5 * time.Second        // from seizing the line to the first loop current
	inUseFor  = 200 * time.Millisecond // a parallel telephone lifted, not a glitch
	flowsFor  = 500 * time.Millisecond // current without a call, not a pulse of ringing
	stopLimit = 700 * time.Millisecond // from OnHook until the current must have stopped
	readLimit = time.Second            // an input that can't be read for so long is in fault
	openAgain = time.Second            // between attempts to open a relay that could not be
	// driveLimit is how long a relay may take to be driven before it is in fault.
	driveLimit = time.Second
	// blindLimit is when a watch that has not read the inputs hangs in one of them: longer than
	// a busy machine keeps anybody waiting.
	blindLimit = 3 * time.Second
)

// line is what the watch has seen of a line. Switch.mu guards it.
type line struct {
	loop, bell, used sensor

	seen    time.Time // when the inputs were last read
	stopped time.Time // when the loop input last said that no current flows
	flows   bool      // current, free of glitches
	bells   bells
}

// sensor is an input as it was last read.
type sensor struct {
	name string    // for a person
	on   bool      // what it said when it could last be read
	err  error     // why it could not be read the last time
	good time.Time // when it could last be read
	bad  time.Time // when it was last found unreadable
}

func (i *sensor) note(name string, r reading, now time.Time) {
	i.name, i.err = name, r.err
	if r.err != nil {
		i.bad = now
		return
	}
	i.on, i.good = r.on, now
}

// readable reports whether the input's word is worth anything: one bad read is not the end.
func (i *sensor) readable() bool { return i.err == nil || i.bad.Sub(i.good) < readLimit }

func (i *sensor) fault() error {
	if i.readable() {
		return nil
	}
	return inputFault("the "+i.name+" input", i.err)
}

func inputFault(input string, cause error) error {
	return faultf(ErrInput, cause, "%s can't be read (%v): check its pin in the configuration and its wiring, "+
		"or take it out of the configuration", input, cause)
}

// fault is that of the first input that can't be read.
func (l *line) fault() error {
	for _, i := range []*sensor{&l.loop, &l.bell, &l.used} {
		if err := i.fault(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Switch) currentFault() error {
	if s.cfg.Relay == nil {
		return faultf(ErrCurrent, nil, "current flows on the line without a call: another telephone on it is off-hook, "+
			"or the modem did not hang up: put that telephone down, or switch the modem off for 5 s")
	}
	return faultf(ErrCurrent, nil, "current flows on the line though the hook relay is open: "+
		"another telephone behind it is off-hook, or the relay's contact is stuck: pull the line's plug, and check the relay's contact and wiring")
}

// blindLocked reports whether the watch hangs in reading an input.
func (s *Switch) blindLocked() bool { return s.wired() && time.Since(s.line.seen) > blindLimit }

// wired reports whether there is an input to watch.
func (s *Switch) wired() bool { return s.cfg.Loop != nil || s.cfg.Ring != nil || s.cfg.InUse != nil }

// watch reads the inputs until Close, and opens a relay again that could not be opened.
func (s *Switch) watch() {
	defer close(s.done)
	timer := time.NewTimer(pollIdle)
	defer timer.Stop()
	for {
		var tick <-chan time.Time
		if d := s.pace(); d > 0 {
			timer.Reset(d)
			tick = timer.C
		}
		select {
		case <-s.stop:
			return
		case <-s.wake:
		case seen := <-s.look:
			s.read()
			close(seen)
		case <-tick:
			s.read()
			s.openAgain()
		}
	}
}

// pace is the time until the inputs are read again; 0 is never.
func (s *Switch) pace() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cfg.Ring != nil:
		return pollBell
	case s.wired() && (s.off || s.guard != nil || s.line.flows):
		return pollCall
	case s.wired():
		return pollIdle
	case s.stuck != nil:
		return openAgain
	}
	return 0
}

// awaken has the watch look at its pace again.
func (s *Switch) awaken() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// fresh waits until the inputs have been read once more.
func (s *Switch) fresh(ctx context.Context) error {
	if !s.wired() {
		return context.Cause(ctx)
	}
	seen := make(chan struct{})
	select {
	case s.look <- seen:
	case <-s.done:
		return ErrReleased
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-seen:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

func (s *Switch) openAgain() {
	s.mu.Lock()
	again := s.stuck != nil && !s.off && s.driving == 0 && time.Since(s.tried) >= openAgain
	s.mu.Unlock()
	if again {
		_ = s.OnHook()
	}
}

// reading is what an input has said.
type reading struct {
	on  bool
	err error
}

func readInput(in hal.Input) (r reading) {
	if in != nil {
		r.on, r.err = in.Read()
	}
	return r
}

// read reads the inputs once and draws the conclusions. Only the watch calls it.
func (s *Switch) read() {
	if !s.wired() {
		return
	}
	now := time.Now() // what is read may be later than this, not earlier
	loop, bell, used := readInput(s.cfg.Loop), readInput(s.cfg.Ring), readInput(s.cfg.InUse)
	s.mu.Lock()
	s.line.seen = now
	s.line.loop.note("loop-current", loop, now)
	s.line.used.note("in-use", used, now)
	if s.line.bell.note("ring", bell, now); bell.err == nil {
		s.line.bells.hear(bell.on, now)
	}
	s.currentLocked(now)
	end, why := s.guard.look(&s.line, s.cfg, now)
	s.tellLocked()
	s.mu.Unlock()
	if why != nil {
		end(why)
	}
}

// currentLocked judges the loop current. On-hook it counts as stopped when it is first seen
// so after the contact has settled, and as flowing again only when it does for a while.
func (s *Switch) currentLocked(now time.Time) {
	l := &s.line
	switch {
	case l.loop.err != nil:
		return
	case s.off:
		l.flows = l.loop.on
	case !l.loop.on && now.Sub(s.since) >= s.cfg.Settle:
		l.flows = false
	case l.loop.on && now.Sub(l.stopped) >= flowsFor:
		l.flows = true
	}
	if !l.loop.on {
		l.stopped = now
	}
}

// guard watches over a call that is up.
type guard struct {
	end     context.CancelCauseFunc
	start   time.Time
	flowing time.Time // when current last flowed
	alone   time.Time // when the line was last ours alone
	seen    bool      // current has flowed
}

// WatchLoop returns a context that ends with cause ErrLoopLost when the far exchange
// drops the loop current, ErrNoLoop when none has flowed 5 s after the call to
// WatchLoop, ErrInUse when a person lifts a parallel telephone, whose line it is then, or
// ErrInput when an input has not been readable for a second. The returned function ends the
// watch.
func (s *Switch) WatchLoop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if s.cfg.Loop == nil && s.cfg.InUse == nil {
		return ctx, func() { cancel(context.Canceled) }
	}
	now := time.Now()
	g := &guard{end: cancel, start: now, flowing: now, alone: now}
	s.mu.Lock()
	s.guard = g
	s.mu.Unlock()
	s.awaken()
	return ctx, func() {
		s.mu.Lock()
		if s.guard == g {
			s.guard = nil
		}
		s.mu.Unlock()
		cancel(context.Canceled)
	}
}

// look returns why the call is over, and what ends it. An input that can't be read counts as
// it was before.
func (g *guard) look(l *line, cfg Config, now time.Time) (context.CancelCauseFunc, error) {
	if g == nil {
		return nil, nil
	}
	if cfg.Loop != nil {
		switch {
		case l.loop.on:
			g.seen, g.flowing = true, now
		case g.seen && now.Sub(g.flowing) >= cfg.LoopBreak:
			return g.end, ErrLoopLost
		case !g.seen && now.Sub(g.start) >= loopWait:
			return g.end, ErrNoLoop
		}
	}
	if !l.used.on {
		g.alone = now
	} else if now.Sub(g.alone) >= inUseFor {
		return g.end, ErrInUse
	}
	for _, i := range []*sensor{&l.loop, &l.used} { // the bell says nothing in a call
		if err := i.fault(); err != nil {
			return g.end, err
		}
	}
	return nil, nil
}
