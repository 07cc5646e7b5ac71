package at

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"
)

// linger is how long nobody listens after an answer: the next command mostly follows at
// once, and reads its answer without a change of goroutines.
const linger = 2 * time.Millisecond

// deadliner is a port whose Read can be called off: os.File, net.Conn, rpi.Serial.
type deadliner interface{ SetReadDeadline(t time.Time) error }

// reader reads the port. Whoever holds its token does so: the goroutine that waits for an
// answer, else one of the reader's own.
type reader struct {
	framer
	token    chan struct{}
	deadline deadliner // nil where the port has none: then a goroutine of the reader always reads
	buf      []byte
	heard    []byte // sound not yet handed over
	traced   []byte // not yet traced

	mu     sync.Mutex // guards what follows
	resume *time.Timer
	armed  bool
}

// listen reads until a command has been answered, then leaves the port to the next command,
// if it comes soon.
func (c *Chat) listen() {
	if !c.enter() {
		return
	}
	defer c.tasks.Done()
	select {
	case c.in.token <- struct{}{}:
	default:
		return // somebody reads
	}
	for again := true; again; {
		again = c.readOnce() && (c.in.deadline == nil || !c.answered())
	}
	<-c.in.token
	c.listenLater()
}

// enter counts a goroutine of the reader; false once the Chat has ended.
func (c *Chat) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.tasks.Add(1)
	}
	return c.err == nil
}

// answered says that the last command was answered just now and no other is running.
func (c *Chat) answered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	yield := c.fresh && c.job == nil
	c.fresh = c.fresh && !yield
	return yield
}

// listenLater makes a goroutine of the reader listen when no command has come for a while.
func (c *Chat) listenLater() {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	if !c.in.armed {
		c.in.armed = true
		c.in.resume.Reset(linger)
	}
}

// resume is called by the timer.
func (c *Chat) resume() {
	c.in.mu.Lock()
	c.in.armed = false
	c.in.mu.Unlock()
	c.mu.Lock()
	busy := c.job == nil && time.Since(c.heard) < linger && c.err == nil
	c.mu.Unlock()
	if busy {
		c.listenLater()
		return
	}
	c.listen()
}

// readAnswer reads in the goroutine that waits for j and holds the token, until j has ended,
// limit has passed or ctx has ended.
func (c *Chat) readAnswer(ctx context.Context, j *job, limit time.Duration) {
	_ = c.in.deadline.SetReadDeadline(j.sent.Add(limit))
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, c.callOff)
	}
	for !j.ended() && ctx.Err() == nil && time.Since(j.sent) < limit && c.readOnce() {
	}
	stop()
	_ = c.in.deadline.SetReadDeadline(time.Time{})
	<-c.in.token
	c.listenLater()
}

// callOff makes a Read that waits return; whoever still wants to read reads again.
func (c *Chat) callOff() {
	if c.in.deadline != nil {
		_ = c.in.deadline.SetReadDeadline(time.Unix(1, 0))
	}
}

// readOnce reads what there is. It returns false when there will be no more.
func (c *Chat) readOnce() bool {
	n, err := c.port.Read(c.in.buf)
	if n > 0 {
		c.feed(c.in.buf[:n])
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.in.deadline.SetReadDeadline(time.Time{})
		return true
	}
	if err != nil {
		_ = c.fail(err)
	}
	return err == nil
}

// feed takes the bytes of one read.
func (c *Chat) feed(p []byte) {
	to := c.soundTo()
	if to == nil && c.in.sound {
		c.in.toText() // the stream was given up
	}
	for _, b := range p {
		inSound := c.in.sound
		f := c.in.push(b)
		if c.cfg.Trace != nil {
			c.in.trace(b, f, inSound)
		}
		if f.kind != soundData && f.kind != unfinished {
			c.flush(to) // in the order of the line
		}
		switch f.kind {
		case textLine:
			c.line(f.line, b)
			if c.in.sound {
				to = c.soundTo()
			}
		case soundData:
			c.in.heard = append(c.in.heard, f.data[:f.n]...)
		case dleCode:
			if c.cfg.Event != nil {
				c.cfg.Event(f.code)
			}
		}
	}
	c.flush(to)
	if len(c.in.traced) > 0 {
		c.cfg.Trace(false, c.in.traced)
		c.in.traced = c.in.traced[:0]
	}
}

// soundTo is who hears the running stream, if any. It also notes that the modem lives.
func (c *Chat) soundTo() func([]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = time.Now()
	if c.job == nil || !c.job.sounding {
		return nil
	}
	return c.job.stream.sound
}

func (c *Chat) flush(to func([]byte)) {
	if len(c.in.heard) > 0 && to != nil {
		to(c.in.heard)
	}
	c.in.heard = c.in.heard[:0]
}

// trace notes b unless it is voice data.
func (r *reader) trace(b byte, f frame, inSound bool) {
	switch {
	case !inSound, f.kind == unfinished && b != DLE: // the rest of CONNECT's line end
		r.traced = append(r.traced, b)
	case f.kind == dleCode || f.kind == soundEnd:
		r.traced = append(r.traced, DLE, b)
	}
}

// line takes a line; last is the character that ended it.
func (c *Chat) line(line string, last byte) {
	if strings.TrimSpace(line) == "" {
		return
	}
	if urc := c.sort(line, last); urc != "" && c.cfg.URC != nil {
		c.cfg.URC(urc)
	}
}

// sort gives a line to the job that it answers, or returns it.
func (c *Chat) sort(line string, last byte) (urc string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trimmed := strings.TrimSpace(line)
	if word, ok := numericResults[trimmed]; ok && !c.verbose {
		line, trimmed = word, word
	} else if trimmed == "OK" || trimmed == "ERROR" {
		c.verbose = true
	}
	j := c.job
	if j == nil {
		return c.sortIdle(line, trimmed)
	}
	if len(j.info) == 0 && strings.EqualFold(trimmed, j.cmd) { // echo
		c.echoes++
		return ""
	}
	kind := j.kind
	if j.sounding {
		kind = sound
	}
	switch classify(line, kind, j.prefix) {
	case info:
		j.info = append(j.info, trimmed)
	case accepted:
		c.finishLocked(j, trimmed, nil)
	case refused:
		c.finishLocked(j, trimmed, &Error{Command: discreet(j.cmd), Result: trimmed})
	case connected:
		j.sounding = true
		if j.stream.sound != nil {
			c.in.toSound(last)
		}
		close(j.connected)
	case unsolicited:
		return trimmed
	}
	return ""
}

// sortIdle drops final result codes that answer nothing.
func (c *Chat) sortIdle(line, trimmed string) (urc string) {
	switch classify(line, plain, "") {
	case accepted, refused:
		c.stutter = c.stutter || !c.owed
		c.owed = false
		return ""
	}
	return trimmed
}
