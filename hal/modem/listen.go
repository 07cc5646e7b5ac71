package modem

import (
	"errors"
	"fmt"
	"time"
)

// errAnswered ends listening.
var errAnswered = errors.New("modem: answered")

// dialListening dials and lets the board hear the line's tones, for modems that can't tell
// ringback from an answer. The semicolon makes ATD return after the last digit
// (V.250 6.3.1).
func (o *operation) dialListening(number string) (Answer, error) {
	limit := time.Duration(len(number))*digitTime + dialMargin
	if _, err := o.dial("ATDT"+number+";", limit); err != nil {
		return "", o.unanswered(err)
	}
	if err := o.offHook(); err != nil {
		return "", err
	}
	hear := o.s.cfg.Listen()
	o.call.listen(true)
	defer o.call.listen(false)
	stream, err := o.receive()
	if err != nil {
		return "", err
	}
	timer := time.NewTimer(answerLimit * time.Second)
	defer timer.Stop()
	err = o.attend(stream.Done(), timer.C, func(samples []int16) error { return o.progress(hear(samples)) })
	o.s.chat.Interrupt()
	settled := o.s.chat.Settle()
	switch {
	case errors.Is(err, errAnswered):
		o.call.connect(Ringback)
		return o.call.surely(), explain("listen", settled)
	case err != nil:
		return "", o.unanswered(err)
	case time.Since(o.call.began) >= answerLimit*time.Second:
		return "", ErrNoAnswer
	}
	return "", fmt.Errorf("%w: the modem stopped listening by itself", ErrNoCarrier)
}

// progress acts on what the tones mean.
func (o *operation) progress(p Progress) error {
	switch p {
	case Ringing:
		if !o.call.hasAlerted() {
			o.call.alert()
		}
	case Answered:
		return errAnswered
	case Busy:
		return fmt.Errorf("%w: busy tone", ErrBusy)
	case Unobtainable:
		return fmt.Errorf("%w: number unobtainable", ErrNoService)
	}
	return nil
}
