package call

import (
	"context"
	"slices"
	"time"
)

// run is a call from the first to the last attempt.
func (x *Exchange) run(ctx context.Context, c *active) {
	defer func() { // when the line is on-hook: a card may be slow
		c.message.Close()
		c.message = nil
		c.heard.begin(nil)
	}()
	err := x.wait(ctx, c)
	for attempt := 0; err == nil; attempt++ {
		err = x.attempt(ctx, c)
		if attempt >= x.opt.Redial || !worthRedialling(err) {
			break
		}
		x.log.Info("redial", "call", c.info.ID, "in", x.opt.RedialIn, "after", err)
		if perr := pause(ctx, x.opt.RedialIn); perr != nil {
			err = perr
		} else {
			err = nil
		}
	}
	x.mu.Lock()
	held := c.seized // Close has given its line up
	x.mu.Unlock()
	if !held {
		x.finish(c, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	c.req = Request{User: c.req.User} // lets go of the sound, which nobody but this goroutine uses
}

// ringLimit is how long an attempt may take, from off-hook to the answer. Networks and modems
// give up before.
const ringLimit = 3 * time.Minute

// attempt is one try on the call's line. Its length is limited from here, and anew from the answer.
func (x *Exchange) attempt(ctx context.Context, c *active) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.limit = time.AfterFunc(time.Hour, func() { cancel(errMaxCall) })
	defer c.limit.Stop()
	x.within(c, min(ringLimit, x.opt.MaxCall))
	defer x.setDue(c, time.Time{})
	return x.lost(c, c.line.run(ctx, c))
}

// within limits what is left of an attempt.
func (x *Exchange) within(c *active, d time.Duration) {
	end := time.Now().Add(d)
	x.holdUntil(c, end.Add(releaseLimit))
	x.setDue(c, end.Add(hangUpLimit+overdue))
	c.limit.Reset(d)
}

// overdue is how long after its latest end a call is a sign that something hangs.
const overdue = time.Minute

func (x *Exchange) setDue(c *active, t time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c.due = t
}

// wait blocks until the call has a line.
func (x *Exchange) wait(ctx context.Context, c *active) error {
	limit := time.NewTimer(x.opt.QueueWait)
	defer limit.Stop()
	for {
		x.mu.Lock()
		if c.line == nil && x.queue[0] == c {
			if l, err := x.idleLocked(c.req.User, c.number); err == nil {
				x.queue = x.queue[1:]
				x.takeLocked(l, c)
				x.notifyLocked()
			}
		}
		got, changed := c.line != nil, x.changed
		x.mu.Unlock()
		if got {
			return context.Cause(ctx)
		}
		select {
		case <-changed:
			continue
		case <-ctx.Done():
		case <-limit.C:
			c.cancel(errQueue)
		}
		x.mu.Lock()
		x.queue = slices.DeleteFunc(x.queue, func(q *active) bool { return q == c })
		x.mu.Unlock()
		return context.Cause(ctx)
	}
}

// set publishes a state on the way to Disconnected.
func (x *Exchange) set(c *active, s State, answer string) {
	x.mu.Lock()
	if c.over {
		x.mu.Unlock()
		return
	}
	c.info.State = s
	if s == Connected {
		c.info.Answered, c.info.Answer = c.now(), answer
	}
	info := c.info
	x.notifyLocked()
	x.mu.Unlock()
	if s == Connected {
		x.history.update(info) // if the power fails now, it was answered all the same
	}
	x.log.Info("call", "call", info.ID, "state", s, "line", info.Line, "answer", answer)
}

// now is the time as the call's other times have it: the clock may be set while it lasts.
func (c *active) now() time.Time { return c.info.Started.Add(time.Since(c.since)) }

// finish releases the line and publishes how the call ended, in one step: whoever reads
// Disconnected may dial again. The record follows: nobody waits for the card. Only the first
// finish of a call counts.
func (x *Exchange) finish(c *active, err error) {
	x.mu.Lock()
	info, first := c.info, !c.over
	c.over = true
	x.mu.Unlock()
	if !first {
		return
	}
	end := outcome(err, !info.Answered.IsZero())
	info.State, info.Cause, info.Reason, info.SIPCode, info.Ended = Disconnected, end.cause, end.reason, end.sip, c.now()
	c.heard.tell(&info, err)
	c.endSpent(info)
	x.history.update(info)
	x.mu.Lock()
	c.info = info
	delete(x.live, info.ID)
	x.ended = append(x.ended, c)
	if c.line != nil {
		c.line.call = nil
	}
	close(c.done)
	x.notifyLocked()
	x.mu.Unlock()
	x.log.Info("call", "call", info.ID, "state", Disconnected, "cause", info.Cause, "reason", info.Reason, "line", info.Line, "error", err)
}

// pause waits for d, or returns ctx's cause.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
