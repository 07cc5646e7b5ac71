package daemon

import (
	"sync"
	"time"

	"hookswitch/firmware/config"
	"hookswitch/hal"
	"hookswitch/hal/rpi"
)

// openAgain is how long after an attempt to open an input the next is made.
const openAgain = 5 * time.Second

// input is an input of a line, which may not be there yet: its driver comes late, or another
// program has the pin. Until then it can't be read, which puts its own line in fault.
type input struct {
	pin rpi.Pin

	mu    sync.Mutex // guards what follows
	in    hal.Input  // nil until it could be opened
	err   error      // why it could not
	tried time.Time
}

var _ hal.Input = (*input)(nil)

func openInput(p config.Pin) hal.Input { return &input{pin: rpiPin(p)} }

// Read implements hal.Input.
func (i *input) Read() (bool, error) {
	in, err := i.open()
	if err != nil {
		return false, err
	}
	return in.Read()
}

func (i *input) open() (hal.Input, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.in == nil && (i.tried.IsZero() || time.Since(i.tried) >= openAgain) {
		i.tried = time.Now()
		in, err := rpi.OpenInput(i.pin)
		if i.err = err; err == nil {
			i.in = in
		}
	}
	return i.in, i.err
}
