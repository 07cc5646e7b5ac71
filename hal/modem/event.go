package modem

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// keyFilter counts each press of a key once: a voice modem repeats <DLE>5 every 70 ms while
// the key is held, between <DLE>/ and <DLE>~ or without them.
type keyFilter struct {
	digit byte
	at    time.Time
}

const keyGap = 200 * time.Millisecond // a longer pause makes it another press

func (k *keyFilter) press(digit byte) bool {
	now := time.Now()
	again := digit == k.digit && now.Sub(k.at) < keyGap
	k.digit, k.at = digit, now
	return !again
}

func (k *keyFilter) release() { k.digit = 0 }

// event handles <DLE>code of a voice modem (V.253 table 22, and what vendors added).
func (m *Modem) event(code byte) {
	switch {
	case code >= '0' && code <= '9', code == '*', code == '#', code >= 'A' && code <= 'D':
		m.key(code, true)
		return
	}
	switch code {
	case '/', '~', 0x7f: // DTMF begins, ends; DEL is Intel's end
		m.mu.Lock()
		m.keys.release()
		m.mu.Unlock()
	case 'r':
		m.alerted()
	case 'L':
		m.mu.Lock()
		m.link.reversal = true
		m.mu.Unlock()
	case 'b', 'K', 'd', 'i', 'l', 's': // busy, reorder, dial tone, loop broken, silence
		m.linkUp().end(fmt.Errorf("%w: <DLE>%c", ErrHungUp, code))
	case 'u':
		m.mu.Lock()
		op := m.op
		m.mu.Unlock()
		if op != nil {
			select {
			case op.dry <- struct{}{}:
			default:
			}
		}
	}
}

// linkUp is the running call's link.
func (m *Modem) linkUp() *link {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.link
}

// key reports a key; filtered ones are those that a modem repeats.
func (m *Modem) key(digit byte, filtered bool) {
	m.mu.Lock()
	op := m.op
	fresh := !filtered || m.keys.press(digit)
	m.mu.Unlock()
	if fresh && op != nil && op.far.Key != nil {
		op.far.Key(digit)
	}
}

func (m *Modem) alerted() {
	m.mu.Lock()
	first := !m.link.alerted
	m.link.alerted = true
	op := m.op
	m.mu.Unlock()
	if first && op != nil && op.far.Alerted != nil {
		op.far.Alerted()
	}
}

// urc handles a line that nobody asked for.
func (m *Modem) urc(line string) {
	name, rest, _ := strings.Cut(line, ":")
	fields := strings.Split(strings.TrimSpace(rest), ",")
	l := m.linkUp()
	switch name {
	case "RINGING":
		m.alerted()
	case "POLARITY REVERSAL":
		m.mu.Lock()
		l.reversal = true
		m.mu.Unlock()
	case "VOICE CALL": // SIMCom
		if fields[0] == "BEGIN" {
			l.answer()
		} else {
			l.end(fmt.Errorf("%w: %s", ErrHungUp, line))
		}
	case "^CONF":
		m.alerted()
	case "^CONN":
		l.answer()
	case "^CEND": // index, duration, status[, cause]
		l.end(cendError(fields))
	case "^DSCI": // id, dir, stat, …
		m.callState(l, fields, 2, 1)
	case "*ECAV": // id, state, …
		switch field(fields, 1) {
		case 6:
			m.alerted()
		case 3:
			l.answer()
		case 0:
			l.end(fmt.Errorf("%w: %s", ErrHungUp, line))
		}
	case "+CLCC":
		if c, ok := parseCLCC(line); ok && c.ours() {
			m.setCallState(l, c.stat)
		}
	case "+RXDTMF", "+DTMF", "+QTONEDET": // key, or its ASCII code, then the time
		if digit, ok := dtmf(fields[0]); ok {
			m.key(digit, false)
		}
	case "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE":
		l.end(lineError(line))
	default:
		if digit, ok := strings.CutPrefix(line, "DTMF="); ok && len(digit) == 1 {
			m.key(digit[0], true)
		}
	}
}

// lineError is what a result code means where no command waits for it.
func lineError(line string) error {
	err := resultError(line)
	return fmt.Errorf("modem: %w: %s", err, line)
}

// callState handles Quectel's ^DSCI: 7 is alerting there, 6 the end.
func (m *Modem) callState(l *link, fields []string, stat, dir int) {
	if field(fields, dir) != 0 {
		return
	}
	m.setCallState(l, field(fields, stat))
}

// setCallState takes the stat of +CLCC (TS 27.007 §7.18), with SIMCom's 6 and Quectel's 7.
func (m *Modem) setCallState(l *link, stat int) {
	switch stat {
	case 0:
		l.answer()
	case 3, 7:
		m.alerted()
	case 6:
		l.end(ErrHungUp)
	}
}

// field is field i as a number, -1 where it is none.
func field(fields []string, i int) int {
	if i >= len(fields) {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(fields[i]))
	if err != nil {
		return -1
	}
	return n
}

// dtmf is the key of +DTMF: 1 or +QTONEDET: 49.
func dtmf(field string) (byte, bool) {
	field = strings.Trim(strings.TrimSpace(field), `"`)
	if len(field) == 1 && strings.Contains("0123456789*#ABCD", field) {
		return field[0], true
	}
	if n, err := strconv.Atoi(field); err == nil && n < 128 && strings.ContainsRune("0123456789*#ABCD", rune(n)) && n > 9 {
		return byte(n), true
	}
	return 0, false
}
