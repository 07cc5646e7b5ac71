package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hookswitch/hal/at"
)

// Limits of commands, in the order of what they wait for.
const (
	atLimit    = time.Second     // answered from memory
	setLimit   = 5 * time.Second // changes the modem's state
	firstRetry = time.Second     // back-off between attempts to reach a modem
	lastRetry  = 30 * time.Second
	steadyFor  = 60 * time.Second // a modem that served so long starts the back-off anew
)

// keep is the keeper: open, hang up, initialise, serve, and again when the modem has gone.
func (m *Modem) keep(ctx context.Context) {
	defer close(m.done)
	first := true
	for retry := firstRetry; ; {
		chat, err := m.open(ctx)
		if first {
			m.setFault(err)
			close(m.tried)
			first = false
		} else {
			m.setFault(err)
		}
		if err == nil {
			up := time.Now()
			err = m.serve(ctx, chat)
			m.setFault(err)
			if time.Since(up) > steadyFor {
				retry = firstRetry
			}
		}
		if chat != nil {
			m.drop(chat)
		}
		if ctx.Err() != nil {
			return
		}
		m.log.Warn("modem out of reach", "error", err, "retry", retry)
		select {
		case <-time.After(retry):
		case <-m.reset:
		case <-ctx.Done():
			return
		}
		retry = min(2*retry, lastRetry)
	}
}

// serve waits until the modem has gone or somebody asks for a new start.
func (m *Modem) serve(ctx context.Context, chat *at.Chat) error {
	select {
	case <-chat.Gone():
		return fmt.Errorf("%w: %w; check its cable and power", ErrGone, chat.Err())
	case <-m.reset:
		if m.cfg.Power != nil {
			if err := m.cfg.Power(ctx); err != nil {
				m.log.Error("modem power", "error", err)
			}
		}
		return fmt.Errorf("%w: it did not confirm a hang-up and is being started anew", ErrGone)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// drop closes the port; running operations end with ErrGone.
func (m *Modem) drop(chat *at.Chat) {
	_ = chat.Close()
	m.mu.Lock()
	m.chat = nil
	m.mu.Unlock()
}

// open opens the port and makes the modem ready for calls. Even when that fails the modem
// has been told to hang up, if there is a port at all.
func (m *Modem) open(ctx context.Context) (*at.Chat, error) {
	port, err := m.cfg.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	fixed, auto := m.fixedDialect()
	chat := at.NewChat(port, at.Config{URC: m.urc, Event: m.event, Trace: m.cfg.Trace, Shield: auto || !fixed.GSM})
	m.mu.Lock()
	m.chat, m.dialect = chat, fixed
	m.mu.Unlock()
	if err := m.firstHangup(ctx, chat, fixed, auto); err != nil {
		return chat, err
	}
	if err := m.initialise(ctx, chat, fixed, auto); err != nil {
		return chat, err
	}
	select { // a request from before this start
	case <-m.reset:
	default:
	}
	m.log.Info("modem ready", "dialect", m.dialect.Name, "ident", m.ident, "codec", m.codec.name)
	return chat, nil
}

// fixedDialect is the configured dialect, or auto.
func (m *Modem) fixedDialect() (d Dialect, auto bool) {
	i := slices.IndexFunc(Dialects, func(d Dialect) bool { return d.Name == m.cfg.Dialect })
	if i < 0 {
		return Dialect{Hangup: []string{"ATH", "AT+CHUP"}}, true
	}
	return Dialects[i], false
}

// firstHangup puts a modem on-hook of which nothing is known: a daemon that was killed may
// have left it in a call, sending or receiving voice data, or dialling.
func (m *Modem) firstHangup(ctx context.Context, chat *at.Chat, d Dialect, auto bool) error {
	wake := "\r" // aborts a dial, ends a half-written command
	if !d.GSM {  // a GSM modem has no voice data on this port
		wake = string([]byte{at.DLE, at.CAN, at.DLE, at.ETX, at.DLE, '!', '\r'})
	}
	for try, patience := range []time.Duration{30 * time.Millisecond, 200 * time.Millisecond, atLimit} {
		chat.Text()
		err := chat.Write([]byte(wake))
		if err == nil {
			err = sleep(ctx, patience)
		}
		if err != nil {
			return explain("first hang-up", err)
		}
		for _, cmd := range d.Hangup {
			if _, err = chat.Command(ctx, atLimit, at.Cmd{Text: cmd}); err == nil {
				return nil
			}
			var result *at.ResultError
			if errors.As(err, &result) && (auto || try > 0) {
				continue // not its command
			}
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: it does not answer ATH; check its power, the port and the baud rate", ErrTimeout)
}

// initialise brings the modem into the state that calls start from.
func (m *Modem) initialise(ctx context.Context, chat *at.Chat, d Dialect, auto bool) error {
	send := func(cmd string) error {
		_, err := chat.Command(ctx, setLimit, at.Cmd{Text: cmd})
		return err
	}
	if auto || !d.GSM {
		_ = send("ATZ") // brings echo back on some (RD02-D400): E0 comes after it
	}
	if err := send("ATE0V1"); err != nil {
		if err = send("ATE0V1"); err != nil {
			return explain("init", err)
		}
	}
	_ = send("ATS0=0") // never answer by ourselves
	ident, err := identify(ctx, chat, auto || d.GSM)
	if err != nil {
		return explain("identify", err)
	}
	if auto {
		d = Detect(ident)
	}
	m.mu.Lock()
	m.ident, m.dialect = ident, d
	m.mu.Unlock()
	if d.NoAudio != "" {
		return fmt.Errorf("%w: %s", ErrNoService, d.NoAudio)
	}
	for _, cmd := range slices.Concat(d.Init, m.cfg.Init) {
		if err := send(cmd); err != nil {
			var refused *at.ResultError
			if !errors.As(err, &refused) {
				return explain("init", err)
			}
			m.log.Debug("init command refused", "command", cmd, "result", refused.Result)
		}
	}
	if d.GSM {
		return m.initGSM(ctx, chat)
	}
	return m.initVoice(ctx, chat, d)
}

// identify asks a modem what it is. A modem that does not know a question answers ERROR.
func identify(ctx context.Context, chat *at.Chat, gsm bool) ([]string, error) {
	questions := []string{"ATI", "ATI3", "AT+GMM"}
	if gsm {
		questions = []string{"ATI", "AT+CGMI", "AT+CGMM"}
	}
	var ident []string
	for _, q := range questions {
		info, err := chat.Command(ctx, setLimit, at.Cmd{Text: q, Prefix: at.Any})
		var refused *at.ResultError
		if err != nil && !errors.As(err, &refused) {
			return ident, err
		}
		for _, line := range info {
			if line = strings.TrimSpace(line); line != "" && !slices.Contains(ident, line) {
				ident = append(ident, line)
			}
		}
	}
	return ident, nil
}
