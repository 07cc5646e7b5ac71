package call

import (
	"fmt"
	"testing"

	"hookswitch/hal/modem"
)

// A modem tells of a telephone that is lifted together with the end that it means for the call.
func TestATelephoneThatIsLiftedIsNotTheFarEnd(t *testing.T) {
	inCall := fmt.Errorf("%w: %w", modem.ErrHungUp, modem.ErrInUse)
	if got := outcome(inCall, true); got.cause != Other || got.reason != "another telephone on the line was lifted" {
		t.Errorf("in a call: %+v", got)
	}
	before := fmt.Errorf("%w: %w", modem.ErrNoDialTone, modem.ErrInUse)
	if got := outcome(before, false); got.cause != Unavailable || got.reason != "another telephone on the line is in use" {
		t.Errorf("before it: %+v", got)
	}
}
