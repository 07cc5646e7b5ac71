package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
)

// onHookLimit is what a supervisor gives us between the death of a daemon and its next start.
const onHookLimit = 10 * time.Second

// pinLimit is how long the guard of a dead daemon may still have a relay's pin: it opens the
// relay, and ends.
const pinLimit = time.Second

// OnHook opens every hook relay of a configuration and has every modem hang up. It returns an
// error where a line is not known to be on-hook after that, because current flows on it too. The
// daemon does the same when it starts; this is for when it is dead.
func OnHook(ctx context.Context, path string) error {
	opt := Options{Config: path}
	cfg, err := load(opt)
	if err != nil {
		return err
	}
	d := &Daemon{cfg: cfg, log: newLogger(io.Discard, "error")}
	lines, err := d.lines(opt, nil)
	if err != nil {
		return err
	}
	var errs, relays []error
	var switches []*hook.Switch
	for _, l := range lines { // every relay first: they need no modem's consent
		s, err := hook.New(hook.Config{Relay: l.Hook.Relay, Select: l.Hook.Select, Loop: l.Hook.Loop})
		defer func() { _ = s.Close() }() // it can be used whatever the error says
		switches, relays = append(switches, s), append(relays, err)
	}
	for begin := time.Now(); errors.Join(relays...) != nil && time.Since(begin) < pinLimit; time.Sleep(pinLimit / 20) {
		for i, s := range switches {
			relays[i] = s.OnHook()
		}
	}
	for i, err := range relays {
		if err != nil {
			errs = append(errs, fmt.Errorf("line %s: %w", lines[i].Name, err))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, onHookLimit)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, l := range lines {
		wg.Go(func() {
			m := modem.New(l.Modem)
			err := m.WaitReady(ctx)
			_ = m.Close()
			if err = errors.Join(err, stopped(ctx, switches[i])); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("line %s: %w", l.Name, err))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// stopped waits until no current flows on a line that has been hung up, or that is a fault.
func stopped(ctx context.Context, s *hook.Switch) error {
	for {
		changed := s.Changed()
		if st := s.State(); !st.Current || st.Fault != nil {
			return st.Fault
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
