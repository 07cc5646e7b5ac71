package modem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookswitch/hal/at"
)

const (
	pollDialling = 500 * time.Millisecond // between +CLCC while the call is set up, as oFono; faster upsets some
	pollUp       = 2 * time.Second        // and once it is up, as ModemManager
	pollFailures = 3                      // in a row: the modem has died in a call
	unlisted     = 5 * time.Second        // a call that +CLCC has never shown by then has ended
	ceerLimit    = time.Second
)

// dialGSM dials with ATD…; (the semicolon makes it a voice call, TS 27.007 §6.2) and waits
// for the network's word.
func (o *operation) dialGSM(number string) (Answer, error) {
	o.newCall()
	if err := o.prepareGSM(); err != nil {
		return "", err
	}
	if _, err := o.dial("ATD"+number+";", ringLimit); err != nil {
		return "", o.refine(err)
	}
	if !o.s.dialect.NoPoll {
		c := o.call
		c.tasks.Go(func() { o.s.poll(c) })
	}
	timer := time.NewTimer(ringLimit)
	defer timer.Stop()
	if err := o.attend(o.call.up, timer.C, nil); err != nil {
		return "", o.refine(err)
	}
	if !o.call.isAnswered() {
		return "", fmt.Errorf("%w: no answer in %v", ErrNoAnswer, ringLimit)
	}
	return o.call.surely(), o.switchAudio()
}

// refine finds out why a call that nobody had answered has ended, where the modem gave no
// reason: by the cause that came with the end, by +CEER, by how far it had come.
func (o *operation) refine(err error) error {
	if o.ctx.Err() != nil || !errors.Is(err, ErrNoCarrier) {
		return err
	}
	cause := o.call.releaseCause()
	if cause == 0 {
		ctx, cancel := context.WithTimeout(o.ctx, ceerLimit)
		defer cancel()
		info, _ := o.s.chat.Command(ctx, "AT+CEER", "+CEER:")
		if cause = o.call.releaseCause(); cause == 0 { // it may have come meanwhile
			cause = parseCEER(info)
		}
	}
	if o.ctx.Err() != nil {
		return o.cause()
	}
	if cause != 0 {
		return causeError(cause)
	}
	switch {
	case !o.call.hasAlerted():
		return fmt.Errorf("%w (%w)", ErrNoService, err)
	case time.Since(o.call.began) >= longRing:
		return fmt.Errorf("%w (%w)", ErrNoAnswer, err)
	}
	return err
}

func (c *call) releaseCause() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// poll asks for the list of current calls until the call has ended: unsolicited lines come
// first where there are any, but not every modem sends them.
func (s *session) poll(c *call) {
	seen, failures := false, 0
	for every := pollDialling; sleep(c.ctx, every) == nil; {
		info, err := s.chat.Command(c.ctx, "AT+CLCC", "+CLCC:")
		switch {
		case c.ctx.Err() != nil || refused(err) || errors.Is(err, at.ErrGone):
			return
		case err != nil:
			if failures++; failures == pollFailures {
				c.end(fmt.Errorf("%w: the modem has stopped answering in a call", ErrTimeout))
				return
			}
			continue
		}
		failures = 0
		listed := false
		for _, line := range info {
			if l, ok := parseCLCC(line); ok && l.ours() {
				listed, seen = true, true
				c.listed(l)
			}
		}
		if !listed && (seen || time.Since(c.began) > unlisted) {
			c.end(fmt.Errorf("%w: the call is no longer listed by +CLCC", ErrNoCarrier))
			return
		}
		if c.isAnswered() {
			every = pollUp
		}
	}
}
