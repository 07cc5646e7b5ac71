package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookswitch/hal"
	"hookswitch/hal/at"
	"hookswitch/hal/modem/dialect"
)

const (
	pollDialling = 500 * time.Millisecond // between +CLCC while the call is set up, as oFono; faster upsets some
	pollUp       = 2 * time.Second        // and once it is up, as ModemManager
	askAgain     = 300 * time.Millisecond // after an answer that is not believed alone (+CLCC takes 300 ms on some)
	askLimit     = time.Second            // for an answer when the end of the call was told
	unlisted     = 5 * time.Second        // a call that +CLCC has never shown by then has ended

	agreeing  = 2 // whole answers in a row without the call prove that it has ended
	denials   = 3 // answers that list the call prove that the end which was told is another's
	unclearly = 8 // answers in a row that prove nothing: the call is given up
	shelved   = 2 // answers in a row that list the call on hold, and another that is up instead
	silences  = 3 // in a row: the modem has died in a call
	refusals  = 2 // in a row: something else is asked, and only that where there was never another answer
)

// proof finds out by +CLCC what has become of a call: regularly, as unsolicited lines get lost
// and not every modem sends them, and at once when a line has said that a call has ended
// without saying which.
type proof struct {
	s *session
	c *call

	seen     bool      // the call has been listed
	listed   bool      // +CLCC was answered
	activity bool      // +CLCC is not known, or never lists the call: +CPAS is asked
	tells    bool      // +CPAS has told of the call; else it is asked only about an end that was told
	last     time.Time // of the last question

	// in a row
	absent, unclear, silent, refused, denied, held int
	heldFrom                                       time.Time // the first of held
}

// run asks until the call has ended.
func (p *proof) run() {
	for p.rest() {
		p.last = time.Now()
		if p.activity {
			p.askActivity()
		} else {
			p.askList()
		}
	}
}

// rest waits until the next question is due; false is the end of the call.
func (p *proof) rest() bool {
	timer := time.NewTimer(p.pause())
	defer timer.Stop()
	due := timer.C
	if p.activity && !p.tells && p.c.word() == nil {
		due = nil
	}
	select {
	case <-p.c.ctx.Done():
		return false
	case <-p.c.over:
		return false
	case <-due:
		return true
	case <-p.c.ask:
	}
	if p.c.word() == nil { // no haste, and a flood of odd lines must not be one of questions
		return hal.Sleep(p.c.ctx, pollDialling-time.Since(p.last)) == nil
	}
	return true
}

func (p *proof) pause() time.Duration {
	switch {
	case p.c.word() != nil, p.absent > 0, p.held > 0, p.unclear > 0, p.silent > 0, p.refused > 0:
		return min(askAgain*time.Duration(max(1, p.denied, p.unclear)), pollUp)
	case p.c.isAnswered():
		return pollUp
	}
	return pollDialling
}

// askList asks AT+CLCC and draws the conclusion.
func (p *proof) askList() {
	ctx, cancel := p.c.ctx, context.CancelFunc(func() {})
	if p.c.word() != nil {
		ctx, cancel = context.WithTimeout(ctx, askLimit)
	}
	defer cancel()
	list, err := p.s.listCalls(ctx)
	p.listed = p.listed || err == nil
	if list.whole {
		p.c.othersAre(list)
	}
	found, present := list.ours(p.c.index())
	switch {
	case p.c.ctx.Err() != nil || errors.Is(err, at.ErrGone):
	case refused(err):
		p.isRefused()
	case err != nil && !present:
		p.isSilent()
	case present:
		p.isListed(found)
		p.isHeld(found.stat == dialect.StatHeld && p.c.isAnswered(), list.busy())
	case list.whole && (!list.omits || p.c.word() != nil):
		p.isAbsent()
	default:
		p.isUnclear()
	}
}

func (p *proof) isListed(l listedCall) {
	p.seen, p.absent, p.unclear, p.silent, p.refused = true, 0, 0, 0, 0
	p.c.listed(l)
	p.deny()
}

// onHoldLimit is how long a call may be on hold for no known reason.
const onHoldLimit = 5 * time.Second

