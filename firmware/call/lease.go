package call

import (
	"errors"
	"time"
)

const (
	// leaseEvery is how often the lease of a line's relays is extended, which lasts seven
	// times as long.
	leaseEvery = 100 * time.Millisecond
	// releaseLimit is how long after its end a call may still hold the line.
	releaseLimit = time.Second
)

// keepLease extends the lease of the line's relays, which a guard outside this process
// drives, for as long as the engine works and somebody has the line.
func (x *Exchange) keepLease(l *line) {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			x.renew(l)
		case <-x.stop:
			return
		}
	}
}

// renew takes each lock that a hang-up takes, so that a deadlock ends the lease, and holds
// none of them while it asks the guard. A call whose relay the guard has opened is over, and
// a line without a guard is in fault.
func (x *Exchange) renew(l *line) {
	l.hook.State()
	x.mu.Lock()
	hold := l.lent != nil || l.call != nil && l.call.holdsLocked(time.Now())
	x.mu.Unlock()
	err := l.cfg.Lease(hold)
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil && l.call != nil {
		l.call.lost = err
		l.call.cancel(err)
		return
	}
	if (err == nil) != (l.guardFault == nil) {
		select {
		case l.guardChanged <- struct{}{}:
		default:
		}
	}
	l.guardFault = err
}

// lost is err, or that the guard has opened the line's relay before: whatever came of that
// (no loop current, a modem that is cut off) is not what ended the call.
func (x *Exchange) lost(c *active, err error) error {
	if c.line.cfg.Lease == nil || errors.Is(err, errDisconnected) || errors.Is(err, errShutdown) {
		return err
	}
	x.renew(c.line)
	x.mu.Lock()
	defer x.mu.Unlock()
	if c.lost != nil {
		return c.lost
	}
	return err
}

// holdUntil sets when the guard opens the relay of a call that has not hung up by then.
func (x *Exchange) holdUntil(c *active, t time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c.holds = t
}

// holdsLocked reports whether the call may have the line off-hook. A call that is hung up,
// or at its longest time, and has not released the line a moment later, may not.
func (c *active) holdsLocked(now time.Time) bool {
	return c.seized && now.Before(c.holds) && (c.hangup == nil || now.Sub(c.hangup.began) < releaseLimit)
}
