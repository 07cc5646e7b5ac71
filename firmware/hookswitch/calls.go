package main

import (
	"context"

	"hookswitch/firmware/call"
)

type callsCommand struct{ list }

// Run lists the calls, newest first.
func (c *callsCommand) Run(ctx context.Context, d *daemonFlags) error {
	return table[call.Info]{
		path: "/api/calls",
		head: []string{"STARTED", "USER", "NUMBER", "LINE", "STATE", "CAUSE", "REASON", "ID"},
		row: func(i call.Info) []any {
			return []any{i.Started.Local().Format("2006-01-02 15:04:05"), i.User, i.Number, i.Line, i.State, i.Cause, i.Told(), i.ID}
		},
		empty: "No call yet: hookswitch play --to NUMBER ITEM makes one.",
	}.show(ctx, d, c.JSON)
}