// isHeld gives up a call that is on hold: nobody hears the message, or a stranger does, whose
// call the module has answered instead.
func (p *proof) isHeld(held, another bool) {
	if !held {
		p.held = 0
		return
	}
	if p.held++; p.held == 1 {
		p.heldFrom = time.Now()
	}
	if another && p.held >= shelved || time.Since(p.heldFrom) >= onHoldLimit {
		p.c.end(faultf(ErrUnsure, "given up: the module has put the call on hold, and nobody would have heard the message: "+
			"if another call was answered instead, switch call waiting off for this SIM"))
	}
}

// deny counts an answer against the end that was told, if any.
func (p *proof) deny() {
	if p.c.word() == nil {
		p.denied = 0
		return
	}
	if p.denied++; p.denied == denials {
		p.denied = 0
		p.c.dismiss()
	}
}

func (p *proof) isAbsent() {
	p.unclear, p.silent, p.refused, p.denied = 0, 0, 0, 0
	word := p.c.word()
	if word == nil && !p.seen && time.Since(p.c.began) <= unlisted {
		return
	}
	p.absent++
	switch {
	case word != nil && (p.seen || p.absent >= agreeing): // else the word may be that for the call before
		p.c.end(word)
	case word == nil && p.absent >= agreeing && !p.seen && p.inProgress():
		p.activity, p.tells, p.absent = true, true, 0
	case word == nil && p.absent >= agreeing:
		p.c.end(fmt.Errorf("%w: the call is no longer listed by +CLCC", ErrNoCarrier))
	}
}

func (p *proof) isUnclear() {
	select {
	case <-p.c.ask: // by what made the answer unclear
	default:
	}
	p.silent = 0
	p.unclear++
	switch word := p.c.word(); {
	case word != nil && p.unclear >= denials: // nothing speaks against it
		p.c.end(word)
	case p.unclear == unclearly:
		p.c.end(fmt.Errorf("%w: no answer to +CLCC could be read", ErrUnsure))
	}
}

func (p *proof) isSilent() {
	if p.silent++; p.silent < silences {
		return
	}
	if word := p.c.word(); word != nil {
		p.c.end(word)
		return
	}
	p.c.end(fmt.Errorf("%w: the modem has stopped answering in a call", ErrTimeout))
}

// isRefused takes an ERROR: one that comes once is a bad answer as any other.
func (p *proof) isRefused() {
	p.silent, p.denied = 0, 0
	if p.refused++; p.refused < refusals {
		return
	}
	p.activity = !p.listed || p.refused >= unclearly
	p.askActivity()
}

// askActivity draws the conclusion from +CPAS. Where that is refused too, what the modem says
// unasked is all there is.
func (p *proof) askActivity() {
	word := p.c.word()
	if word == nil && !p.tells {
		return
	}
	pas := p.phoneActivity()
	switch {
	case p.c.ctx.Err() != nil:
	case word == nil && pas == 0:
		if p.absent++; p.absent >= agreeing {
			p.c.end(fmt.Errorf("%w: +CPAS tells of no call", ErrNoCarrier))
		}
	case word == nil:
		p.absent = 0
	case pas < 0 || pas == 3 && !p.c.isAnswered():
		p.c.believe(word)
	case pas == 0, pas == 3:
		p.c.end(word)
	default:
		p.deny()
	}
}

// inProgress reports whether +CPAS tells of a call.
func (p *proof) inProgress() bool {
	pas := p.phoneActivity()
	return pas == 3 || pas == 4
}

// phoneActivity asks AT+CPAS (TS 27.007 §8.1): 0 is no call, 3 one that rings, 4 one in
// progress; -1 is no answer.
func (p *proof) phoneActivity() int {
	ctx, cancel := context.WithTimeout(p.c.ctx, askLimit)
	defer cancel()
	info, err := p.s.chat.Command(ctx, "AT+CPAS", "+CPAS:")
	pas := -1
	for _, line := range info {
		if rest, ok := strings.CutPrefix(line, "+CPAS:"); ok {
			pas = number(rest)
		}
	}
	if err != nil {
		return -1
	}
	return pas
}
