package dialect

import (
	"fmt"
	"slices"
	"strings"
)

// Format is a voice format that a modem offers (V.253 +VSM).
type Format struct {
	ID    int
	Name  string // as the modem has it; by V.253 table 17 where it gives none
	Bits  int    // a sample; 0 where neither field nor name tells
	Rates []Rate
}

// Rate is a range of sample rates, in Hz.
type Rate struct{ Low, High int }

// String is the format for a person.
func (f Format) String() string {
	var rates []string
	for _, r := range f.Rates {
		s := fmt.Sprint(r.Low)
		if r.High != r.Low {
			s = fmt.Sprintf("%d-%d", r.Low, r.High)
		}
		rates = append(rates, s)
	}
	return fmt.Sprintf("%d %s at %s Hz", f.ID, f.Name, strings.Join(rates, ", "))
}

// At8000 reports whether the format has the telephone line's own rate: this board does not
// resample for a modem.
func (f Format) At8000() bool {
	return slices.ContainsFunc(f.Rates, func(r Rate) bool { return r.Low <= 8000 && 8000 <= r.High })
}
