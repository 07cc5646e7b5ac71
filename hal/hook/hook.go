// Package hook is the hook switch of a telephone line: the relay that seizes and
// releases it, and the inputs that tell what the line does.
//
//	        relay closed                relay opened
//	on-hook ───────────────► off-hook ───────────────► on-hook, and no sooner than
//	           Settle                                  MinOnHook off-hook again
//
// Going on-hook never waits: not for a lock, not for a timer, not for the modem. One
// goroutine (watch.go) reads the inputs, all the time; what is asked for is answered from
// what it has seen.
package hook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hookswitch/hal"
)

// Reasons why the line can't be seized, or is given up.
var (
	ErrInUse    = errors.New("hook: line in use by another telephone")
	ErrRinging  = errors.New("hook: line is ringing")
	ErrNoLoop   = errors.New("hook: no loop current")
	ErrLoopLost = errors.New("hook: loop current lost")
	ErrReleased = errors.New("hook: released while going off-hook")
	ErrRelay    = errors.New("hook: relay can't be driven")
	ErrInput    = errors.New("hook: input can't be read")
	ErrCurrent  = errors.New("hook: loop current on-hook") // flows though the line is released
)

// Times that hold where Config leaves them zero.
const (
	settle    = 20 * time.Millisecond  // contact operates in 10 ms and bounces for up to 5
	minOnHook = 2 * time.Second        // what a PBX takes as a release, with margin
	loopBreak = 350 * time.Millisecond // longer than a flash of the exchange, shorter than most disconnect pulses
)

// Config is what a Switch is wired to. Every field may be left zero.
type Config struct {
	Relay hal.Relay // in series with the line; nil where the modem alone seizes it
	// Select joins the modem to this line for as long as a call has it, where a telephone or
	// another line has it else. It is closed before Relay and opened after it.
	Select hal.Relay
	Loop   hal.Input // loop current through our relay
	Ring   hal.Input // ringing voltage, as pulses at twice its frequency
	InUse  hal.Input // a parallel telephone is off-hook (low line voltage)

	Settle    time.Duration // from closing the relay to a usable line
	MinOnHook time.Duration // shortest on-hook time between two calls
	LoopBreak time.Duration // loop current missing for this long is a disconnect

	Edge func(closed bool) // sees each change of the relay, for traces; must not block; may be nil
}

// State is what is known of a line at a moment.
type State struct {
	// Off reports whether the switch is commanded off-hook, Open whether the relay is known to
	// be open: where there is none, whether the switch is commanded on-hook. Neither holds
	// while the relay is being driven, and of one that could not be opened.
	Off, Open bool
	// Current reports loop current. After OnHook it holds until the current has been seen to
	// have stopped. It does not hold where no loop input is wired, or it can't be read.
	Current bool
	// Fault is why nothing may seize the line, and what to do about it, in a sentence for a
	// person: ErrRelay, ErrInput or ErrCurrent. It is nil for a line that is only ringing or in use.
	Fault error
}

// Switch is one hook switch. Its methods may be called from any goroutine; only Close waits
// for anything but the relay that it drives.
type Switch struct {
	cfg  Config
	once sync.Once
	wake chan struct{}      // the pace of the watch has changed
	look chan chan struct{} // asks the watch to read the inputs now
	stop chan struct{}
	done chan struct{}

	mu      sync.Mutex // guards what follows; never held while a relay is driven or an input read
	off     bool       // the commanded state: a relay output must never be read back
	closed  bool       // how Relay was driven last, for Edge
	driving int        // goroutines that are driving the relays
	began   time.Time  // when the first of them began
	stuck   error      // the last failure to open the relays
	since   time.Time  // when the line last went on-hook
	tried   time.Time  // when the relays were last told to open
	turn    int        // counts OnHook calls, so that a slow OffHook notices one
	line    line
	guard   *guard // of the call that is up; nil without one
	told    State
	changed chan struct{}
}

