package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"hookswitch/hal/modem/dialect"
)

// LineTest is what a voice modem finds out about its line.
type LineTest struct {
	DialTone bool // the exchange invites to dial: sound comes in
	Taken    bool // dial tone has stopped at a digit: sound goes out
}

// toneStops is how long an exchange may take to stop dial tone after a digit.
const toneStops = time.Second

// TestLine takes the line off-hook, listens for dial tone, sends the digit 1, which a
// working line answers by stopping dial tone, and hangs up. The hook relay is the caller's:
// closed is called once the modem has seized the line. The port is closed at the end. An
// error of kind ErrNoDialTone is a finding about the line, any other one about the modem.
func TestLine(ctx context.Context, port io.ReadWriteCloser, listen func() func([]int16) Progress, closed func()) (LineTest, error) {
	s := newSession(&Config{Dialect: dialect.Auto, PINs: &PINs{}, Listen: listen}, slog.New(slog.DiscardHandler), port)
	defer s.close()
	if err := s.start(ctx); err != nil {
		return LineTest{}, err
	}
	if s.dialect.GSM {
		return LineTest{}, faultf(ErrRefused, "a mobile line has no dial tone; probe tells of its network")
	}
	found, err := s.testLine(ctx, closed)
	hangUp, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkLimit)
	defer cancel()
	if why := s.onHook(hangUp); why != nil {
		err = errors.Join(err, fmt.Errorf("modem: on-hook not confirmed: %w", why))
	}
	return found, err
}

func (s *session) testLine(ctx context.Context, closed func()) (found LineTest, err error) {
	o := &operation{s: s, caller: ctx, ctx: ctx}
	if err := o.prepareVoice(); err != nil {
		return found, err
	}
	if err := s.free(); err != nil {
		return found, err
	}
	o.newCall(true)
	if err := o.command("AT+VLS=1"); err != nil {
		return found, err
	}
	closed()
	if err := o.awaitDialTone(); err != nil {
		return found, err
	}
	found.DialTone = true
	if err := o.digits("1"); err != nil {
		return found, err
	}
	err = o.listen(toneStops, func(p Progress, _ *time.Timer) error {
		if p == DialTone {
			return errInvited
		}
		return nil
	})
	if errors.Is(err, errInvited) {
		return found, nil
	}
	found.Taken = err == nil
	return found, err
}
