package at

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Errors of a Chat.
var (
	ErrTimeout = errors.New("at: no final result code in time")
	ErrGone    = errors.New("at: port is gone") // wraps the port's own error
)

// Error is a final result code that refuses a command.
type Error struct {
	Command string // as it was sent
	Result  string // "ERROR", "+CME ERROR: 30", "BUSY", …
}

// Error implements error.
func (e *Error) Error() string { return "at: " + e.Command + ": " + e.Result }

// kind is what may answer a command.
type kind int

const (
	plain  kind = iota
	dial        // ATD, ATA: BUSY and its like are answers
	stream      // AT+VTX, AT+VRX, AT+VTR: CONNECT is the answer, OK is not
	sound       // after that CONNECT: any final result code ends voice data mode
)

// class is what a line is, given the command that waits for its answer.
type class int

const (
	unsolicited class = iota
	info              // part of the answer
	accepted          // final result code, good
	refused           // final result code, bad
	connected         // CONNECT, where voice data follows
	stray             // a final result code that nothing waits for
)

// prompt asks for the text of a short message; nothing here ever sends one.
const prompt = "> "

// dialResults are final result codes of ATD and ATA only: at any other time they say that
// something has happened to a call (V.250 6.3.1; the last ones are vendors').
var dialResults = []string{
	"BUSY", "NO CARRIER", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE",
	"NO LINE", "LINE IN USE", "LINE-IN-USE", "DELAYED", "BLACKLISTED", "NO POLARITY REVERSAL",
}

// dialAccepted are good answers to ATD: OK, a voice connection in vendors' words, and
// answer supervision.
var dialAccepted = []string{"OK", "VCON", "#VCON", "VOICE", "POLARITY REVERSAL"}

// refusals refuse any command. +CME ERROR: with neither a number nor a blank is not final,
// a quirk that ModemManager knows.
var (
	refusals      = []string{"ERROR", "COMMAND NOT SUPPORT", "NA"}
	refusalStarts = []string{"+CME ERROR: ", "+CMS ERROR:", "+EXT ERROR:", "MODEM ERROR:"}
)

// Lines that are never part of an answer though they have no + in front.
var (
	unsolicitedLines = []string{
		"RING", "RINGING", "MO RING", "MO CONNECTED", "X", "#VCON", "VOICE", "POLARITY REVERSAL",
		"RDY", "START", "SYSTART", "APP RDY", "SMS DONE", "PB DONE", "SMS Ready", "SMS READY", "Call Ready", "CALL READY", // a module starts
	}
	unsolicitedStarts = []string{"VOICE CALL:", "MISSED_CALL:"}
)

// isReport knows caller identification and its like: DATE=0801, NMBR = 8055554567, DTMF=5.
func isReport(line string) bool {
	name, _, found := strings.Cut(line, "=")
	name = strings.TrimRight(name, " ")
	return found && len(name) == 4 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// classify says what a line is. prefix is that of the command's info lines, "" for any.
func classify(line string, k kind, prefix string) class {
	trimmed := strings.TrimSpace(line)
	switch {
	case isRefusal(line, trimmed):
		return refused
	case trimmed == "CONNECT" && k == stream:
		return connected
	case trimmed == "CONNECT" || strings.HasPrefix(trimmed, "CONNECT "):
		switch k {
		case dial:
			return accepted
		case stream: // not the exact word: whatever it is, it is no leave to send sound
			return refused
		}
		return unsolicited
	case k == dial && slices.Contains(dialAccepted, trimmed):
		return accepted
	case k != plain && slices.Contains(dialResults, trimmed):
		return refused
	case trimmed == "OK" || trimmed == "VCON":
		if k == stream {
			return stray
		}
		return accepted
	case slices.Contains(dialResults, trimmed) || slices.Contains(unsolicitedLines, trimmed) ||
		startsWithAny(trimmed, unsolicitedStarts) || isReport(trimmed):
		return unsolicited
	case prefix != "" && strings.HasPrefix(trimmed, prefix):
		return info
	case strings.ContainsRune("+^*#$%>", rune(trimmed[0])), k == dial: // a dial has no info lines
		return unsolicited
	}
	return info
}

func isRefusal(line, trimmed string) bool {
	return slices.Contains(refusals, trimmed) || startsWithAny(line, refusalStarts)
}

func startsWithAny(line string, starts []string) bool {
	return slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(line, s) })
}

// numericResults are the result codes of V0 (V.250 6.3 table 1; 11 and up USRobotics and
// Silicon Labs).
var numericResults = map[string]string{
	"0": "OK", "1": "CONNECT", "2": "RING", "3": "NO CARRIER", "4": "ERROR",
	"6": "NO DIALTONE", "7": "BUSY", "8": "NO ANSWER", "11": "RINGING", "12": "VOICE",
	"33": "X", "42": "NO LINE", "43": "LINE IN USE", "44": "POLARITY REVERSAL", "45": "NO POLARITY REVERSAL",
}

// limits are how long a final result code may take, where the caller's context allows more.
var limits = []struct {
	command string // beginning, in capitals
	limit   time.Duration
}{
	{"ATD", 90 * time.Second},
	{"ATA", 30 * time.Second},
	{"ATZ", 5 * time.Second},
	{"AT&F", 5 * time.Second},
	{"AT+V", 5 * time.Second},
	{"AT+FCLASS", 5 * time.Second},
	{"AT+CPCM", 5 * time.Second},
	{"AT+QPCMV", 5 * time.Second},
	{"AT^DDSETEX", 5 * time.Second},
	{"AT+CPIN", 5 * time.Second},
	{"AT+CRESET", 10 * time.Second},
}

func limitOf(cmd string) time.Duration {
	for _, l := range limits {
		if strings.HasPrefix(cmd, l.command) {
			return l.limit
		}
	}
	if cmd == "AT" {
		return time.Second
	}
	return 3 * time.Second
}
