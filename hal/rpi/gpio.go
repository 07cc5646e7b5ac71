// Package rpi is the real hardware under hal: GPIO pins through periph, serial ports
// through tarm/serial, each made safe in one file.
package rpi

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/host/v3"

	"hookswitch/hal"
)

// Pin says which GPIO it is and how it is wired. In JSON it is told to the relays' guard.
type Pin struct {
	Name           string `json:"name"`                      // "GPIO26", or a value file's absolute path: /sys/class/gpio/gpio26/value
	ActiveLow      bool   `json:"active_low,omitempty"`      // the coil is energised, or the input driven, at low level
	NormallyClosed bool   `json:"normally_closed,omitempty"` // relays: the line runs through the normally-closed contact
	PullUp         bool   `json:"pull_up,omitempty"`         // inputs
	PullDown       bool   `json:"pull_down,omitempty"`       // inputs
}

// periphInit loads periph's drivers once; a machine without GPIO has none and that is no error here.
var periphInit = sync.OnceValue(func() error {
	_, err := host.Init()
	return err
})

// OpenRelay returns the relay on pin p. The pin is not touched before the first Set.
func OpenRelay(p Pin) (hal.Relay, error) {
	if strings.HasPrefix(p.Name, "/") {
		if _, err := os.Stat(p.Name); err != nil {
			return nil, fmt.Errorf("rpi: relay: %w", err)
		}
		return &fileRelay{pin: p}, nil
	}
	out, err := byName(p.Name)
	if err != nil {
		return nil, err
	}
	return &pinRelay{pin: p, out: out}, nil
}

// OpenInput makes pin p an input.
func OpenInput(p Pin) (hal.Input, error) {
	if strings.HasPrefix(p.Name, "/") {
		if _, err := os.Stat(p.Name); err != nil {
			return nil, fmt.Errorf("rpi: input: %w", err)
		}
		return &fileInput{pin: p}, nil
	}
	in, err := byName(p.Name)
	if err != nil {
		return nil, err
	}
	pull := gpio.Float
	if p.PullUp {
		pull = gpio.PullUp
	} else if p.PullDown {
		pull = gpio.PullDown
	}
	if err := in.In(pull, gpio.NoEdge); err != nil {
		return nil, fmt.Errorf("rpi: %s as input: %w", p.Name, err)
	}
	return &pinInput{pin: p, in: in}, nil
}

func byName(name string) (gpio.PinIO, error) {
	if err := periphInit(); err != nil {
		return nil, fmt.Errorf("rpi: GPIO: %w", err)
	}
	p := gpioreg.ByName(name)
	if p == nil {
		return nil, fmt.Errorf("rpi: no pin %s on this machine", name)
	}
	return p, nil
}

// level is the electrical level that puts the contact into state closed.
func (p Pin) level(closed bool) bool {
	energised := closed != p.NormallyClosed
	return energised != p.ActiveLow
}

// pinRelay is a relay on a GPIO. It only ever writes: in periph host v3.8.5 Read and
// Function on an output of the character-device driver turn it into an input with a
// pull-up, and the relay drops (periph/host#75).
type pinRelay struct {
	pin Pin
	out gpio.PinOut
}

var _ hal.Relay = (*pinRelay)(nil)

// Set implements hal.Relay.
func (r *pinRelay) Set(closed bool) error {
	err := r.out.Out(gpio.Level(r.pin.level(closed)))
	if errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("%w: %s", hal.ErrBusy, r.pin.Name)
	}
	if err != nil {
		return fmt.Errorf("rpi: %s: %w", r.pin.Name, err)
	}
	return nil
}

type pinInput struct {
	pin Pin
	in  gpio.PinIn
}

var _ hal.Input = (*pinInput)(nil)

// Read implements hal.Input.
func (i *pinInput) Read() (bool, error) {
	return bool(i.in.Read()) != i.pin.ActiveLow, nil
}
