package daemon

import (
	"errors"
	"fmt"
	"io/fs"

	"hookswitch/firmware/sentence"
)

// errUnplayable is what every reason has in common for which a message that is there is not played.
var errUnplayable = errors.New("daemon: the message can't be played")

// unplayable is why a message can't be played.
type unplayable struct {
	name string
	err  error
}

func (u *unplayable) Error() string { return fmt.Sprintf("message %s: %v", u.name, u.err) }

func (u *unplayable) Unwrap() []error { return []error{errUnplayable, u.err} }

// Sentence tells a client.
func (u *unplayable) Sentence() string {
	why := sentence.Of(u.err)
	if errors.Is(u.err, fs.ErrPermission) {
		why = "no permission to read it"
	}
	return "The message can't be played: " + why + "."
}
