package daemon

import (
	"context"
	"fmt"
	"time"

	"hookswitch/firmware/config"
	"hookswitch/hal"
)

// What holds where the configuration leaves a time open. A modem wants five seconds without
// power before it forgets what ails it, and a module half a minute to be there again.
const (
	powerOff      = 5 * time.Second
	powerPressOn  = 2 * time.Second
	powerPressOff = 3 * time.Second
	powerBoot     = 20 * time.Second
)

// powerStep is a state of the relay and how long it holds.
type powerStep struct {
	closed bool
	wait   time.Duration
}

// powerCycle switches a modem off and on: the last resort for one that answers nothing, and
// what a technician would do by hand.
func powerCycle(relay hal.Relay, p config.Power) func(ctx context.Context) error {
	or := func(d, std time.Duration) time.Duration {
		if d == 0 {
			return std
		}
		return d
	}
	rest := p.Kind != config.PowerKey // a contact in the supply conducts, a key is not pressed
	steps := []powerStep{{false, or(p.Off, powerOff)}, {true, or(p.Boot, powerBoot)}}
	if p.Kind == config.PowerKey {
		steps = []powerStep{
			{true, or(p.PressOff, powerPressOff)}, {false, or(p.Off, powerOff)},
			{true, or(p.PressOn, powerPressOn)}, {false, or(p.Boot, powerBoot)},
		}
	}
	return func(ctx context.Context) error {
		for _, s := range steps {
			if err := relay.Set(s.closed); err != nil {
				return fmt.Errorf("daemon: modem power: %w", err)
			}
			select {
			case <-time.After(s.wait):
			case <-ctx.Done():
				return relay.Set(rest)
			}
		}
		return nil
	}
}
