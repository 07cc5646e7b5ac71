package at

import (
	"strings"
	"time"
)

// reader is what the goroutine that reads the port keeps between two reads.
type reader struct {
	framer
	buf    []byte
	heard  []byte // sound not yet handed over
	traced []byte // not yet traced
}

// read reads the port until it fails. One goroutine does so, from NewChat to Close.
func (c *Chat) read() {
	for {
		n, err := c.port.Read(c.in.buf)
		if n > 0 {
			c.feed(c.in.buf[:n])
		}
		if err != nil {
			_ = c.fail(err)
			return
		}
	}
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
