package modem

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	ceerLimit = time.Second
	// okLimit is how long a modem may take to say OK to ATD…;, which it says before the far end
	// rings (TS 27.007 §6.2). An OK that has not come by then was lost.
	okLimit = 5 * time.Second
)

// dialGSM dials with ATD…; (the semicolon makes it a voice call, TS 27.007 §6.2) and waits
// for the network's word.
func (o *operation) dialGSM(number string) (Answer, error) {
	o.newCall(false)
	if err := o.prepareGSM(); err != nil {
		return "", err
	}
	if err := o.listIsFree(); err != nil {
		return "", err
	}
	if !o.s.dialect.NoPoll {
		o.call.check()
	}
	if err := o.placeGSM("ATD" + number + ";"); err != nil {
		return "", o.refine(err)
	}
	if !o.s.dialect.NoPoll {
		o.prove()
	}
	timer := time.NewTimer(ringLimit)
	defer timer.Stop()
	if err := o.attend(o.call.up, timer.C, nil); err != nil {
		return "", o.refine(err)
	}
	if !o.call.isAnswered() {
		return "", fmt.Errorf("%w: no answer in %v", ErrNoAnswer, ringLimit)
	}
	if o.s.dialect.NoPoll {
		o.call.check()
		o.prove()
	}
	if o.s.chat.Unsure() { // the OK to ATD may still come, and is not that to what follows
		o.s.chat.Drain(o.ctx, settle)
	}
	return o.call.surely(), o.switchAudio()
}

// prove starts to ask what becomes of the call.
func (o *operation) prove() {
	p := &proof{s: o.s, c: o.call}
	o.call.tasks.Go(p.run)
}

// listIsFree asks once whether a call comes in whose RING was lost, and ends one that is up: the
// module, or another program, has made or answered it. No answer is no obstacle.
func (o *operation) listIsFree() error {
	if o.s.dialect.NoPoll {
		return nil
	}
	ctx, cancel := context.WithTimeout(o.ctx, askLimit)
	defer cancel()
	list, _ := o.s.listCalls(ctx) // notes who rings
	if _, ours := list.ours(0); ours || list.busy() {
		o.s.log.Warn("a call that was not made here is up, and is hung up: does another program use this modem?")
		_ = o.s.hangupGSM(o.ctx)
		if list, _ = o.s.listCalls(o.ctx); list.busy() {
			return faultf(ErrNoService, "a call that was not made here is up and can't be ended: "+
				"stop the program that uses this modem, or switch the modem off for 5 s")
		}
	}
	if o.ctx.Err() != nil {
		return o.cause()
	}
	return o.s.free()
}

// placeGSM sends ATD and returns when the modem has taken it, when its OK must have been lost,
// or when the far end has answered already. BUSY and its like are left to be proven.
func (o *operation) placeGSM(cmd string) error {
	lost := time.NewTimer(okLimit)
	defer lost.Stop()
	_, err := o.place(cmd, ringLimit, lost.C)
	switch {
	case o.ctx.Err() != nil:
	case errors.Is(err, errForgotten): // whether there is a call, its proof will show
		return nil
	case o.s.dialect.NoPoll:
	case errors.Is(err, ErrBusy), errors.Is(err, ErrNoCarrier), errors.Is(err, ErrNoAnswer):
		o.call.doubt(err) // it may have been said of a call that waited
		return nil
	}
	return err
}

// refine finds out why a call that nobody had answered has ended, where the modem gave no
// reason: by the cause that came with the end, by +CEER, by a call that came in at the same
// moment, by how far it had come.
func (o *operation) refine(err error) error {
	if o.ctx.Err() == nil && errors.Is(err, ErrRefused) {
		return o.orRinging(err)
	}
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
	case o.s.echoesAgain():
		return fmt.Errorf("%w (%v)", ErrRestarted, err)
	case !o.call.hasAlerted():
		return o.orRinging(fmt.Errorf("%w (%w)", ErrNoService, err))
	case time.Since(o.call.began) >= longRing:
		return fmt.Errorf("%w (%w)", ErrNoAnswer, err)
	}
	return err
}

// orRinging is err, or ErrRinging where the line has begun to ring: a modem that rings does
// not dial.
func (o *operation) orRinging(err error) error {
	if rings := o.s.free(); rings != nil {
		return fmt.Errorf("%w (%v)", rings, err)
	}
	return err
}

func (c *call) releaseCause() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}
