package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// manualCommand prints the manual page that the package ships: the same definitions as --help.
type manualCommand struct{}

// Run prints the page for man(1).
func (c *manualCommand) Run(k *kong.Kong) error { return writeManual(os.Stdout, k.Model) }

// manualTail is what --help has no room for.
const manualTail = `.SH EXIT STATUS
.TP
0
What was asked for is done.
.TP
1
It is not: refused, failed, or, of a call, not heard to its end.
.TP
2
The command line is wrong.
.TP
130
A signal ended the program before it was done.
.SH FILES
.TP
.I /etc/hookswitch.toml
The configuration; \fBhookswitch config\fR prints an example that explains every key.
.TP
.I /var/lib/hookswitch
Messages, greetings, the call log and the board's certificate.
`

// writeManual writes the page in man(7)'s language.
func writeManual(w io.Writer, app *kong.Application) error {
	var page strings.Builder
	fmt.Fprintf(&page, ".TH HOOKSWITCH 1 \"\" \"hookswitch\" \"User Commands\"\n.SH NAME\n")
	about, _, _ := strings.Cut(app.Help, "\n")
	fmt.Fprintf(&page, "hookswitch \\- %s\n", roff(strings.TrimSuffix(about, ".")))
	page.WriteString(".SH SYNOPSIS\n.B hookswitch\n.I command\n.RI [ options ]\n.SH COMMANDS\n")
	for _, command := range app.Leaves(true) {
		fmt.Fprintf(&page, ".TP\n.B %s\n%s\n", roff(strings.TrimPrefix(command.Summary(), app.Name+" ")), roff(command.Help))
		for _, argument := range command.Positional {
			definition(&page, argument.Summary(), argument.Help, "")
		}
		options(&page, command.Flags)
	}
	page.WriteString(".SH OPTIONS OF EVERY COMMAND\n")
	options(&page, app.Flags)
	page.WriteString(manualTail)
	_, err := io.WriteString(w, page.String())
	return err
}

func options(page *strings.Builder, flags []*kong.Flag) {
	for _, f := range flags {
		if !f.Hidden {
			definition(page, f.String(), f.Help, strings.Join(f.Envs, ", "))
		}
	}
}

// definition writes one indented entry.
func definition(page *strings.Builder, term, text, environment string) {
	if environment != "" {
		text += " Environment: " + environment + "."
	}
	fmt.Fprintf(page, ".RS\n.TP\n.B %s\n%s\n.RE\n", roff(term), roff(text))
}

// roff escapes what man(7) would take for its own.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
