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

// Run disconnects a call.
func (c *hangupCommand) Run(ctx context.Context, cl *commandLine) error {
	var info call.Info
	if err := cl.request(ctx, http.MethodDelete, callPath(c.CallID), nil, &info); err != nil {
		return err
	}
	fmt.Printf("%s, cause %s: %s\n", info.State, info.Cause, info.Reason)
	return nil
}
