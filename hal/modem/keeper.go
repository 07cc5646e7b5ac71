package modem

import (
	"context"
	"errors"
	"time"

	"hookswitch/hal"
)

const (
	firstRetry = time.Second      // back-off between attempts to reach a modem
	lastRetry  = 30 * time.Second // and its longest
	steadyFor  = 10 * time.Second // a modem that has served so long is tried again at once
	checkIdle  = 30 * time.Second // between looks at an idle modem
	checkFault = 5 * time.Second  // and at one whose network is awaited
	checkSound = 2 * time.Second  // and at one that has just started and has no sound yet
	checkAgain = time.Second      // and at one that is busy just now
	checkLimit = 15 * time.Second // for a look
	// lastingRetry is when a fault that only a person can cure is looked into again: that a
	// modem has no voice mode is also what one says that was in a bad mood when it was asked.
	lastingRetry = 2 * time.Minute
	startLimit   = 3 * time.Minute // for an opening: every command with no answer at all
)

// keep is the keeper: open, hang up, initialise, serve, and again when the modem has gone.
func (m *Modem) keep(ctx context.Context) {
	defer close(m.done)
	for retry := firstRetry; ctx.Err() == nil; {
		m.progress()
		turn, cancel := m.opening(ctx)
		if m.keepOpen(turn, retry > firstRetry) {
			retry = firstRetry
		} else if hal.Sleep(turn, retry) == nil {
			retry = min(2*retry, lastRetry)
		}
		cancel(nil)
	}
}

// keepOpen is one opening of the port, until the modem has gone or ctx ends; true is for one
// that is to be opened anew at once. Where again, earlier ones have failed.
func (m *Modem) keepOpen(ctx context.Context, again bool) (atOnce bool) {
	s, err := m.start(ctx)
	if context.Cause(ctx) != nil && s == nil {
		err = faultf(ErrGone, "the modem has not been reached yet")
	}
	m.publish(s, err)
	if s == nil {
		if errors.Is(err, ErrTimeout) && again {
			m.powerCycle(ctx)
		}
		return false
	}
	began := time.Now()
	atOnce = m.serve(ctx, s)
	m.drop(s)
	return atOnce || time.Since(began) >= steadyFor
}

// start opens the port and sets the modem up. The session is nil where the modem is out of
// reach, or not known to be on-hook.
func (m *Modem) start(ctx context.Context) (*session, error) {
	port, err := m.cfg.Open()
	if err != nil {
		return nil, faultf(ErrGone, "the modem's port %s", notOpened(err))
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	s := openSession(&m.cfg, m.log, port, &m.ring)
	err = s.start(ctx)
	if s.ready {
		return s, err
	}
	s.close()
	return nil, err
}

// publish tells everybody what came of an opening.
func (m *Modem) publish(s *session, fault error) {
	m.mu.Lock()
	known := m.first && m.fault != nil && fault != nil && m.fault.Error() == fault.Error()
	m.setSessionLocked(s)
	if s != nil {
		m.setHookLocked(OnHook)
	}
	m.setFaultLocked(fault)
	if !m.first {
		m.first = true
		close(m.tried)
	}
	m.mu.Unlock()
	switch {
	case known: // told once
	case fault != nil:
		m.log.Warn("modem can't make calls", "fault", fault)
	default:
		m.log.Info("modem ready", "dialect", s.dialect.Name, "format", s.format.Name)
	}
}

func (m *Modem) setSessionLocked(s *session) {
	m.session = s
	if s != nil {
		m.gsm = s.dialect.GSM
	}
	close(m.opened)
	m.opened = make(chan struct{})
}

func (m *Modem) setFaultLocked(fault error) {
	if fault == nil {
		fault = m.silenced // known once, and not cured by an answer to AT
	}
	if (m.fault == nil) != (fault == nil) {
		m.changedLocked()
	}
	m.fault = fault
}

func (m *Modem) setFault(fault error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setFaultLocked(fault)
}

// drop closes a session; an operation that runs on it ends with ErrGone.
func (m *Modem) drop(s *session) {
	s.close()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setSessionLocked(nil)
}

// restart asks the keeper to open the modem anew; until then it is in fault.
func (m *Modem) restart(s *session, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session != s {
		return
	}
	m.setFaultLocked(faultf(ErrGone, "%s", why))
	select {
	case s.renew <- struct{}{}:
	default:
	}
}

// reopened waits until the modem has been opened after old, and so been told to hang up.
func (m *Modem) reopened(ctx context.Context, old *session) bool {
	for {
		m.mu.Lock()
		s, opened := m.session, m.opened
		m.mu.Unlock()
		if s != nil && s != old {
			return true
		}
		select {
		case <-opened:
		case <-m.done:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// serve looks after a modem until it has gone or somebody asks for a new start; then atOnce
// is true.
func (m *Modem) serve(ctx context.Context, s *session) (atOnce bool) {
	timer := time.NewTimer(m.pause(s))
	defer timer.Stop()
	var again <-chan time.Time
	if s.lasting != nil {
		again = time.After(lastingRetry)
	}
	for {
		m.progress()
		select {
		case <-ctx.Done():
			return false
		case <-s.chat.Gone():
			m.log.Warn("modem gone", "error", s.chat.Err())
			m.setFault(s.unreachable(s.chat.Err()))
			return false
		case <-s.renew:
			return true
		case <-again:
			return true
		case <-s.nudge:
		case <-timer.C:
		}
		pause, ok := m.look(ctx, s)
		if !ok {
			return true
		}
		timer.Reset(pause)
	}
}

// pause is the time to the next look.
func (m *Modem) pause(s *session) time.Duration {
	switch fault := m.Fault(); {
	case errors.Is(fault, ErrSound) && s.lasting == nil && time.Since(s.began) < slowSound:
		return checkSound
	case fault != nil:
		return checkFault
	}
	return checkIdle
}

// look asks an idle modem whether all is well; false is for one that is to be opened anew.
func (m *Modem) look(ctx context.Context, s *session) (pause time.Duration, ok bool) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	default: // a call is up
		return checkAgain, true
	}
	if s.current() != nil { // between two operations of a call
		return checkAgain, true
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	if s.lasting == nil {
		err := s.check(ctx)
		if ctx.Err() != nil {
			return checkAgain, true
		}
		m.setFault(err)
		if err != nil && !awaited(err) {
			return 0, false
		}
	}
	return m.pause(s), true
}

// awaited reports whether a fault may pass without the modem being opened anew.
func awaited(err error) bool { return errors.Is(err, ErrNoService) || errors.Is(err, ErrSound) }

// stuckAfter is longer than any step of the keeper: an opening in which nothing is answered,
// and the power of the modem switched off and on.
const stuckAfter = 15 * time.Minute

// progress notes that the keeper goes on.
func (m *Modem) progress() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.alive = time.Now()
}

// Stuck says that the keeper has made no progress for so long that it never will: a driver
// holds it. A port that is lent is nobody's fault.
func (m *Modem) Stuck() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.loan == nil && time.Since(m.alive) > stuckAfter
}

// powerCycle switches a modem that does not answer off and on, where the board can.
func (m *Modem) powerCycle(ctx context.Context) {
	if m.cfg.Power == nil {
		return
	}
	m.log.Warn("modem does not answer: switching it off and on")
	if err := m.cfg.Power(ctx); err != nil {
		m.log.Error("modem's power was not switched", "error", err)
	}
}
