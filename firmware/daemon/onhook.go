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

// OnHook opens every hook relay of a configuration and has every modem hang up. The daemon
// does the same when it starts; this is for when it is dead.
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
	var errs []error
	for _, l := range lines { // every relay first: they need no modem's consent
		s, err := hook.New(hook.Config{Relay: l.Hook.Relay, Select: l.Hook.Select})
		if err != nil {
			errs = append(errs, fmt.Errorf("line %s: %w", l.Name, err))
		}
		defer s.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, onHookLimit)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, l := range lines {
		wg.Go(func() {
			m := modem.New(l.Modem)
			err := m.WaitReady(ctx)
			_ = m.Close()
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("line %s: %w", l.Name, err))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
