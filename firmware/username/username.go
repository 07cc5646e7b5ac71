// Package username tells which names a user may have.
package username

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// longest is the longest name of a user, in bytes.
const longest = 64

// Check says what is wrong with the name of a user, which is also that of a directory:
// letters, digits and . _ - + @ inside it, and neither a dot nor a dash in front.
func Check(name string) error {
	if name == "" || len(name) > longest {
		return fmt.Errorf("a name has 1 to %d bytes", longest)
	}
	for i, c := range name {
		inside := i > 0 && (c == '.' || c == '-' || c == '_' || c == '+' || c == '@')
		if !inside && !unicode.IsLetter(c) && !unicode.IsDigit(c) || c == utf8.RuneError {
			return fmt.Errorf("%q in it; there may be letters, digits, and . _ - + @ after the first", c)
		}
	}
	return nil
}
