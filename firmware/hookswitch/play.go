package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hookswitch/firmware/call"
)

type playCommand struct {
	To   string `required:"" help:"The telephone number." placeholder:"NUMBER"`
	Item string `arg:"" help:"A message's id, as hookswitch messages lists it."`
}

const (
	pollEvery   = 200 * time.Millisecond
	hangupLimit = 15 * time.Second // longer than the daemon's own ladder
)

// Run starts a call and follows it to its end.
func (c *playCommand) Run(ctx context.Context, cl *commandLine) error {
	var info call.Info
	if err := cl.request(ctx, http.MethodPost, "/api/calls", map[string]string{"item": c.Item, "number": c.To}, &info); err != nil {
		return err
	}
	fmt.Println("call", info.ID)
	for last := call.State(""); ; {
		if info.State != last {
			fmt.Println(describe(info))
			last = info.State
		}
		if info.State == call.Disconnected {
			return failure(info)
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return c.disconnect(cl, info.ID)
		}
		if err := cl.request(ctx, http.MethodGet, callPath(info.ID), nil, &info); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// disconnect is what Ctrl-C does; the signal has ended the command's own context.
func (c *playCommand) disconnect(cl *commandLine, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), hangupLimit)
	defer cancel()
	var info call.Info
	if err := cl.request(ctx, http.MethodDelete, callPath(id), nil, &info); err != nil {
		return err
	}
	fmt.Println(describe(info))
	return nil
}

func describe(i call.Info) string {
	switch i.State {
	case call.Connecting:
		return fmt.Sprintf("%s: dialling %s on line %s", i.State, i.Number, i.Line)
	case call.Connected:
		return fmt.Sprintf("%s: answered (%s)", i.State, i.Answer)
	case call.Disconnected:
		return fmt.Sprintf("%s: %s (cause %s)", i.State, i.Reason, i.Cause)
	}
	return string(i.State)
}

// failure is an error for a call that nobody has answered.
func failure(i call.Info) error {
	if i.Answered.IsZero() || i.Cause != call.None {
		return errors.New("the message was not heard: " + i.Reason)
	}
	return nil
}
