package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestTheManualHasEveryCommandAndOption(t *testing.T) {
	var cl commandLine
	app := kong.Must(&cl, kong.Name("hookswitch"), kong.Description(about), kong.Vars{"version": ""}).Model
	var page strings.Builder
	if err := writeManual(&page, app); err != nil {
		t.Fatal(err)
	}
	for _, command := range app.Leaves(true) {
		if !strings.Contains(page.String(), roff(command.Help)) {
			t.Errorf("no %s", command.Name)
		}
		for _, f := range command.Flags {
			if !f.Hidden && !strings.Contains(page.String(), roff(f.String())) {
				t.Errorf("%s: no %s", command.Name, f)
			}
		}
	}
}

func TestRoffTakesTextAsItIs(t *testing.T) {
	for in, want := range map[string]string{
		".netrc": `\&.netrc`, "--to": `\-\-to`, `a\b`: `a\eb`, "'tis": `\&'tis`, "two\nlines": "two lines",
	} {
		if got := roff(in); got != want {
			t.Errorf("roff(%q) = %q, want %q", in, got, want)
		}
	}
}
