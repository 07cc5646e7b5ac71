package main

import (
	"context"

	"hookswitch/firmware/call"
)

type linesCommand struct {
	JSON bool `help:"Print JSON."`
}

// Run lists the lines.
func (c *linesCommand) Run(ctx context.Context, cl *commandLine) error {
	return list(ctx, cl, "/api/lines", c.JSON, "NAME\tDIALECT\tHOOK\tSTATE\tFAULT", func(l call.LineInfo) []any {
		return []any{l.Name, l.Dialect, l.Hook, l.State, l.Fault}
	})
}
