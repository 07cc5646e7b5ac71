package modem

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// errLent ends what the keeper does with a port that somebody else wants.
var errLent = errors.New("modem: port lent")

// loan is the port in somebody else's hands.
type loan struct {
	ready chan struct{} // closed when the keeper has let go of it
	back  chan struct{} // closed when it may have it again
}

// Borrow takes the port from the keeper, for a technician to speak with the modem; what runs
// ends. The modem is in fault until the port is closed, and is then told first of all to hang
// up. ErrRefused is for a port that is lent already.
func (m *Modem) Borrow(ctx context.Context) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	if m.loan != nil {
		m.mu.Unlock()
		return nil, faultf(ErrRefused, "a technician has the modem's port already")
	}
	l := &loan{ready: make(chan struct{}), back: make(chan struct{})}
	m.loan = l
	m.setHookLocked(Unknown)
	m.letGo(errLent)
	m.mu.Unlock()
	var err error
	select {
	case <-l.ready:
		var port io.ReadWriteCloser
		if port, err = m.cfg.Open(); err == nil {
			return &borrowed{ReadWriteCloser: port, m: m, loan: l}, nil
		}
	case <-m.done:
		err = errClosed
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	m.giveBack(l)
	return nil, err
}

var errClosed = faultf(ErrGone, "the modem is closed")

func (m *Modem) giveBack(l *loan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loan, m.alive = nil, time.Now()
	m.mute, m.silenced = 0, nil // a technician has looked after it
	close(l.back)
}

// borrowed is a port that goes back to the keeper when it is closed.
type borrowed struct {
	io.ReadWriteCloser
	m    *Modem
	loan *loan
	once sync.Once
	err  error
}

// Close closes the port and gives it back.
func (b *borrowed) Close() error {
	b.once.Do(func() {
		b.err = b.ReadWriteCloser.Close()
		b.m.giveBack(b.loan)
	})
	return b.err
}

// opening returns the context of one opening of the port; while the port is lent it waits.
func (m *Modem) opening(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	for {
		m.mu.Lock()
		l := m.loan
		if l == nil {
			ctx, cancel := context.WithCancelCause(ctx)
			m.letGo = cancel
			m.mu.Unlock()
			return ctx, cancel
		}
		m.letGo = func(error) {}
		m.setFaultLocked(faultf(ErrGone, "a technician has taken the modem's port"))
		m.mu.Unlock()
		close(l.ready)
		select {
		case <-l.back:
		case <-ctx.Done():
			return context.WithCancelCause(ctx)
		}
	}
}
