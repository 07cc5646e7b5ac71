package main

import (
	"context"

	"hookswitch/firmware/call"
)

type callsCommand struct {
	JSON bool `help:"Print JSON."`
}

// Run lists the calls, newest first.
func (c *callsCommand) Run(ctx context.Context, cl *commandLine) error {
	return list(ctx, cl, "/api/calls", c.JSON, "STARTED\tUSER\tNUMBER\tLINE\tSTATE\tCAUSE\tREASON\tID", func(i call.Info) []any {
		return []any{i.Started.Format("2006-01-02 15:04:05"), i.User, i.Number, i.Line, i.State, i.Cause, i.Reason, i.ID}
	})
}
