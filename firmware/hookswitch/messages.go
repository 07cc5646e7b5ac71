package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"hookswitch/firmware/mailbox"
)

type messagesCommand struct {
	List    listMessages   `cmd:"" default:"withargs" help:"List the messages; the default."`
	Restore restoreMessage `cmd:"" help:"Bring a deleted message back."`
}

type listMessages struct {
	list
	Deleted bool `help:"List the deleted messages instead, which are kept for 30 days."`
}

// Run lists the messages, newest first.
func (c *listMessages) Run(ctx context.Context, d *daemonFlags) error {
	t := table[mailbox.Message]{
		path: "/api/messages",
		head: []string{"ID", "MAILBOX", "LENGTH", "NAME", "FAULT"},
		row: func(m mailbox.Message) []any {
			return []any{m.ID, m.Mailbox, length(m), m.Name, cmp.Or(m.Fault, m.Incomplete)}
		},
		empty: "No message: copy sound files into DATA/mailbox/USER/messages/.",
	}
	if c.Deleted {
		t.path += "?deleted=1"
		t.head = []string{"ID", "MAILBOX", "LENGTH", "NAME", "KEPT FOR"}
		t.row = func(m mailbox.Message) []any {
			return []any{m.ID, m.Mailbox, length(m), m.Name, fmt.Sprintf("%d days", m.KeptDays)}
		}
		t.empty = "No message has been deleted."
	}
	return t.show(ctx, d, c.JSON)
}

func length(m mailbox.Message) time.Duration {
	return (time.Duration(m.DurationMS) * time.Millisecond).Round(100 * time.Millisecond)
}

type restoreMessage struct {
	ID string `arg:"" name:"id" help:"The message's id, as hookswitch messages --deleted lists it."`
}

// Run brings a deleted message back.
func (c *restoreMessage) Run(ctx context.Context, d *daemonFlags) error {
	var m mailbox.Message
	if err := d.ask(ctx, http.MethodPost, "/api/messages/"+url.PathEscape(c.ID)+"/restore", nil, &m); err != nil {
		return err
	}
	fmt.Printf("%s is in the mailbox of %s again.\n", printable(m.Name), m.Mailbox)
	return nil
}
