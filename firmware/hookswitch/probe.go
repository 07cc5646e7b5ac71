package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"hookswitch/hal/modem"
	"hookswitch/hal/rpi"
)

type probeCommand struct {
	Port  string `arg:"" help:"The port's device."`
	Baud  int    `default:"115200" help:"Its speed."`
	Trace bool   `help:"Print the AT dialogue."`
}

// Run tells the modem on a port to hang up, asks it what it is, and prints what to write
// into the configuration. A port that the daemon has open is refused by the system.
func (c *probeCommand) Run(ctx context.Context) error {
	cfg := modem.Config{
		Name: "probe", Dialect: "auto", Log: slog.New(slog.DiscardHandler),
		Open: func() (io.ReadWriteCloser, error) {
			port, err := rpi.OpenSerial(c.Port, c.Baud)
			if err != nil {
				return nil, err // not the nil port in an interface
			}
			return port, nil
		},
	}
	if c.Trace {
		cfg.Trace = func(sent bool, data []byte) {
			fmt.Fprintf(os.Stderr, "%s %q\n", map[bool]string{true: ">", false: "<"}[sent], data)
		}
	}
	m := modem.New(cfg)
	fault := m.WaitReady(ctx)
	ident, dialect := m.Ident()
	if err := m.Close(); fault == nil {
		fault = err
	}
	for _, line := range ident {
		fmt.Println("#", printable(line))
	}
	if len(ident) == 0 && fault != nil {
		return fault
	}
	i := slices.IndexFunc(modem.Dialects, func(d modem.Dialect) bool { return d.Name == dialect })
	if i >= 0 {
		fmt.Println("#", modem.Dialects[i].About)
	}
	fmt.Printf("[[line]]\nname    = \"line1\"\ndialect = %q\nport    = %q\nbaud    = %d\n", dialect, c.Port, c.Baud)
	return fault
}
