package modem

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hookswitch/hal/modem/dialect"
)

// line takes an unsolicited line.
func (c *call) line(line string) {
	for _, part := range unglue(line) {
		if r, ok := parseReport(part); ok {
			c.report(r)
			continue
		}
		name, rest, _ := strings.Cut(part, ":")
		switch name {
		case "+RXDTMF", "+DTMF", "+QTONEDET": // the key or its ASCII code, then its length
			c.dialledKey(splitFields(rest)[0])
			continue
		}
		if key, ok := strings.CutPrefix(part, "DTMF="); ok {
			c.dialledKey(key)
		} else if !isNoise(part) {
			c.garbled(part)
		}
	}
}

// garbled takes a line that says nothing that is known. It may have been the end of the call,
// or the OK to ATD: any other is known to be the answer of a command.
func (c *call) garbled(line string) {
	if r, ok := garbledEnd(line); ok {
		c.report(r)
		return
	}
	if isNear(line, "OK") {
		select {
		case c.taken <- struct{}{}:
		default:
		}
	}
	c.wantProof()
}

// drift notes that the network or the SIM has gone, and that it is back.
func (c *call) drift(line string) {
	name, rest, _ := strings.Cut(line, ":")
	fields := splitFields(rest)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case name == "+CREG" && registered(number(fields[0])):
		c.adrift = nil
	case name == "+CREG" && number(fields[0]) >= 0:
		c.adrift = faultf(ErrNoService, "the network was lost in the call: check the antenna and the reception")
	case name == "+CPIN" && simStates[strings.ToUpper(fields[0])] == noSIM,
		name == "+SIMCARD" && strings.HasPrefix(fields[0], "NOT"):
		c.adrift = faultf(ErrNoService, "the SIM was lost in the call: check that it sits well in its holder")
	}
}

// verdict is what becomes of a report.
type verdict int

const (
	ignored verdict = iota
	believed
	doubted // to be proven
)

// report takes what the modem says of a call: of this one, of another, or without saying which.
func (c *call) report(r report) {
	if c.voice && r.incoming() {
		c.glare()
		return
	}
	c.mu.Lock()
	v := c.judgeLocked(r)
	c.mu.Unlock()
	switch {
	case v == believed:
		c.become(r)
	case v == doubted && r.stat == dialect.StatReleased:
		c.doubt(r.end())
	case v == doubted:
		c.wantProof()
	}
}

// judgeLocked tells this call from others by the index; c.mu is held.
func (c *call) judgeLocked(r report) verdict {
	switch {
	case r.stat == dialect.StatNone:
		return ignored
	case r.dir == 1:
		c.noteOtherLocked(r)
		return ignored
	case r.stat == dialect.StatAsk:
		return doubted
	case r.id != 0:
		return c.judgeIndexLocked(r)
	case c.voice, len(c.others) == 0 && r.stat != dialect.StatReleased:
		return believed
	case c.checked:
		return doubted
	case len(c.others) > 0: // more likely that of a caller who has given up waiting
		c.others = c.others[1:]
		return ignored
	}
	return believed
}

// judgeIndexLocked is judgeLocked for a report that says which call it is about.
func (c *call) judgeIndexLocked(r report) verdict {
	known := c.id != 0
	switch {
	case r.id == c.id:
		return believed
	case r.dir == 0 && r.stat != dialect.StatReleased, // nobody else dials: a hand-over may have renumbered it
		!known && !c.checked && !slices.Contains(c.others, r.id):
		c.id = r.id
		return believed
	case c.checked && (r.dir == 0 || !known): // a late end may be that of the call before
		return doubted
	}
	c.noteOtherLocked(r)
	return ignored
}

// noteOtherLocked remembers a call that waits, until it has gone; c.mu is held.
func (c *call) noteOtherLocked(r report) {
	i := slices.Index(c.others, r.id)
	if i < 0 {
		i = slices.Index(c.others, 0) // +CCWA has told of it before
	}
	switch {
	case r.stat == dialect.StatReleased && i >= 0:
		c.others = slices.Delete(c.others, i, i+1)
	case r.stat == dialect.StatReleased, r.id == 0 && r.stat != dialect.StatWaiting: // RING: not while a call is up
	case i >= 0:
		c.others[i] = max(c.others[i], r.id)
	case len(c.others) < maxOthers:
		c.others = append(c.others, r.id)
	}
}

// check has what does not say which call it is about proven.
func (c *call) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked = true
}

// othersAre replaces what is remembered of other calls by a list of them.
func (c *call) othersAre(list callList) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.others = nil
	for _, l := range list.calls {
		if l.dir == 1 && l.voice() && l.stat != dialect.StatReleased && len(c.others) < maxOthers {
			c.others = append(c.others, l.id)
		}
	}
}

// maxOthers is more calls than a network lets wait.
const maxOthers = 8

// become takes a report of this call that is believed.
func (c *call) become(r report) {
	switch r.stat {
	case dialect.StatActive:
		c.connect(Supervised)
	case dialect.StatAlerting:
		c.alert()
	case dialect.StatReleased:
		c.released(r.cause)
		c.end(r.end())
	}
}

// released notes a release cause.
func (c *call) released(cause int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cause > 0 && c.cause == 0 {
		c.cause = cause
	}
}

// listed takes this call's line in an answer to +CLCC.
func (c *call) listed(l listedCall) {
	c.mu.Lock()
	c.id = l.id
	c.mu.Unlock()
	c.become(report{stat: l.stat})
}

// glare ends the call of an analogue line that had begun to ring when it was seized: a
// stranger has been answered, who is not to hear the message. Once the far end rings, or
// time has passed, no ringing can be meant: the line is off-hook.
func (c *call) glare() {
	c.mu.Lock()
	met := c.voice && !c.answered && !c.alerted && time.Since(c.began) < glareTime
	c.mu.Unlock()
	if met {
		c.end(fmt.Errorf("%w: as it was being dialled", ErrRinging))
	}
}

// glareTime is a burst of ringing, after which some modems report it, and a margin.
const glareTime = 3 * time.Second

// wantProof has the modem asked.
func (c *call) wantProof() {
	select {
	case c.ask <- struct{}{}:
	default:
	}
}

// doubt notes an end that was told without saying of which call.
func (c *call) doubt(end error) {
	c.mu.Lock()
	if c.told == nil {
		c.told = end
	}
	c.mu.Unlock()
	c.wantProof()
}

// dismiss drops an end that was another call's.
func (c *call) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = nil
}

// believe takes an end that can't be proven, unless somebody who waited explains it.
func (c *call) believe(end error) {
	c.mu.Lock()
	waited := len(c.others) > 0
	if c.told = nil; waited {
		c.others = c.others[1:]
	}
	c.mu.Unlock()
	if !waited {
		c.end(end)
	}
}

// word is an end that was told and is not yet proven, or nil.
func (c *call) word() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

// index is the call's index in +CLCC, 0 while it is not known.
func (c *call) index() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}
