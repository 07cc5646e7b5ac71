package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hookswitch/firmware/call"
)

type playCommand struct {
	To   string `required:"" help:"The telephone number." placeholder:"NUMBER"`
	Item string `arg:"" help:"A message's id, as hookswitch messages lists it."`
	JSON bool   `help:"Print JSON: the call when it has ended, instead of its states."`
}

const (
	lookAgain = time.Second // when the event stream has ended before the call
	maxLooks  = 10          // of them in a row without an answer
)

// Run starts a call and follows it to its end. A signal disconnects it.
func (c *playCommand) Run(ctx context.Context, d *daemonFlags) error {
	// Not cut short by a signal: a call whose id we don't know could not be disconnected.
	var info call.Info
	err := d.ask(context.WithoutCancel(ctx), http.MethodPost, "/api/calls", map[string]string{"item": c.Item, "number": c.To}, &info)
	if err != nil {
		return err
	}
	c.tell("Call " + info.ID)
	info, err = c.follow(ctx, d, info)
	signalled := ctx.Err() != nil && info.State != call.Disconnected
	if signalled {
		info, err = c.disconnect(ctx, d, info)
	}
	if c.JSON {
		err = cmp.Or(err, printJSON(info))
	}
	switch {
	case signalled && err == nil:
		return context.Canceled
	case err != nil:
		return err
	case info.Unconfirmed:
		return errors.New(info.Reason + "; see hookswitch lines, and look at the modem")
	case info.Answered.IsZero() || info.Cause != call.None:
		return errors.New("the message was not heard: " + info.Told())
	case !info.Heard():
		return errors.New("the message was heard in part: " + info.Told())
	}
	return nil
}

// tell shows people how the call is.
func (c *playCommand) tell(line string) {
	if !c.JSON {
		fmt.Println(line)
	}
}

// follow shows a call's states until it has ended, or its line could not be hung up: that may
// last.
func (c *playCommand) follow(ctx context.Context, d *daemonFlags, info call.Info) (call.Info, error) {
	listening, enough := context.WithCancel(ctx)
	defer enough()
	shown := call.State("")
	show := func(now call.Info) {
		if info = now; info.State != shown || info.Unconfirmed {
			c.tell(describe(info))
			shown = info.State
		}
		if info.Unconfirmed {
			enough()
		}
	}
	show(info)
	for looks := 0; info.State != call.Disconnected && !info.Unconfirmed; {
		_ = events(listening, d, info.ID, show) // where it fails, asking works or says why not
		if info.State == call.Disconnected || info.Unconfirmed {
			break
		}
		var now call.Info
		err := d.ask(ctx, http.MethodGet, callPath(info.ID), nil, &now)
		switch {
		case err == nil:
			looks = 0
			show(now)
			continue
		case ctx.Err() != nil:
			return info, ctx.Err()
		case looks == maxLooks:
			return info, fmt.Errorf("lost sight of the call, which may go on: %w", err)
		}
		looks++
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
		}
	}
	return info, nil
}

// events passes on each change of a call until the stream ends.
func events(ctx context.Context, d *daemonFlags, id string, changed func(call.Info)) error {
	req, err := d.newRequest(ctx, http.MethodGet, "/api/events?call="+url.QueryEscape(id), nil)
	if err != nil {
		return err
	}
	resp, err := d.do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		var info call.Info
		if ok && json.Unmarshal([]byte(data), &info) == nil && info.ID == id {
			changed(info)
		}
	}
	return lines.Err()
}

// disconnect is what a signal does; it has ended ctx.
func (c *playCommand) disconnect(ctx context.Context, d *daemonFlags, info call.Info) (call.Info, error) {
	var now call.Info
	if err := d.ask(context.WithoutCancel(ctx), http.MethodDelete, callPath(info.ID), nil, &now); err != nil {
		return info, fmt.Errorf("the call could not be disconnected: %w", err)
	}
	c.tell(describe(now))
	return now, nil
}

// describe says how a call is, in a line.
func describe(i call.Info) string {
	if i.Unconfirmed {
		return printable(fmt.Sprintf("%s: %s", i.State, i.Reason))
	}
	switch i.State {
	case call.Connecting:
		return printable(fmt.Sprintf("%s: dialling %s on line %s", i.State, i.Number, i.Line))
	case call.Alerted:
		return fmt.Sprintf("%s: the telephone rings", i.State)
	case call.Connected:
		return fmt.Sprintf("%s: answered (%s)", i.State, i.Answer)
	case call.Disconnected:
		return printable(fmt.Sprintf("%s: %s (cause %s)", i.State, i.Told(), i.Cause))
	}
	return string(i.State)
}
