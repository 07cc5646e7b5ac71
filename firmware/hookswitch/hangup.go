package main

import (
	"context"
	"fmt"
	"net/http"

	"hookswitch/firmware/call"
)

type hangupCommand struct {
	CallID string `arg:"" name:"callid" help:"A call's id, as hookswitch calls lists it."`
}

// Run disconnects a call and returns when its line is on-hook.
func (c *hangupCommand) Run(ctx context.Context, d *daemonFlags) error {
	var info call.Info
	if err := d.ask(ctx, http.MethodDelete, callPath(c.CallID), nil, &info); err != nil {
		return err
	}
	fmt.Println(describe(info))
	return nil
}
