package modem

import (
	"context"
	"strings"
)

// reboots begin what a module says that has just started: what it was told is forgotten.
var reboots = []string{"RDY", "START", "^SYSSTART", "SYSTART", "*ATREADY:"}

// started begin what a module says some time after it has started, but also when its SIM was
// changed or unlocked, or again and again. It is a reason to look.
var started = []string{
	"SMS DONE", "PB DONE", "SMS READY", "CALL READY", "APP RDY", "+PBREADY", "+CFUN: 1", "+CPIN: READY",
	"+QIND: SMS DONE", "+QIND: PB DONE", "^BOOT:",
}

// beginsWithOne compares without regard to case: Call Ready, CALL READY.
func beginsWithOne(line string, words []string) bool {
	for _, w := range words {
		if len(line) >= len(w) && strings.EqualFold(line[:len(w)], w) && (len(line) == len(w) || strings.HasSuffix(w, ":")) {
			return true
		}
	}
	return false
}

// mark is how a modem is known to be still the one that was set up: the value of a setting
// that differs from the factory's, and that it does not echo. A module that has restarted
// without a word has lost both.
type mark struct {
	setting string // as it is read back; "" where it does not tell
	echoes  int    // how often it has echoed a command; -1 where it can't be kept from it
}

// readBack asks for a setting of set-up: AT+CMEE=1 (0 or 2 after a start), ATS7=60 (50).
func (s *session) readBack(ctx context.Context) string {
	cmd, prefix := "ATS7?", ""
	if s.dialect.GSM {
		cmd, prefix = "AT+CMEE?", "+CMEE:"
	}
	info, _ := s.ask(ctx, cmd, prefix)
	return strings.Join(info, " ")
}

// remember takes the mark of a modem that was set up.
func (s *session) remember(ctx context.Context) {
	before := s.chat.Echoes()
	s.mark.setting = s.readBack(ctx)
	if s.mark.echoes = s.chat.Echoes(); s.mark.echoes > before {
		s.mark.echoes = -1
	}
}

// echoesAgain reports whether the modem has forgotten ATE0 since it was set up.
func (s *session) echoesAgain() bool { return s.mark.echoes >= 0 && s.chat.Echoes() > s.mark.echoes }

// fresh sets a modem up anew that has restarted since it was.
func (s *session) fresh(ctx context.Context) error {
	setting := s.readBack(ctx)
	told := setting != "" && s.mark.setting != ""
	s.mu.Lock()
	restarted := s.rebooted || s.suspect && !told
	s.suspect = false
	s.mu.Unlock()
	restarted = restarted || told && setting != s.mark.setting || s.echoesAgain()
	if !restarted {
		return nil
	}
	s.log.Warn("modem has restarted by itself and is set up anew: check its power supply")
	err := s.setUpAnew(ctx)
	if ctx.Err() != nil { // half of it is none
		s.mu.Lock()
		s.rebooted = true
		s.mu.Unlock()
	}
	return err
}

// setUpAnew is the part of start that a modem needs which has restarted: what it is is known.
func (s *session) setUpAnew(ctx context.Context) error {
	if err := s.onHook(ctx); err != nil {
		return s.unreachable(err)
	}
	if err := s.must(ctx, "ATE0Q0V1"); err != nil {
		return s.unreachable(err)
	}
	s.forgetReboot()
	err := s.setUp(ctx)
	s.remember(ctx)
	return err
}
