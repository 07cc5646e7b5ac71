package modem

import (
	"context"
	"fmt"
	"time"

	"hookswitch/hal"
)

// PowerSwitch switches a modem off and on by a relay: in its supply, where the contact
// conducts at rest, or across its power key, which is not pressed at rest.
type PowerSwitch struct {
	Relay hal.Relay
	Key   bool // the relay presses the power key
	Off   time.Duration
	Boot  time.Duration // until the modem is there again

	PressOff, PressOn time.Duration // how long the key is held
}

// Cycle is a Config's Power: the last resort for a modem that answers nothing, and what a
// technician would do by hand. A cycle that is cut short leaves the modem on.
func (p PowerSwitch) Cycle(ctx context.Context) error {
	type step struct {
		closed bool
		wait   time.Duration
	}
	steps := []step{{false, p.Off}, {true, p.Boot}}
	if p.Key {
		steps = []step{{true, p.PressOff}, {false, p.Off}, {true, p.PressOn}, {false, p.Boot}}
	}
	for _, s := range steps {
		if err := p.Relay.Set(s.closed); err != nil {
			return fmt.Errorf("modem: power: %w", err)
		}
		if hal.Sleep(ctx, s.wait) != nil {
			return p.Relay.Set(!p.Key)
		}
	}
	return nil
}
