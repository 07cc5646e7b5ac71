package main

import (
	"context"

	"hookswitch/firmware/call"
)

type linesCommand struct{ list }

// Run lists the lines.
func (c *linesCommand) Run(ctx context.Context, d *daemonFlags) error {
	return table[call.LineInfo]{
		path:  "/api/lines",
		head:  []string{"NAME", "DIALECT", "HOOK", "STATE", "CALL", "FAULT"},
		row:   func(l call.LineInfo) []any { return []any{l.Name, l.Dialect, l.Hook, l.State, l.Call, l.Fault} },
		empty: "No line is configured: see [[line]] in hookswitch config example.",
	}.show(ctx, d, c.JSON)
}
