package call

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/dialing"
)

// Foresee returns what Start would return at once without a call of its own, so that nobody
// prepares the sound for nothing: the error, or the call that req repeats. Otherwise the Info
// is the zero one.
func (x *Exchange) Foresee(req Request) (Info, error) {
	number, err := x.check(req)
	if err != nil {
		return Info{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	c, _, err := x.admitsLocked(req, number)
	switch {
	case err != nil:
		return Info{}, err
	case c != nil:
		return c.info, nil
	case x.opt.Quota != nil:
		return Info{}, x.opt.Quota.Check(req.User, number.String(), number.Abroad())
	}
	return Info{}, nil
}

// Start checks the request, takes an idle line and returns at once with the call's Info;
// the call runs on. Errors: ErrNumber, ErrDenied, ErrUserBusy, ErrNoLine, ErrRinging, ErrFault.
func (x *Exchange) Start(req Request) (Info, error) {
	defer func() {
		if req.Message != nil { // no call has taken it
			req.Message.Close()
		}
	}()
	number, err := x.check(req)
	if err != nil {
		return Info{}, err
	}
	c, info, err := x.start(&req, number)
	if err != nil {
		return Info{}, err
	}
	// The call is under way; its id, which the client is about to have, should be known
	// after a power cut too. Nobody but the client waits for that, and not for a bad card.
	limit := time.NewTimer(logLimit)
	defer limit.Stop()
	select {
	case <-c.logged:
	case <-limit.C:
	}
	return info, nil
}

// logLimit is how long a client waits for the card. From experience: a good one takes some
// milliseconds, one that tidies itself up may take seconds.
const logLimit = 500 * time.Millisecond

// check gives the number that is dialled.
func (x *Exchange) check(req Request) (number dialing.Dialled, err error) {
	if number, err = x.opt.Rules.Check(req.Dial); err != nil {
		x.log.Warn("number refused", "user", req.User, "error", err)
	}
	return number, err
}

func (x *Exchange) start(req *Request, number dialing.Dialled) (*active, Info, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	repeated, l, err := x.admitsLocked(*req, number)
	if err != nil {
		return nil, Info{}, err
	}
	if repeated != nil {
		return repeated, repeated.info, nil
	}
	var spent *dialing.Spent
	if x.opt.Quota != nil {
		if spent, err = x.opt.Quota.Take(req.User, number.String(), number.Abroad()); err != nil {
			return nil, Info{}, err
		}
	}
	c := x.admitLocked(*req, number, l, spent)
	req.Message = nil
	return c, c.info, nil
}

// admitsLocked gives the call that req repeats, or the line that can take it, nil where it
// has to wait for one.
func (x *Exchange) admitsLocked(req Request, number dialing.Dialled) (repeated *active, l *line, err error) {
	if x.closed {
		return nil, nil, fmt.Errorf("%w: %w", ErrFault, errShutdown)
	}
	if c := x.retryLocked(req, number); c != nil {
		return c, nil, nil
	}
	if x.opt.PerUser > 0 && x.runningLocked(req.User) >= x.opt.PerUser {
		return nil, nil, ErrUserBusy
	}
	l, err = x.idleLocked(req.User, number)
	if (errors.Is(err, ErrNoLine) || errors.Is(err, ErrRinging)) && len(x.queue) < x.opt.Queue {
		err = nil
	}
	return nil, l, err
}

// admitLocked makes the call known and starts its goroutine.
func (x *Exchange) admitLocked(req Request, number dialing.Dialled, l *line, spent *dialing.Spent) *active {
	ctx, cancel := context.WithCancelCause(context.Background())
	x.begun++
	c := &active{req: req, number: number, spent: spent, cancel: cancel, done: make(chan struct{}), order: x.begun, since: time.Now()}
	c.info = Info{
		ID:    base64.StdEncoding.EncodeToString([]byte(uuid.NewString() + "@" + x.opt.Host)),
		State: Connecting, Cause: None,
		Number: number.String(), Item: req.Item, User: req.User, Started: c.since,
	}
	if c.message = req.Message; c.message == nil {
		c.message = audio.NewMessage(req.Clip)
	}
	if req.Greeting == nil {
		c.heard.begin(c.message)
		c.info.DurationMS = c.message.Duration().Milliseconds()
	}
	x.calls[c.info.ID], x.live[c.info.ID] = c, c
	if l == nil {
		x.queue = append(x.queue, c)
	} else {
		x.takeLocked(l, c)
	}
	var forgotten map[string]bool
	c.logged, forgotten = x.history.add(c.info)
	x.forgetLocked(forgotten)
	x.notifyLocked()
	began := c.info
	x.running.Go(func() {
		x.log.Info("call", "call", began.ID, "state", began.State, "line", began.Line, "number", began.Number, "user", began.User, "item", began.Item)
		x.warnOfQuota()
		x.run(ctx, c)
	})
	return c
}

// forgetLocked forgets calls that have ended.
func (x *Exchange) forgetLocked(ids map[string]bool) {
	if len(ids) == 0 {
		return
	}
	var kept []*active
	for _, c := range x.ended {
		if ids[c.info.ID] {
			delete(x.calls, c.info.ID)
		} else {
			kept = append(kept, c)
		}
	}
	x.ended = kept
}

func (x *Exchange) takeLocked(l *line, c *active) {
	l.call, c.line, c.info.Line = c, l, l.cfg.Name
	l.used++
	x.next = slices.Index(x.lines, l) + 1
}

// retryLocked finds the call that req repeats.
func (x *Exchange) retryLocked(req Request, number dialing.Dialled) *active {
	for _, c := range x.live {
		ringing := c.info.State == Connecting || c.info.State == Alerted
		if ringing && !c.stuckLocked() && c.req.User == req.User && c.req.Item == req.Item && c.info.Number == number.String() && c.req.Greeting == nil && req.Greeting == nil &&
			time.Since(c.since) < x.opt.RetryWindow {
			return c
		}
	}
	return nil
}

func (x *Exchange) runningLocked(user string) (n int) {
	for _, c := range x.live {
		if !c.stuckLocked() && c.info.User == user {
			n++
		}
	}
	return n
}

// idleLocked chooses a line for a call: ErrNoLine when those that may take it are busy,
// ErrRinging when one is only because it rings, ErrFault when none of them works.
func (x *Exchange) idleLocked(user string, number dialing.Dialled) (*line, error) {
	var idle []*line
	busy, ringing := false, false
	var fault error
	for i := range x.lines {
		l := x.lines[i]
		if x.opt.Choose == RoundRobin {
			l = x.lines[(x.next+i)%len(x.lines)]
		}
		if !l.serves(user, number) {
			continue
		}
		err := l.faultLocked()
		switch {
		case l.lent != nil, l.call != nil && (err == nil || !l.call.stuckLocked()):
			busy = true
		case err != nil:
			fault = fmt.Errorf("%w: line %s: %w", ErrFault, l.cfg.Name, err)
		case l.rung().on:
			ringing = true
		default:
			idle = append(idle, l)
		}
	}
	switch {
	case len(idle) == 0 && ringing:
		return nil, ErrRinging
	case len(idle) == 0 && busy:
		return nil, ErrNoLine
	case len(idle) == 0 && fault != nil:
		return nil, fault
	case len(idle) == 0:
		return nil, fmt.Errorf("%w: none is configured for this user and number (on analogue lines some countries need international_prefix)", ErrFault)
	case x.opt.Choose == LeastUsed:
		return slices.MinFunc(idle, func(a, b *line) int { return a.used - b.used }), nil
	}
	return idle[0], nil
}
