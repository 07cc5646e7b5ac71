package daemon

import (
	"encoding/json"

	"hookswitch/firmware/config"
	"hookswitch/hal"
	"hookswitch/hal/guard"
)

// relayBank is the relays that can hold a line off-hook: hook relays and line-select relays. Those
// in a modem's supply are not among them; nobody is called by one that stays as it is.
type relayBank struct {
	guard *guard.Guard // nil drives them from this process
	pins  []config.Pin // by the guard's numbers
}

// openRelays starts the relays' guard, whose first act is to open every one of them.
func (d *Daemon) openRelays(command []string) *relayBank {
	b := &relayBank{}
	if d.sim != nil || command == nil {
		return b
	}
	args := append([]string(nil), command...)
	for _, c := range d.cfg.Lines {
		for _, pin := range []config.Pin{c.Hook.Pin, c.Select} {
			if !pin.Wired() {
				continue
			}
			text, err := json.Marshal(rpiPin(pin))
			if err != nil {
				panic(err) // strings and bools
			}
			b.pins = append(b.pins, pin)
			args = append(args, string(text))
		}
	}
	if len(b.pins) > 0 {
		d.guard = guard.Start(args, d.log)
		b.guard = d.guard
	}
	return b
}

// guarded returns a pin's relay behind the guard, nil where there is none.
func (b *relayBank) guarded(pin config.Pin) *guard.Relay {
	for i := range b.pins {
		if b.guard != nil && b.pins[i] == pin {
			return b.guard.Relay(i)
		}
	}
	return nil
}

func (b *relayBank) open(pin config.Pin) hal.Relay {
	if g := b.guarded(pin); g != nil {
		return g
	}
	return openRelay(pin)
}

// lease returns the lease of a line's relays, nil where there is no guard.
func (b *relayBank) lease(c config.Line) func(hold bool) error {
	var of []*guard.Relay
	for _, pin := range []config.Pin{c.Hook.Pin, c.Select} {
		if g := b.guarded(pin); g != nil {
			of = append(of, g)
		}
	}
	if len(of) == 0 {
		return nil
	}
	return b.guard.Lease(of...)
}
