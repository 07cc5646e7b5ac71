package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookswitch/hal"
	"hookswitch/hal/at"
)

const (
	// guardTime is the silence round +++ (V.250 S12: 50 × 20 ms), with a margin.
	guardTime = 1100 * time.Millisecond
	// dropTime is how long DTR is down; S25 is 5 × 10 ms by default.
	dropTime = 300 * time.Millisecond
	// clearing is how long the network may take to clear a call that was told to.
	clearing = time.Second
)

// leave brings a voice modem of which nothing is known back to command mode: out of voice
// data mode whichever way it flows, out of a dial, out of half a command line. The ESC first
// is for a modem that waits for a text, and completes a DLE that was left alone.
const leave = "\x1b\x10\x18\x10\x03\x10!\x10\x1b\x10^\r"

// leaveGSM is the same for a modem that knows no voice data mode.
const leaveGSM = "\x1b\r"

// hangupFirst has the limit of the first attempt to hang up: most modems answer within
// 20 ms, some take a second over their relay.
const hangupFirst = 1500 * time.Millisecond

// dtr is a port with modem-control lines.
type dtr interface{ SetDTR(on bool) error }

// Hangup puts the modem on-hook. It pre-empts whatever runs, at once: a running Dial, Play
// or Record returns. It climbs the ladder, which ends after 15 s at the most; a modem that has
// not confirmed by then is reopened, told to hang up and initialised anew, by the keeper, with
// back-off, until it has, or ctx ends: then the error says what was not confirmed. Hook tells
// how it stands meanwhile. Hangup on an idle modem is allowed.
func (m *Modem) Hangup(ctx context.Context) error {
	s := m.preempt()
	defer m.release()
	err := fmt.Errorf("%w: its port is not open", ErrGone)
	if s != nil {
		if err = s.onHook(ctx); err == nil {
			m.setHook(OnHook)
			return m.afterHangup(ctx, s)
		}
		err = explain("", err)
		m.log.Error("hang-up not confirmed, opening the modem anew", "error", err)
		m.restart(s, "it did not confirm a hang-up and is started anew")
	}
	// The first thing that it is told then is to hang up.
	if m.reopened(ctx, s) {
		return nil
	}
	return fmt.Errorf("modem: on-hook not confirmed: %w", err)
}

// preempt interrupts what runs; the first byte leaves from here. Until release nothing
// begins.
func (m *Modem) preempt() *session {
	m.mu.Lock()
	m.hanging++
	s, o := m.session, m.op
	m.mu.Unlock()
	if o != nil {
		o.cancel(errPreempted)
	}
	if s != nil {
		if c := s.current(); c != nil {
			c.cancel()
		}
		s.chat.Interrupt()
	}
	return s
}

func (m *Modem) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hanging--
}

// leaveLimit is how long an operation that was pre-empted may take to leave: it may wait for
// the sound that it was to play.
const leaveLimit = 2 * time.Second

// afterHangup waits for the operation to leave, then ends what belonged to the call.
func (m *Modem) afterHangup(ctx context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(ctx, leaveLimit)
	defer cancel()
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil // the line is on-hook: that is what was asked for
	}
	c := s.takeCall()
	if c == nil {
		return nil
	}
	c.close()
	for _, cmd := range s.dialect.Off {
		if c.audio {
			s.tell(ctx, cmd)
		}
	}
	s.mu.Lock()
	restart := s.restart
	s.restart = false
	s.mu.Unlock()
	if restart && s.dialect.Reset != "" {
		m.log.Warn("modem's sound was refused at first: restarting the module", "command", s.dialect.Reset)
		s.tell(ctx, s.dialect.Reset)
		m.restart(s, "the module is restarting")
	}
	return nil
}

// onHook climbs the ladder until the modem has confirmed. It may be called while an
// operation of the session is being aborted.
func (s *session) onHook(ctx context.Context) error {
	s.chat.Interrupt()
	_ = s.chat.Settle()
	if s.dialect.GSM {
		return s.ladder(ctx, s.hangupGSM, leaveGSM)
	}
	if s.chat.Lingers() { // some say NO CARRIER in voice data mode, and stay there
		if err := s.chat.WriteRaw([]byte(leave)); err != nil {
			return err
		}
		s.chat.Drain(ctx, glance)
	}
	return s.ladder(ctx, s.hangupVoice, leave)
}

// firstHangup is what a modem is told before anything else: a process that was killed may
// have left it in a call, playing, recording or dialling.
func (s *session) firstHangup(ctx context.Context) error {
	first := leave
	if s.dialect.GSM {
		first = leaveGSM
	}
	if err := s.chat.WriteRaw([]byte(first)); err != nil {
		return err
	}
	s.chat.Drain(ctx, glance) // a board with idle modems should not be kept waiting
	err := s.onHook(ctx)
	// One with Q1 in its stored profile hears, and does not answer.
	if errors.Is(err, at.ErrTimeout) && s.tell(ctx, "ATE0Q0V1") {
		err = s.onHook(ctx)
	}
	if err == nil && !s.known { // a SIM7600 does nothing on ATH
		cctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, _ = s.chat.Command(cctx, "AT+CHUP", "")
	}
	return err
}

