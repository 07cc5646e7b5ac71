package main

import (
	"context"
	"time"

	"hookswitch/firmware/mailbox"
)

type messagesCommand struct {
	JSON bool `help:"Print JSON."`
}

// Run lists the messages.
func (c *messagesCommand) Run(ctx context.Context, cl *commandLine) error {
	return list(ctx, cl, "/api/messages", c.JSON, "ID\tMAILBOX\tLENGTH\tNAME\tFAULT", func(m mailbox.Message) []any {
		return []any{m.ID, m.Mailbox, (time.Duration(m.DurationMS) * time.Millisecond).Round(100 * time.Millisecond), m.Name, m.Fault}
	})
}
