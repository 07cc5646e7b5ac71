package call

import (
	"errors"
	"slices"
	"time"
)

// errCutOff ends a call that had begun under a daemon that is no more.
var errCutOff = errors.New("call: cut off with the daemon")

// remember takes what the call log tells of the time before the start. A call that never
// ended was cut off with the daemon; it is over once its line is known to be on-hook, which a
// line without a relay is when its modem has been reached. Of the calls of a line only the
// newest may still be up.
func (x *Exchange) remember(records []Info) {
	newest := map[string]string{} // ids of calls by their lines
	for _, info := range records {
		newest[info.Line] = info.ID
	}
	for _, info := range records {
		x.begun++
		c := &active{info: info, order: x.begun, done: closedChan, logged: closedChan}
		x.calls[info.ID] = c
		if info.State == Disconnected {
			x.ended = append(x.ended, c)
			continue
		}
		c.done, c.cancel = make(chan struct{}), func(error) {}
		c.since = time.Now().Add(-x.lastedAtMost(info))
		x.live[info.ID] = c
		i := slices.IndexFunc(x.lines, func(l *line) bool { return l.cfg.Name == info.Line })
		if i < 0 || newest[info.Line] != info.ID || x.lines[i].hookState() == onHook {
			x.finish(c, errCutOff)
			continue
		}
		x.await(x.lines[i], c)
	}
}

// await ends a call that was cut off when its line is known to be on-hook.
func (x *Exchange) await(l *line, c *active) {
	h := newHangup()
	close(h.driven) // when the switch was made
	close(h.modem)  // its keeper hangs up first of all
	x.mu.Lock()
	c.line, c.seized, c.hangup, l.call = l, true, h, c
	x.mu.Unlock()
	if l.cfg.Hook.Relay == nil {
		l.tellLate(c, h) // the start has waited for the modem already
	}
	x.watches.Go(func() { l.confirm(c, h) })
	x.watches.Go(func() {
		select {
		case <-h.onHook:
			x.finish(c, errCutOff)
		case <-x.life.Done():
		}
	})
}

// lastedAtMost is how long a call that was cut off may have been up. Nobody saw its end: it was
// before this start, which the clock may not know, and no later than the longest call's.
func (x *Exchange) lastedAtMost(info Info) time.Duration {
	answered := max(0, info.Answered.Sub(info.Started))
	if info.Answered.IsZero() {
		answered = 0
	}
	lasted := time.Since(info.Started)
	return min(max(lasted, answered), answered+x.opt.MaxCall)
}
