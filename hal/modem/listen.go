package modem

import (
	"errors"
	"fmt"
	"time"
)

// Progress is what the sound of a line that is off-hook means.
type Progress int

// What a listener has heard last.
const (
	Undecided    Progress = iota
	DialTone              // the exchange waits for digits, or, in a call, the far end has hung up
	Ringing               // ringback
	LikeRinging           // a tone that is taken for ringback, and may be none
	Answered              // ringback has stopped, or somebody speaks
	Busy                  // busy tone
	Unobtainable          // special information tone, congestion, reorder
)

const (
	// dialToneLimit is how long an exchange may take to give dial tone.
	dialToneLimit = 5 * time.Second
	// announcementLimit is how long after it has begun to speak.
	announcementLimit = 20 * time.Second
)

// What ends listening.
var (
	errAnswered = errors.New("modem: answered")
	errInvited  = errors.New("modem: dial tone")
)

// dialListening dials and lets the board hear the line's tones, for modems that can't tell
// dial tone, ringback and an answer from each other.
func (o *operation) dialListening(number string) (Answer, error) {
	if err := o.command("AT+VLS=1"); err != nil {
		return "", err
	}
	if err := o.awaitDialTone(); err != nil {
		return "", err
	}
	if err := o.digits(number); err != nil {
		return "", o.unanswered(err)
	}
	err := o.listen(answerLimit*time.Second, o.progress)
	switch {
	case errors.Is(err, errAnswered):
		o.call.connect(o.call.surely())
		return o.call.surely(), nil
	case err == nil:
		return "", ErrNoAnswer
	}
	return "", o.unanswered(err)
}

// awaitDialTone returns when the exchange waits for digits. Another tone may be the beginning
// of a special dial tone, and an announcement, of messages that wait say, comes before one.
func (o *operation) awaitDialTone() error {
	other := false
	err := o.listen(dialToneLimit, func(p Progress, limit *time.Timer) error {
		switch p {
		case DialTone:
			return errInvited
		case Busy, Unobtainable:
			other = true
		case Answered:
			limit.Reset(announcementLimit)
		}
		return nil
	})
	switch {
	case errors.Is(err, errInvited):
		return nil
	case err == nil && other:
		return fmt.Errorf("%w: the line gives another tone", ErrNoDialTone)
	case err == nil:
		return fmt.Errorf("%w: none was heard for %v", ErrNoDialTone, dialToneLimit)
	}
	return err
}

// digits dials on a line that gives dial tone, and returns after the last digit.
func (o *operation) digits(number string) error {
	if o.s.cfg.Pulse != nil {
		return o.s.cfg.Pulse(o.ctx, number)
	}
	// X3: the modem, which may not know the country's dial tone, is not to wait for it. The
	// semicolon makes ATD return after the last digit (V.250 6.3.1).
	if err := o.command("ATX3"); err != nil && !errors.Is(err, ErrRefused) {
		return err
	}
	_, err := o.dial("ATDT"+number+";", time.Duration(len(number))*digitTime+dialMargin)
	return err
}

// listen asks act about each change of the line's sound until that returns an error, which
// it returns, or limit has passed, which is nil. act may set the timer of limit anew.
func (o *operation) listen(limit time.Duration, act func(Progress, *time.Timer) error) error {
	hear := o.s.cfg.Listen()
	o.call.listen(true)
	defer o.call.listen(false)
	stream, err := o.receive()
	if err != nil {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	err = o.attend(stream.Done(), timer.C, func(samples []int16) error { return act(hear(samples), timer) })
	select {
	case <-stream.Done():
		if err == nil {
			err = fmt.Errorf("%w: the modem stopped listening by itself", ErrNoCarrier)
		}
	default:
	}
	o.s.chat.Interrupt()
	if settled := o.s.chat.Settle(); settled != nil && (err == nil || errors.Is(err, errAnswered) || errors.Is(err, errInvited)) {
		return explain("listen", settled)
	}
	return err
}

// progress acts on what the tones after dialling mean.
func (o *operation) progress(p Progress, _ *time.Timer) error {
	switch p {
	case Ringing:
		o.call.alert()
	case LikeRinging:
		o.call.alerts(Assumed)
	case Answered:
		return errAnswered
	case Busy:
		return fmt.Errorf("%w: busy tone", ErrBusy)
	case Unobtainable:
		return fmt.Errorf("%w: number unobtainable", ErrNoService)
	}
	return nil
}
