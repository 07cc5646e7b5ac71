package update

import (
	"fmt"
	"syscall"
)

// A Restart is asked of the appliance's init (process 1) by signal. It hangs up every
// line, stops the daemon, syncs and unmounts first.
type Restart syscall.Signal

// Restarts.
const (
	Again    = Restart(syscall.SIGTERM) // start the default slot
	Try      = Restart(syscall.SIGUSR1) // start the other slot, once
	PowerOff = Restart(syscall.SIGUSR2)
)

// Request asks for the restart. It returns before it happens; on anything but an
// appliance it fails with ErrNoCard.
func (r Restart) Request() error {
	if _, err := ReadRelease(ReleaseFile); err != nil {
		return err
	}
	if err := syscall.Kill(1, syscall.Signal(r)); err != nil {
		return fmt.Errorf("update: restart: %w", err)
	}
	return nil
}
