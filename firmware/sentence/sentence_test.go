package sentence_test

import (
	"errors"
	"testing"

	"hookswitch/firmware/sentence"
)

func TestAPersonReadsNoNamesOfPackages(t *testing.T) {
	for text, want := range map[string]string{
		"call: every line is busy":                   "every line is busy",
		"web: config: call: no such call":            "no such call",
		"config: line 3: port: none\nconfig: line 4": "line 3: port: none\nline 4",
		"open /dev/ttyUSB0: call: kept":              "open /dev/ttyUSB0: call: kept",
		"calls: 3":                                   "calls: 3",
		"":                                           "",
	} {
		if got := sentence.Of(errors.New(text)); got != want {
			t.Errorf("Of(%q) = %q, want %q", text, got, want)
		}
	}
}