// ladder tries, one after the other: to hang up; the same after leaving whatever mode the
// modem may be in; after the escape sequence; after DTR; to reset it.
func (s *session) ladder(ctx context.Context, hangUp func(context.Context) error, leave string) error {
	var err error
	for _, rung := range []func(context.Context) error{
		func(context.Context) error { return nil },
		func(ctx context.Context) error {
			defer s.chat.Drain(ctx, settle)
			return s.chat.WriteRaw([]byte(leave))
		},
		s.escape,
		s.dropDTR,
	} {
		if err := rung(ctx); err != nil {
			return err
		}
		if err = hangUp(ctx); err == nil || ctx.Err() != nil || errors.Is(err, at.ErrGone) {
			return err
		}
		s.log.Debug("hang-up not confirmed yet", "error", err)
	}
	if s.hangUpWith(ctx, "ATZ", hangupFirst) == nil { // a reset ends a call too
		return nil
	}
	return err
}

// escape sends +++ with its silences (V.250 6.2.9): the modem may be in data mode.
func (s *session) escape(ctx context.Context) error {
	if err := hal.Sleep(ctx, guardTime); err != nil {
		return err
	}
	if err := s.chat.WriteRaw([]byte("+++")); err != nil {
		return err
	}
	return hal.Sleep(ctx, guardTime)
}

// dropDTR hangs up by the modem-control line (V.250 &D2), where the port has one.
func (s *session) dropDTR(ctx context.Context) error {
	port, ok := s.port.(dtr)
	if !ok || port.SetDTR(false) != nil {
		return nil
	}
	err := hal.Sleep(ctx, dropTime)
	_ = port.SetDTR(true)
	return err
}

// hangUpWith sends a command and takes its OK for an OK only if it can be no other's.
func (s *session) hangUpWith(ctx context.Context, cmd string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	unsure := s.chat.Unsure()
	_, err := s.chat.Command(ctx, cmd, "")
	if err == nil && !unsure { // a modem that answers twice may just have begun to
		s.chat.Drain(ctx, glance)
		unsure = s.chat.Unsure()
	}
	if unsure && !errors.Is(err, at.ErrTimeout) { // that was the answer to it or to what was before
		s.chat.Drain(ctx, glance)
		_, err = s.chat.Command(ctx, cmd, "")
		s.chat.Drain(ctx, glance)
	}
	return err
}

// hangupVoice is ATH, and AT+VLS=0 (V.253) in any case: a modem in voice mode may say OK to
// ATH and keep the line. One that refuses +VLS=0 leaves voice mode, which hangs up as well
// (V.253 §10.1.9); where that is refused too it is in no voice mode, and its word to ATH holds.
func (s *session) hangupVoice(ctx context.Context) error {
	hungUp := s.hangUpWith(ctx, "ATH", hangupFirst)
	if hungUp != nil && !refused(hungUp) {
		return hungUp
	}
	for _, cmd := range []string{"AT+VLS=0", "AT+FCLASS=0"} {
		if err := s.hangUpWith(ctx, cmd, hangupFirst); !refused(err) {
			return err
		}
	}
	return hungUp
}

// hangupGSM is AT+CHUP, or ATH, after which no call may be left: a SIM7600 answers OK to an
// ATH that it ignores.
func (s *session) hangupGSM(ctx context.Context) (err error) {
	for _, cmd := range []string{"AT+CHUP", "ATH"} {
		if err = s.hangUpWith(ctx, cmd, hangupFirst); err != nil && !refused(err) {
			return err
		}
		up, listErr := s.callsUp(ctx)
		for start := time.Now(); up && listErr == nil && time.Since(start) < clearing; {
			if sleepErr := hal.Sleep(ctx, settle); sleepErr != nil {
				return sleepErr
			}
			up, listErr = s.callsUp(ctx)
		}
		switch {
		case listErr == nil && !up:
			return nil
		case refused(listErr) && err == nil: // it can't be asked
			return nil
		case listErr != nil && !refused(listErr):
			return listErr
		case up:
			err = fmt.Errorf("%w: the call is still listed after %s", ErrRefused, cmd)
		}
	}
	return err
}

// callsUp reports whether AT+CLCC lists a call that was made from here. An answer of which a part
// was lost does not say that none is: it is asked for once more.
func (s *session) callsUp(ctx context.Context) (bool, error) {
	list, err := s.listCalls(ctx)
	_, up := list.ours(0)
	if err == nil && !up && !list.whole && hal.Sleep(ctx, settle) == nil {
		list, err = s.listCalls(ctx)
		_, up = list.ours(0)
	}
	return up, err
}

// close ends what a call has running.
func (c *call) close() {
	c.cancel()
	c.end(fmt.Errorf("%w: hung up here", ErrHungUp))
	c.tasks.Wait()
	if c.pcm != nil {
		c.pcm.close()
	}
}

// dialable admits what a telephone has keys for: anything else would change the meaning of
// ATD. A comma pauses, a semicolon ends the command, W waits.
func dialable(number string, isGSM bool) error {
	digits := number
	if isGSM {
		digits = strings.TrimPrefix(number, "+")
	}
	if digits == "" || len(digits) > 32 || strings.Trim(digits, "0123456789*#") != "" {
		return fmt.Errorf("%w: %q is no number that this line dials", ErrRefused, number)
	}
	return nil
}
