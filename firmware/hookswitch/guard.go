package main

import (
	"encoding/json"
	"fmt"

	"hookswitch/hal"
	"hookswitch/hal/guard"
	"hookswitch/hal/rpi"
)

type guardCommand struct {
	Pins []string `arg:"" help:"The relays' pins, as JSON."`
}

// Run is the process that the daemon starts to drive its relays: see package guard.
func (c *guardCommand) Run() error {
	relays := make([]hal.Relay, len(c.Pins))
	for i, text := range c.Pins {
		r := &guardedPin{}
		if err := json.Unmarshal([]byte(text), &r.pin); err != nil {
			return fmt.Errorf("guard: pin %s: %w", text, err)
		}
		relays[i] = r
	}
	return guard.Serve(guard.SocketFD, relays)
}

// guardedPin is a relay whose pin is looked for until it is there: one that is missing is no
// reason not to open the others.
type guardedPin struct {
	pin   rpi.Pin
	relay hal.Relay // nil while it could not be opened
}

// Set implements hal.Relay.
func (g *guardedPin) Set(closed bool) (err error) {
	if g.relay == nil {
		if g.relay, err = rpi.OpenRelay(g.pin); err != nil {
			g.relay = nil
			return err
		}
	}
	return g.relay.Set(closed)
}
