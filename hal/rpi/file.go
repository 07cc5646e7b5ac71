package rpi

import (
	"fmt"
	"os"

	"hookswitch/hal"
)

// fileRelay is a relay behind a value file: "1" is high level, "0" low, as the kernel's
// GPIO sysfs has it, and as the simulated exchange does where it runs as a program of its own.
type fileRelay struct{ pin Pin }

var _ hal.Relay = (*fileRelay)(nil)

// Set implements hal.Relay.
func (r *fileRelay) Set(closed bool) error {
	value := "0"
	if r.pin.level(closed) {
		value = "1"
	}
	// Opened for each write and never truncated: a reader must not find it empty.
	f, err := os.OpenFile(r.pin.Name, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("rpi: relay: %w", err)
	}
	_, err = f.WriteString(value)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("rpi: relay: %w", err)
	}
	return nil
}

type fileInput struct{ pin Pin }

var _ hal.Input = (*fileInput)(nil)

// Read implements hal.Input.
func (i *fileInput) Read() (bool, error) {
	f, err := os.Open(i.pin.Name)
	if err != nil {
		return false, fmt.Errorf("rpi: input: %w", err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.Read(b[:]); err != nil {
		return false, fmt.Errorf("rpi: input %s: %w", i.pin.Name, err)
	}
	switch b[0] {
	case '0', '1':
		return b[0] == '1' != i.pin.ActiveLow, nil
	}
	return false, fmt.Errorf("rpi: input %s: holds %q, want 0 or 1", i.pin.Name, b[0])
}
