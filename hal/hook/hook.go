// Package hook is the hook switch of a telephone line: the relay that seizes and
// releases it, and the inputs that tell what the line does.
//
//	        relay closed                relay opened
//	on-hook ───────────────► off-hook ───────────────► on-hook, and no sooner than
//	           Settle                                  MinOnHook off-hook again
//
// Going on-hook never waits: not for a lock held over I/O, not for a timer, not for
// the modem.
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
)

// Times that hold where Config leaves them zero.
const (
	settle    = 20 * time.Millisecond  // contact operates in 10 ms and bounces for up to 5
	minOnHook = 2 * time.Second        // what a PBX takes as a release, with margin
	loopBreak = 350 * time.Millisecond // longer than a flash of the exchange, shorter than most disconnect pulses
	loopWait  = 5 * time.Second        // from seizing the line to the first loop current
	inUseFor  = 200 * time.Millisecond // a parallel telephone lifted, not a glitch
	poll      = 10 * time.Millisecond  // edges can't be waited for on current kernels
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

	Edge func(closed bool) // sees each change of the relay, for traces; may be nil
}

// Switch is one hook switch. Its methods may be called from any goroutine.
type Switch struct {
	cfg   Config
	ring  *ringWatch
	mu    sync.Mutex // guards what follows
	off   bool       // the commanded state: a relay output must never be read back
	fault error      // the last failure to release the relay
	since time.Time  // when the line last went on-hook
	turn  int        // counts OnHook calls, so that a slow OffHook notices one
}

// New returns the switch of a line, on-hook: the relay is opened before New returns.
// The error is that of the relay; the switch can be used and tries again.
func New(cfg Config) (*Switch, error) {
	cfg.Settle = orDefault(cfg.Settle, settle)
	cfg.MinOnHook = orDefault(cfg.MinOnHook, minOnHook)
	cfg.LoopBreak = orDefault(cfg.LoopBreak, loopBreak)
	s := &Switch{cfg: cfg}
	err := s.OnHook()
	if cfg.Ring != nil {
		s.ring = watchRing(cfg.Ring)
	}
	return s, err
}

func orDefault(d, std time.Duration) time.Duration {
	if d == 0 {
		return std
	}
	return d
}

// IsOff says whether the switch is commanded off-hook, or could not be put on-hook.
func (s *Switch) IsOff() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.off || s.fault != nil
}

// Free returns nil when the line may be seized, else ErrInUse or ErrRinging.
func (s *Switch) Free() error {
	if s.ring != nil && s.ring.ringing() {
		return ErrRinging
	}
	if s.cfg.InUse != nil {
		used, err := s.cfg.InUse.Read()
		if err != nil {
			return fmt.Errorf("hook: line-in-use input: %w", err)
		}
		if used {
			return ErrInUse
		}
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
	if err := sleep(ctx, s.cfg.MinOnHook-rested); err != nil {
		return err
	}
	if err := s.Free(); err != nil {
		return err
	}
	if err := s.seize(turn); err != nil {
		return err
	}
	if err := sleep(ctx, s.cfg.Settle); err != nil {
		return errors.Join(err, s.OnHook())
	}
	return nil
}

// seize closes the relay unless somebody has said on-hook since turn.
func (s *Switch) seize(turn int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn != turn {
		return ErrReleased
	}
	if err := errors.Join(s.selectLocked(true), s.setLocked(true)); err != nil {
		return errors.Join(err, s.setLocked(false), s.selectLocked(false))
	}
	return nil
}

// OnHook releases the line. It may be called at any time and drives the relay each time,
// whatever the switch believes.
func (s *Switch) OnHook() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	s.fault = errors.Join(s.setLocked(false), s.selectLocked(false))
	return s.fault
}

func (s *Switch) selectLocked(closed bool) error {
	if s.cfg.Select == nil {
		return nil
	}
	if err := s.cfg.Select.Set(closed); err != nil {
		return fmt.Errorf("hook: line-select relay: %w", err)
	}
	return nil
}

// setLocked drives the relay; s.mu is held, which is as long as a register write takes.
func (s *Switch) setLocked(closed bool) error {
	if s.cfg.Relay != nil {
		if err := s.cfg.Relay.Set(closed); err != nil {
			return fmt.Errorf("hook: relay: %w", err)
		}
	}
	if s.off == closed {
		return nil
	}
	s.off = closed
	if !closed {
		s.since = time.Now()
	}
	if s.cfg.Edge != nil && s.cfg.Relay != nil {
		s.cfg.Edge(closed)
	}
	return nil
}

// WatchLoop returns a context that ends with cause ErrLoopLost when the far exchange
// drops the loop current, ErrNoLoop when none has flowed 5 s after the call to
// WatchLoop, or ErrInUse when a person lifts a parallel telephone: the line is theirs.
// The returned function stops the watch and waits for it.
func (s *Switch) WatchLoop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if s.cfg.Loop == nil && s.cfg.InUse == nil {
		return ctx, func() { cancel(context.Canceled) }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.watch(ctx); err != nil {
			cancel(err)
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-done
	}
}

// watch polls the inputs until one of them ends the call, or ctx does.
func (s *Switch) watch(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	start := time.Now()
	flowing, used := start, start // when current last flowed; when the line was last ours alone
	seen := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		if s.cfg.Loop != nil {
			on, err := s.cfg.Loop.Read()
			if err != nil {
				return fmt.Errorf("hook: loop input: %w", err)
			}
			switch {
			case on:
				seen, flowing = true, now
			case seen && now.Sub(flowing) >= s.cfg.LoopBreak:
				return ErrLoopLost
			case !seen && now.Sub(start) >= loopWait:
				return ErrNoLoop
			}
		}
		if s.cfg.InUse != nil {
			on, err := s.cfg.InUse.Read()
			if err != nil {
				return fmt.Errorf("hook: line-in-use input: %w", err)
			}
			if !on {
				used = now
			} else if now.Sub(used) >= inUseFor {
				return ErrInUse
			}
		}
	}
}

// Close puts the line on-hook and stops the ring watch.
func (s *Switch) Close() error {
	err := s.OnHook()
	if s.ring != nil {
		s.ring.close()
	}
	return err
}

// sleep waits for d, or returns ctx's cause.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
