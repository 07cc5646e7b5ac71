package main

import (
	"context"

	"hookswitch/firmware/daemon"
)

type serveCommand struct {
	Config string `help:"Configuration file; none is the simulated board." type:"path" placeholder:"FILE"`
	Data   string `help:"Directory for mailboxes and the call log, instead of the configuration's." type:"path" placeholder:"DIR"`
	Listen string `help:"Address to listen on, instead of the configuration's." placeholder:"HOST:PORT"`
	Trace  bool   `help:"Print the AT dialogue and each edge of the hook relays."`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context) error {
	return daemon.Run(ctx, daemon.Options{
		Config: c.Config, Data: c.Data, Listen: c.Listen, Trace: c.Trace,
		Guard: []string{"/proc/self/exe", "guard"}, // this very program, though an update may have replaced its file
	})
}
