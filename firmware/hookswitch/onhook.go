package main

import (
	"context"

	"hookswitch/firmware/daemon"
)

type onhookCommand struct {
	Config string `required:"" type:"path" help:"Configuration file." placeholder:"FILE"`
}

// Run opens every hook relay and tells every modem to hang up: what a supervisor does when
// the daemon has died.
func (c *onhookCommand) Run(ctx context.Context) error { return daemon.OnHook(ctx, c.Config) }