// New returns the switch of a line, on-hook: the relay is opened before New returns.
// The error is that of the relay; the switch can be used and tries again.
func New(cfg Config) (*Switch, error) {
	cfg.Settle = orDefault(cfg.Settle, settle)
	cfg.MinOnHook = orDefault(cfg.MinOnHook, minOnHook)
	cfg.LoopBreak = orDefault(cfg.LoopBreak, loopBreak)
	s := &Switch{
		cfg: cfg, wake: make(chan struct{}, 1), look: make(chan chan struct{}),
		stop: make(chan struct{}), done: make(chan struct{}), changed: make(chan struct{}),
	}
	err := s.open()
	if !s.wired() && cfg.Relay == nil && cfg.Select == nil {
		close(s.done)
		return s, err
	}
	go s.watch()
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	_ = s.fresh(ctx) // State tells of inputs that can't be read
	return s, err
}

// open opens the relays for the first time. It does not wait for ever: a board has other lines.
func (s *Switch) open() error {
	opened := make(chan error, 1)
	go func() { opened <- s.OnHook() }()
	limit := time.NewTimer(driveLimit)
	defer limit.Stop()
	select {
	case err := <-opened:
		return err
	case <-limit.C:
		return s.State().Fault
	}
}

func orDefault(d, std time.Duration) time.Duration {
	if d == 0 {
		return std
	}
	return d
}

// State returns what is known of the line. It never waits.
func (s *Switch) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stateLocked()
}

// Changed is closed, and replaced, at the next change of State.
func (s *Switch) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Switch) stateLocked() State {
	st := State{
		Off: s.off, Open: !s.off && s.driving == 0 && s.stuck == nil,
		Current: s.cfg.Loop != nil && s.line.flows && s.line.loop.readable() && !s.blindLocked(),
	}
	switch {
	case s.driving > 0 && time.Since(s.began) >= driveLimit:
		st.Fault = relayFault("a relay of the line", errors.New("it does not answer"))
	case s.stuck != nil:
		st.Fault = s.stuck
	case s.blindLocked():
		st.Fault = inputFault("an input of the line", errors.New("it does not answer"))
	case s.line.fault() != nil:
		st.Fault = s.line.fault()
	case st.Current && !s.off && s.line.seen.Sub(s.since) >= stopLimit:
		st.Fault = s.currentFault()
	}
	return st
}

// tellLocked wakes who waits for a change, if there is one.
func (s *Switch) tellLocked() {
	now := s.stateLocked()
	levels := now.Off == s.told.Off && now.Open == s.told.Open && now.Current == s.told.Current
	if levels && text(now.Fault) == text(s.told.Fault) {
		return
	}
	s.told = now
	close(s.changed)
	s.changed = make(chan struct{})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Ringing reports whether the ring input has told of ringing within the last 6 s.
func (s *Switch) Ringing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line.bells.ringing()
}

// Free returns nil when the line may be seized, else State's Fault, ErrRinging, ErrInUse or
// ErrCurrent.
func (s *Switch) Free() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch st := s.stateLocked(); {
	case st.Fault != nil:
		return st.Fault
	case s.line.bells.ringing():
		return ErrRinging
	case s.line.used.on:
		return ErrInUse
	case !s.off && (st.Current || s.line.loop.on):
		return ErrCurrent
	}
	return nil
}

// OffHook seizes the line and returns after settling. It waits first until the line has
// been on-hook for MinOnHook, and refuses a line that is not Free. On every error the
// line is on-hook.
func (s *Switch) OffHook(ctx context.Context) error {
	s.mu.Lock()
	turn, rested := s.turn, time.Since(s.since)
	s.mu.Unlock()
	if err := hal.Sleep(ctx, s.cfg.MinOnHook-rested); err != nil {
		return err
	}
	if err := s.fresh(ctx); err != nil {
		return err
	}
	if err := s.Free(); err != nil {
		return err
	}
	if err := s.seize(turn); err != nil {
		if ctx.Err() != nil { // who ended it has released the line too
			return context.Cause(ctx)
		}
		return err
	}
	if err := hal.Sleep(ctx, s.cfg.Settle); err != nil {
		return errors.Join(err, s.OnHook())
	}
	return nil
}

