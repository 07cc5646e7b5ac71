// Package hal is the electricity of a telephone line: one relay contact, one
// isolated input. It knows no calls, no modems and no XML.
//
// The real contacts are in hal/rpi, the simulated ones in hal/sim.
package hal

import "errors"

// Errors of a relay that a process of its own drives, for which there is a lease: hal/guard.
var (
	ErrLeaseEnded = errors.New("the relay was opened because this program had made no progress")
	ErrNoGuard    = errors.New("the process that drives the relays is not running; it is being started again")
)

// ErrBusy is the error of a relay that another program drives.
var ErrBusy = errors.New("another program drives the relay")

// Relay is one relay contact. Closed means that the contact conducts, whatever
// level or coil state that takes; polarity and normally-open or -closed wiring
// are the implementation's business.
type Relay interface {
	// Set returns once the level is driven; it does not wait for the contact to
	// settle. Setting a contact to the state it already has drives it again.
	Set(closed bool) error
}

// Input is one isolated input.
type Input interface {
	// Read says whether current flows through the input now.
	Read() (active bool, err error)
}
