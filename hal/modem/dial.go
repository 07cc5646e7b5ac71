package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// digitTime is how long a digit takes to dial, with its pause (S11: 85 to 95 ms each).
	digitTime = 200 * time.Millisecond
	// dialMargin is for dial tone and the modem's own thoughts.
	dialMargin = 15 * time.Second
	// ringLimit is how long a GSM network may let it ring, the limit of ATD besides.
	ringLimit = 90 * time.Second
	// longRing is a NO CARRIER's distance from a telephone that rings unanswered.
	longRing = 25 * time.Second
)

// dialVoice dials on an analogue line and waits for the modem's word. No byte may be sent
// meanwhile: it would end the call (V.250 5.6.1).
func (o *operation) dialVoice(number string) (Answer, error) {
	if err := o.prepareVoice(); err != nil {
		return "", err
	}
	if err := o.s.free(); err != nil {
		return "", err
	}
	o.newCall(true)
	if o.s.cfg.Listen != nil {
		return o.dialListening(number)
	}
	limit := answerLimit*time.Second + time.Duration(len(number))*digitTime + dialMargin
	result, err := o.place("ATDT"+number, limit, nil)
	if err != nil && !errors.Is(err, errForgotten) {
		return "", o.unanswered(err)
	}
	switch result {
	case "", "OK": // "" is one that came garbled
	case "VCON", "#VCON", "VOICE": // never said but after ringback, or to a voice
		o.call.sure(Ringback)
	case "POLARITY REVERSAL":
		o.call.sure(Supervised)
	default: // CONNECT: a data modem has answered a data modem
		return "", faultf(ErrRefused, "a modem or a fax machine has answered (%s), not a person", result)
	}
	o.call.connect(Assumed)
	return o.call.surely(), o.offHook()
}

// prepareVoice sets voice mode up again: a modem that has fallen out of it must fail before
// a telephone rings.
func (o *operation) prepareVoice() error {
	if err := o.command("AT+FCLASS=8"); err != nil {
		return err
	}
	for _, cmd := range o.s.setup {
		if err := o.command(cmd); err != nil && !errors.Is(err, ErrRefused) {
			return err
		}
	}
	return nil
}

// newCall makes the modem's events those of a new call; voice is one on an analogue line.
func (o *operation) newCall(voice bool) {
	if old := o.s.takeCall(); old != nil {
		old.close()
	}
	o.call = newCall()
	o.call.voice, o.call.ears = voice, voice && o.s.cfg.Listen != nil
	o.s.setCall(o.call)
}

// offHook selects the line as the place of sound. Most modems have it so after dialling;
// +VTX is refused by some that have not been told.
func (o *operation) offHook() error {
	err := o.command("AT+VLS=1")
	if errors.Is(err, ErrRefused) {
		return nil
	}
	return err
}

// dial sends a dial command, unless the line has begun to ring, and serves events until its
// final result code.
func (o *operation) dial(cmd string, limit time.Duration) (result string, err error) {
	quiet := glance // an OK that comes late would pass for an answer
	if o.s.chat.Unsure() {
		quiet = settle
	}
	o.s.chat.Drain(o.ctx, quiet)
	if err := o.s.free(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancelCause(o.ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var dialErr error
	go func() {
		defer close(done)
		result, dialErr = o.s.chat.Dial(ctx, cmd)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	err = o.attend(done, timer.C, nil)
	select {
	case <-done:
	default:
		if err == nil {
			err = fmt.Errorf("%w: %s: no result in %v", ErrTimeout, cmd, limit)
		}
		cancel(err)
		<-done
		if dialErr == nil && o.ctx.Err() == nil { // BUSY, say, and then NO CARRIER
			if told := failureOf(cmd, result); told != nil {
				return "", told
			}
		}
		return "", err
	}
	switch {
	case o.ctx.Err() != nil:
		return "", o.cause()
	case dialErr != nil:
		return "", o.explain(dialErr)
	}
	if err := failureOf(cmd, result); err != nil {
		return "", err
	}
	return result, err
}

// failureOf is why a dial command has failed, by its final result code; nil is that it has not.
func failureOf(cmd, result string) error {
	err := resultOf(result)
	if err == ErrRefused {
		return faultf(err, "the modem refuses to dial (it answers %s): "+
			"check that its SIM or its line may call this number", result)
	}
	if err != nil {
		return fmt.Errorf("%w: %s answered %s", err, cmd, result)
	}
	return nil
}

// errForgotten is a dial command whose result is no longer waited for.
var errForgotten = errors.New("modem: the result of the dial command was not heard")

// place is dial, but for a result that is lost: it is no longer waited for when one came that
// was garbled, when the far end is known to have answered, or after lost.
func (o *operation) place(cmd string, limit time.Duration, lost <-chan time.Time) (result string, err error) {
	select {
	case <-o.call.taken: // by an earlier command
	default:
	}
	placed, forgotten := make(chan struct{}), false
	var waits sync.WaitGroup
	waits.Go(func() {
		select {
		case <-placed:
			return
		case <-o.call.up:
		case <-o.call.taken:
		case <-lost:
		}
		forgotten = true
		o.s.chat.Forget()
	})
	result, err = o.dial(cmd, limit)
	close(placed)
	waits.Wait()
	if forgotten && errors.Is(err, ErrTimeout) && o.ctx.Err() == nil {
		return "", errForgotten
	}
	return result, err
}

// resultOf is nil for the final result codes of ATD that are no failure.
func resultOf(result string) error {
	switch result {
	case "OK", "VCON", "#VCON", "VOICE", "POLARITY REVERSAL":
		return nil
	}
	if strings.HasPrefix(result, "CONNECT") {
		return nil
	}
	return resultError(result)
}

// unanswered refines the error of an analogue call: a modem that gives up after it has
// rung for long means that nobody came.
func (o *operation) unanswered(err error) error {
	rang := time.Since(o.call.began)
	if errors.Is(err, ErrTimeout) && o.call.hasAlerted() ||
		errors.Is(err, ErrNoCarrier) && (o.call.hasAlerted() && rang >= longRing || rang >= answerLimit*time.Second) {
		return fmt.Errorf("%w (%w)", ErrNoAnswer, err)
	}
	return err
}

func (c *call) hasAlerted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alerted
}