// seize closes the relay unless somebody has said on-hook since turn. An OnHook that comes
// while the relay is being closed finds it closed afterwards, and opens it, or has it opened
// from here.
func (s *Switch) seize(turn int) error {
	if !s.begin(turn) {
		return ErrReleased
	}
	err := errors.Join(s.driveSelect(true), s.driveRelay(true))
	s.mu.Lock()
	s.driving--
	released := s.turn != turn
	s.tellLocked()
	s.mu.Unlock()
	s.awaken()
	switch {
	case released:
		return errors.Join(ErrReleased, s.OnHook())
	case err != nil:
		return errors.Join(err, s.OnHook())
	}
	return nil
}

// begin commands the switch off-hook, unless it has been released since turn.
func (s *Switch) begin(turn int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn != turn || s.driving > 0 {
		return false
	}
	s.off = true
	s.driveLocked()
	return true
}

// OnHook releases the line. It may be called at any time and drives the relay each time,
// whatever the switch believes.
func (s *Switch) OnHook() error {
	s.mu.Lock()
	s.turn++
	s.driveLocked()
	s.mu.Unlock()
	err := errors.Join(s.driveRelay(false), s.driveSelect(false))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.driving--
	s.stuck, s.tried = err, time.Now()
	if s.off || s.since.IsZero() {
		s.off, s.since = false, time.Now()
		s.line.flows = s.cfg.Loop != nil // until it is seen to have stopped
	}
	s.tellLocked()
	s.awaken()
	return err
}

func (s *Switch) driveLocked() {
	if s.driving++; s.driving == 1 {
		s.began = time.Now()
	}
}

// driveRelay drives the hook relay, and tells of its edge.
func (s *Switch) driveRelay(closed bool) error {
	if err := set(s.cfg.Relay, "hook relay", closed); err != nil || s.cfg.Relay == nil {
		return err
	}
	s.mu.Lock()
	edge := s.closed != closed
	s.closed = closed
	s.mu.Unlock()
	if edge && s.cfg.Edge != nil {
		s.cfg.Edge(closed)
	}
	return nil
}

func (s *Switch) driveSelect(closed bool) error {
	return set(s.cfg.Select, "line-select relay", closed)
}

func set(r hal.Relay, name string, closed bool) error {
	if r == nil {
		return nil
	}
	err := r.Set(closed)
	if err == nil {
		return nil
	}
	return relayFault("the "+name, err)
}

func relayFault(relay string, cause error) error {
	if errors.Is(cause, hal.ErrBusy) {
		return faultf(ErrRelay, cause, "%s is not ours (%v): stop that program, another hookswitch say", relay, cause)
	}
	return faultf(ErrRelay, cause, "%s can't be driven (%v): check its pin in the configuration and its board; "+
		"until then pull the line's plug to be sure that it is on-hook", relay, cause)
}

// Close puts the line on-hook, stops the watch of the inputs and waits for it, unless an input
// does not answer. It may be called more than once.
func (s *Switch) Close() error {
	err := s.OnHook()
	s.once.Do(func() { close(s.stop) })
	limit := time.NewTimer(readLimit)
	defer limit.Stop()
	select {
	case <-s.done:
	case <-limit.C:
	}
	return err
}

// fault is a sentence for a person, what kind of fault it is, and what it comes from.
type fault struct {
	kind, cause error
	sentence    string
}

func (f *fault) Error() string { return f.sentence }

// Unwrap returns the kind, ErrInput say, and the relay's or input's own error.
func (f *fault) Unwrap() []error {
	if f.cause == nil {
		return []error{f.kind}
	}
	return []error{f.kind, f.cause}
}

func faultf(kind, cause error, format string, args ...any) error {
	return &fault{kind, cause, fmt.Sprintf(format, args...)}
}
