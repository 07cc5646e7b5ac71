package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookswitch/hal/at"
)

// operationEnd is how long Hangup waits for what runs to let go of the modem: longer than
// the ends of a stream or an aborted dial, V.250's second.
const operationEnd = 1500 * time.Millisecond

// escapeGuard is the silence around +++ (V.250 6.2.9 leaves it to S12: 50 × 20 ms).
const escapeGuard = 1100 * time.Millisecond

// dtr is a port with modem-control lines.
type dtr interface{ SetDTR(on bool) error }

// Hangup puts the modem on-hook. It pre-empts whatever runs, at once: a running Dial, Play
// or Record returns. It climbs the ladder until the modem has confirmed, or ctx ends: then
// the error says what was not confirmed, and the modem is started anew before its next
// call. Hangup on an idle modem is allowed; on one that is gone it returns ErrGone.
func (m *Modem) Hangup(ctx context.Context) error {
	m.mu.Lock()
	op, chat, d, l := m.op, m.chat, m.dialect, m.link
	m.mu.Unlock()
	if op != nil {
		op.cancel(errHangup) // its first hang-up byte leaves from its own goroutine, now
	}
	<-m.hang
	defer func() { m.hang <- struct{}{} }()
	if op != nil {
		select {
		case <-op.done:
		case <-time.After(operationEnd):
		}
	}
	l.unpoll()
	defer m.closeLink(l)
	if chat == nil {
		return fmt.Errorf("modem: hang up: %w", ErrGone)
	}
	err := m.ladder(ctx, chat, d)
	if err != nil {
		m.log.Error("hang-up not confirmed", "error", err)
		m.restart()
		return fmt.Errorf("modem: hang up: %w", explain("hang up", err))
	}
	for _, cmd := range d.PCMOff {
		_, _ = chat.Command(ctx, atLimit, at.Cmd{Text: cmd})
	}
	return nil
}

// closeLink ends what a call has opened.
func (m *Modem) closeLink(l *link) {
	l.end(ErrHungUp)
	l.poller.Wait()
	if l.pcm != nil {
		l.pcm.close()
	}
}

// restart asks the keeper to open the port anew; until then the modem is in fault.
func (m *Modem) restart() {
	m.setFault(fmt.Errorf("%w: it did not confirm a hang-up and is being started anew", ErrGone))
	select {
	case m.reset <- struct{}{}:
	default:
	}
}

// ladder is the way down: the polite command, then what ends voice data and half-written
// commands, then the escape sequence and DTR.
func (m *Modem) ladder(ctx context.Context, chat *at.Chat, d Dialect) (err error) {
	for rung := range 4 {
		switch rung {
		case 1:
			chat.Text()
			wake := "\r"
			if !d.GSM {
				wake = string([]byte{at.DLE, at.CAN, at.DLE, at.ETX, at.DLE, '!', '\r'})
			}
			if err := chat.Write([]byte(wake)); err != nil {
				return err
			}
			if err := sleep(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		case 2:
			if err := sleep(ctx, escapeGuard); err != nil {
				return err
			}
			_, _ = chat.Command(ctx, escapeGuard, at.Cmd{Text: "+++", Raw: true})
		case 3:
			if err := m.dropDTR(ctx, chat); err != nil {
				return err
			}
		}
		for _, cmd := range d.Hangup {
			if _, err = chat.Command(ctx, atLimit, at.Cmd{Text: cmd}); err == nil {
				return m.verify(ctx, chat, d)
			}
			if errors.Is(err, at.ErrClosed) || context.Cause(ctx) != nil {
				return err
			}
		}
	}
	return err
}

// verify asks a GSM modem whether the call is really gone: a SIM7600 answers OK to an ATH
// that it ignores.
func (m *Modem) verify(ctx context.Context, chat *at.Chat, d Dialect) error {
	if !d.GSM {
		return nil
	}
	for range 5 {
		info, err := chat.Command(ctx, 3*time.Second, at.Cmd{Text: "AT+CLCC", Prefix: "+CLCC:"})
		if err != nil {
			if refused(err) {
				return nil
			}
			return err
		}
		up := false
		for _, line := range info {
			c, ok := parseCLCC(line)
			up = up || ok && c.ours() && c.stat != 6
		}
		if !up {
			return nil
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		_, _ = chat.Command(ctx, atLimit, at.Cmd{Text: "AT+CHUP"})
	}
	return fmt.Errorf("%w: the call is still in +CLCC after %s", ErrRefused, strings.Join(d.Hangup, ", "))
}

// dropDTR hangs up by the modem-control line (V.250 &D2), where the port has one.
func (m *Modem) dropDTR(ctx context.Context, chat *at.Chat) error {
	port, ok := chat.Port().(dtr)
	if !ok || port.SetDTR(false) != nil {
		return nil
	}
	err := sleep(ctx, 300*time.Millisecond) // S25 is 5 × 10 ms by default
	_ = port.SetDTR(true)
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
