package at

import (
	"context"
	"slices"
	"time"
)

const (
	// abortLimit is how long an aborted command may take to end.
	abortLimit = time.Second
	// abortDeaf is how long after a command a modem need not notice an abort (V.250 5.6.1:
	// 125 ms after its CR).
	abortDeaf = 150 * time.Millisecond
	// abortAgain is when a voice stream that has not ended is told a second time: after an
	// odd DLE the first time was taken for sound (Zoom 3095).
	abortAgain = 500 * time.Millisecond
)

// Interrupt makes the modem leave what it is busy with, at once and without waiting: one
// CR for a command, its abort codes for a voice stream. On an idle modem it does nothing,
// and a second Interrupt of the same command neither.
func (c *Chat) Interrupt() {
	if b := c.claimAbort(); b != nil {
		_ = c.write(b)
	}
}

// claimAbort returns what aborts the running job to the first who asks.
func (c *Chat) claimAbort() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.job
	if j == nil || j.aborted || j.kind == stream && !j.sounding { // not yet connected: see Settle
		return nil
	}
	j.aborted = true
	return j.abort()
}

func (j *job) abort() []byte {
	if j.kind == stream {
		return j.stream.abort
	}
	return []byte{cr}
}

// Settle waits for the end of what Interrupt has aborted, at most a second; then it is
// given up with ErrTimeout: the modem may still be busy, and say so later.
func (c *Chat) Settle() error {
	c.mu.Lock()
	j := c.job
	if j == nil {
		c.mu.Unlock()
		return nil
	}
	again := abortAgain
	if j.kind != stream {
		if again = abortDeaf - time.Since(j.sent); again <= 0 {
			again = 2 * abortLimit // it has heard
		}
	}
	connected := j.connected
	c.mu.Unlock()
	limit, repeat := time.NewTimer(abortLimit), time.NewTimer(again)
	defer limit.Stop()
	defer repeat.Stop()
	for {
		select {
		case <-j.done:
			return c.Err()
		case <-connected: // only now does the modem understand the abort codes
			c.Interrupt()
			connected = nil
			repeat.Reset(abortAgain)
		case <-repeat.C:
			c.repeatAbort(j)
		case <-limit.C:
			c.giveUp(j, ErrTimeout)
			return wrap(j.cmd, ErrTimeout)
		}
	}
}

func (c *Chat) repeatAbort(j *job) {
	c.mu.Lock()
	b := []byte(nil)
	if c.job == j && j.aborted && j.kind != plain {
		b = j.abort()
		if j.kind == stream && j.stream.sound != nil {
			b = append(slices.Clone(b), DLE, esc) // what some modems know instead of DLE !
		}
	}
	c.mu.Unlock()
	if b != nil {
		_ = c.write(b)
	}
}

// Forget stops waiting for the running command, which returns ErrTimeout, and aborts nothing:
// the modem's answer may still come.
func (c *Chat) Forget() {
	c.mu.Lock()
	j := c.job
	c.mu.Unlock()
	if j != nil {
		c.giveUp(j, ErrTimeout)
	}
}

// Lingers says that the modem may still take what it is sent for voice data: a result code
// has ended its voice stream (NO CARRIER, BUSY) without anybody having told it to leave, and
// nothing has been sent since.
func (c *Chat) Lingers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lingers
}

// WriteRaw sends bytes that are no command, to bring a modem in an unknown state back to
// its senses. What it may say to that, Drain awaits.
func (c *Chat) WriteRaw(b []byte) error {
	c.mu.Lock()
	c.owed = true
	c.mu.Unlock()
	return c.write(b)
}

// Unsure says that the next final result code may belong to an earlier command: one was
// given up, or the modem has been heard to answer twice.
func (c *Chat) Unsure() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owed || c.stutter
}

// Drain waits until the modem has said nothing for quiet, at most a second in all. What it
// still owed is then taken as said.
func (c *Chat) Drain(ctx context.Context, quiet time.Duration) {
	start := time.Now()
	for {
		c.mu.Lock()
		last := c.heard
		c.mu.Unlock()
		if last.Before(start) {
			last = start
		}
		wait := min(quiet-time.Since(last), abortLimit-time.Since(start))
		if wait <= 0 {
			break
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		case <-c.gone:
			timer.Stop()
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = false
}
