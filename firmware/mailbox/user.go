package mailbox

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// ErrUser is that of a name that no user may have.
var ErrUser = errors.New("mailbox: not a user's name")

// maxUser is the longest name of a user, in bytes.
const maxUser = 64

// CheckUser says what is wrong with the name of a user, which is also that of a directory:
// letters, digits and . _ - + @ inside it, and neither a dot nor a dash in front.
func CheckUser(name string) error {
	if name == "" || len(name) > maxUser {
		return fmt.Errorf("%w: a name has 1 to %d bytes", ErrUser, maxUser)
	}
	for i, c := range name {
		inside := i > 0 && (c == '.' || c == '-' || c == '_' || c == '+' || c == '@')
		if !inside && !unicode.IsLetter(c) && !unicode.IsDigit(c) || c == utf8.RuneError {
			return fmt.Errorf("%w: %q in it; there may be letters, digits, and . _ - + @ after the first", ErrUser, c)
		}
	}
	return nil
}
