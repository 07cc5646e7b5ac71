package main

import (
	"context"
	"time"

	"hookswitch/firmware/mailbox"
)

type messagesCommand struct{ list }

// Run lists the messages, newest first.
func (c *messagesCommand) Run(ctx context.Context, d *daemonFlags) error {
	return table[mailbox.Message]{
		path: "/api/messages",
		head: []string{"ID", "MAILBOX", "LENGTH", "NAME", "FAULT"},
		row: func(m mailbox.Message) []any {
			length := (time.Duration(m.DurationMS) * time.Millisecond).Round(100 * time.Millisecond)
			return []any{m.ID, m.Mailbox, length, m.Name, m.Fault}
		},
		empty: "No message: copy sound files into DATA/mailbox/USER/messages/.",
	}.show(ctx, d, c.JSON)
}
