package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hookswitch/hal/modem"
	"hookswitch/hal/rpi"
)

type probeCommand struct {
	Port  string `arg:"" optional:"" help:"The port's device; without it, every serial port in turn."`
	Baud  int    `default:"115200" help:"Its speed."`
	Trace bool   `help:"Print the AT dialogue."`
}

// Run tells the modem on a port to hang up, asks it what it is and whether it will do, and
// prints what to write into the configuration. A port that the daemon has open is refused
// by the system.
func (c *probeCommand) Run(ctx context.Context) error {
	if c.Port != "" {
		return c.probe(ctx, c.Port)
	}
	ports := rpi.Ports()
	if len(ports) == 0 {
		return errors.New("this machine has no serial port: plug the modem in, and see what dmesg says of it")
	}
	for _, port := range ports {
		fmt.Println("#", port)
		if err := c.probe(ctx, port); err != nil {
			fmt.Println("#", printable(err.Error()))
		}
		fmt.Println()
	}
	return ctx.Err()
}

func (c *probeCommand) probe(ctx context.Context, path string) error {
	serial, err := rpi.OpenSerial(path, c.Baud)
	if err != nil {
		return err
	}
	port := io.ReadWriteCloser(serial)
	if c.Trace {
		port = tracedPort{serial}
	}
	report, err := modem.Probe(ctx, port)
	if err != nil {
		for _, line := range report.Ident {
			fmt.Println("#", printable(line))
		}
		return err
	}
	for line := range strings.Lines(report.String()) {
		fmt.Println("#", printable(strings.TrimSpace(line)))
	}
	fmt.Printf("[[line]]\nname    = \"line1\"\ndialect = %q\nport    = %q\nbaud    = %d\n", report.Dialect, path, c.Baud)
	if report.GSM && report.Sound != "" {
		fmt.Println(`pcm     = "/dev/…" # its audio port, another of the same device`)
	}
	if report.Fault != "" {
		return errors.New(report.Fault)
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
