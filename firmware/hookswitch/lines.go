package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"hookswitch/firmware/call"
)

type linesCommand struct{ list }

// Run lists the lines, and on standard error what is wrong with the whole board.
func (c *linesCommand) Run(ctx context.Context, d *daemonFlags) error {
	if err := (table[call.LineInfo]{
		path:  "/api/lines",
		head:  []string{"NAME", "DIALECT", "HOOK", "STATE", "CALL", "FAULT"},
		row:   func(l call.LineInfo) []any { return []any{l.Name, l.Dialect, l.Hook, l.State, l.Call, l.Fault} },
		empty: "No line is configured: see [[line]] in hookswitch config example.",
	}).show(ctx, d, c.JSON); err != nil {
		return err
	}
	var faults []string
	if err := d.ask(ctx, http.MethodGet, "/api/faults", nil, &faults); err != nil {
		return err
	}
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, "fault:", printable(f))
	}
	return nil
}
