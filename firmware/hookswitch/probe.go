package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"hookswitch/hal/modem"
	"hookswitch/hal/rpi"
)

type probeCommand struct {
	Port  string `arg:"" help:"The port's device."`
	Baud  int    `default:"115200" help:"Its speed."`
	Trace bool   `help:"Print the AT dialogue."`
}

// Run tells the modem on a port to hang up, asks it what it is and whether it will do, and
// prints what to write into the configuration. A port that the daemon has open is refused
// by the system.
func (c *probeCommand) Run(ctx context.Context) error {
	serial, err := rpi.OpenSerial(c.Port, c.Baud)
	if err != nil {
		return err
	}
	port := io.ReadWriteCloser(serial)
	if c.Trace {
		port = tracedPort{serial}
	}
	report, err := modem.Probe(ctx, port)
	for _, line := range report.Ident {
		fmt.Println("#", printable(line))
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(report.String()) {
		fmt.Println("#", printable(strings.TrimSpace(line)))
	}
	fmt.Printf("[[line]]\nname    = \"line1\"\ndialect = %q\nport    = %q\nbaud    = %d\n", report.Dialect, c.Port, c.Baud)
	if report.GSM && report.Sound != "" {
		fmt.Println(`pcm     = "/dev/…" # its audio port, another of the same device`)
	}
	if report.Fault != "" {
		return fmt.Errorf("%s", report.Fault)
	}
	return nil
}

// tracedPort prints what goes through it.
type tracedPort struct{ io.ReadWriteCloser }

func (t tracedPort) Read(b []byte) (int, error) {
	n, err := t.ReadWriteCloser.Read(b)
	if n > 0 {
		fmt.Fprintf(os.Stderr, "< %q\n", b[:n])
	}
	return n, err
}

func (t tracedPort) Write(b []byte) (int, error) {
	fmt.Fprintf(os.Stderr, "> %q\n", b)
	return t.ReadWriteCloser.Write(b)
}
