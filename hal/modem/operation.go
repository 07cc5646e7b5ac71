package modem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookswitch/hal/at"
)

// operation is a Dial, Play or Record at work, in the goroutine that called it.
type operation struct {
	s      *session
	call   *call
	caller context.Context
	ctx    context.Context // the caller's; also ends with Hangup
	cancel context.CancelCauseFunc
	far    Far
	dry    bool // the modem has said that it has nothing to play
}

// cause is why ctx has ended.
func (o *operation) cause() error {
	if o.caller.Err() != nil {
		return context.Cause(o.caller)
	}
	return context.Cause(o.ctx)
}

// begin waits for the modem to be free of the keeper and of other operations.
func (m *Modem) begin(ctx context.Context, far Far) (*operation, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.fault
	switch {
	case ctx.Err() != nil: // while it waited, and whoever ended it may have hung up already
		err = context.Cause(ctx)
	case m.hanging > 0:
		err = errPreempted
	}
	if err != nil {
		<-m.turn
		return nil, err
	}
	o := &operation{s: m.session, caller: ctx, far: far}
	o.ctx, o.cancel = context.WithCancelCause(ctx)
	m.op = o
	return m.op, nil
}

// end lets the next one use the modem.
func (m *Modem) end(o *operation) {
	o.cancel(nil)
	m.mu.Lock()
	m.op = nil
	m.mu.Unlock()
	<-m.turn
}

// join makes the operation part of the call that is up.
func (o *operation) join() error {
	if o.call = o.s.current(); o.call == nil {
		return fmt.Errorf("%w: no call is up", ErrRefused)
	}
	select {
	case <-o.call.over:
		return o.call.why()
	default:
		return nil
	}
}

// attend serves the far end's events until done is closed or after has passed; a nil one
// never does. The error is why the operation ends before: its context, the end of the
// call, the modem gone, or that of sound, which takes what is heard and may be nil.
func (o *operation) attend(done <-chan struct{}, after <-chan time.Time, sound func([]int16) error) error {
	for {
		select {
		case e := <-o.call.events:
			if err := o.serve(e, sound); err != nil {
				return err
			}
		case <-o.call.over:
			for len(o.call.events) > 0 { // what was heard before the end
				if err := o.serve(<-o.call.events, sound); err != nil {
					return err
				}
			}
			return o.call.why()
		case <-o.ctx.Done():
			return o.cause()
		case <-o.s.chat.Gone():
			return explain("", o.s.chat.Err())
		case <-done:
			return nil
		case <-after:
			return nil
		}
	}
}

func (o *operation) serve(e event, sound func([]int16) error) error {
	switch {
	case e.dry:
		o.dry = true
	case e.alerted && o.far.Alerted != nil:
		o.far.Alerted()
	case e.key != 0 && o.far.Key != nil:
		o.far.Key(e.key)
	case len(e.sound) > 0:
		if o.far.Hear != nil {
			o.far.Hear(e.sound)
		}
		if sound != nil {
			return sound(e.sound)
		}
	}
	return nil
}

// replyLimit is when a command that may be given twice is: sooner than its own limit, as a
// person may be waiting. Modems answer such commands within a few 100 ms.
const replyLimit = 2 * time.Second

// command sends a command that must be accepted, and that does the same when it is given
// twice: one lost reply is survived.
func (o *operation) command(cmd string) error {
	ctx, cancel := context.WithTimeout(o.ctx, replyLimit)
	defer cancel()
	_, err := o.s.chat.Command(ctx, cmd, "")
	if errors.Is(err, at.ErrTimeout) && o.ctx.Err() == nil {
		o.s.chat.Drain(o.ctx, settle)
		_, err = o.s.chat.Command(o.ctx, cmd, "")
	}
	return o.explain(err)
}

// connect begins voice data mode. A modem whose CONNECT was lost may be in it, and is told to
// leave before it is asked again.
func (o *operation) connect(cmd string, sound func([]byte), abort []byte) (*at.Stream, error) {
	ctx, cancel := context.WithTimeout(o.ctx, replyLimit)
	defer cancel()
	stream, err := o.s.chat.Connect(ctx, cmd, sound, abort)
	if !errors.Is(err, at.ErrTimeout) || o.ctx.Err() != nil {
		return stream, err
	}
	if err := o.s.chat.WriteRaw([]byte(leave)); err != nil {
		return nil, err
	}
	o.s.chat.Drain(o.ctx, settle)
	return o.s.chat.Connect(o.ctx, cmd, sound, abort)
}

// explain is explain, but for an ended context, whose cause stands for itself.
func (o *operation) explain(err error) error {
	if err != nil && o.ctx.Err() != nil {
		return o.cause()
	}
	return explain("", err)
}

// explain turns an error of the AT channel into one of ours.
func explain(doing string, err error) error {
	if doing != "" {
		doing += ": "
	}
	var refused *at.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		kind := resultError(refused.Result)
		if kind == ErrRefused {
			return faultf(kind, refusedCommand+"%s%s answered %s", doing, refused.Command, refused.Result)
		}
		return fmt.Errorf("%w: %s%s answered %s", kind, doing, refused.Command, refused.Result)
	case errors.Is(err, at.ErrTimeout):
		return fmt.Errorf("%w: %s%w", ErrTimeout, doing, err)
	case errors.Is(err, at.ErrStuck):
		return faultf(ErrGone, "the modem takes what is written to it too slowly or not at all: "+
			"check the baud rate and flow control, or switch it off for 5 s")
	case errors.Is(err, at.ErrGone):
		return fmt.Errorf("%w: %s%w", ErrGone, doing, err)
	}
	return err
}

// refusedCommand begins the sentence of a command that is refused.
const refusedCommand = "the modem refused a command: "

// refused says that the modem knows the command, or not, and does not do it.
func refused(err error) bool {
	var e *at.Error
	return errors.As(err, &e)
}

// faultError is a sentence for a person, and what kind of error it is.
type faultError struct {
	kind     error
	sentence string
}

func (f *faultError) Error() string { return f.sentence }
func (f *faultError) Unwrap() error { return f.kind }

// Sentence is what a person is told.
func (f *faultError) Sentence() string { return f.sentence }

func faultf(kind error, format string, args ...any) error {
	return &faultError{kind, fmt.Sprintf(format, args...)}
}
