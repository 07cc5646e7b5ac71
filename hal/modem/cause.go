package modem

import (
	"fmt"
	"strconv"
	"strings"
)

// resultError is what a final result code means for a call.
func resultError(result string) error {
	switch result {
	case "BUSY":
		return ErrBusy
	case "NO ANSWER", "NO POLARITY REVERSAL":
		return ErrNoAnswer
	case "LINE IN USE", "LINE-IN-USE":
		return fmt.Errorf("%w: %w", ErrNoDialTone, ErrInUse)
	case "NO DIALTONE", "NO DIAL TONE", "NO LINE":
		return ErrNoDialTone
	case "NO CARRIER":
		return ErrNoCarrier
	case "DELAYED", "BLACKLISTED":
		return faultf(ErrNoService, "the modem dials this number no more for a while, "+
			"as its country's rules want after vain attempts (%s): wait, or switch it off for 5 s", result)
	}
	switch cmeCode(result) {
	case 10, 11, 12, 13, 14, 15, 30, 31, 32: // SIM missing, locked, broken, busy, wrong; no network (TS 27.007 §9.2)
		return ErrNoService
	}
	return ErrRefused
}

// cmeWords are the texts of +CME ERROR (TS 27.007 §9.2) that matter here, of modules that give
// them whatever +CMEE says.
var cmeWords = map[string]int{
	"operation not allowed": 3, "operation not supported": 4,
	"sim not inserted": 10, "sim pin required": 11, "sim puk required": 12,
	"sim failure": 13, "sim busy": 14, "sim wrong": 15,
	"incorrect password": 16, "no network service": 30, "network timeout": 31,
	"network not allowed - emergency calls only": 32, "emergency calls only": 32,
}

// cmeCode is the number of +CME ERROR: 30, or of its text, -1 of anything else.
func cmeCode(result string) int {
	rest, ok := strings.CutPrefix(result, "+CME ERROR:")
	if !ok {
		return -1
	}
	if code, ok := cmeWords[strings.ToLower(strings.TrimSpace(rest))]; ok {
		return code
	}
	return number(rest)
}

// causes are the release causes of ITU-T Q.850 table 1 that say why a call was not
// answered. Any other is ErrNoCarrier.
var causes = map[int]error{
	17: ErrBusy, 21: ErrBusy, // user busy; rejected, as a mobile telephone does
	18: ErrNoAnswer, 19: ErrNoAnswer, 102: ErrNoAnswer,
	1: ErrNoService, 2: ErrNoService, 3: ErrNoService, 20: ErrNoService, 22: ErrNoService, 27: ErrNoService,
	28: ErrNoService, 31: ErrNoService, 34: ErrNoService, 38: ErrNoService, 41: ErrNoService, 42: ErrNoService,
	44: ErrNoService, 47: ErrNoService, 50: ErrNoService, 57: ErrNoService, 58: ErrNoService, 63: ErrNoService,
	65: ErrNoService, 88: ErrNoService,
}

// causeError is what a release cause means for a call that was not answered.
func causeError(cause int) error {
	err, ok := causes[cause]
	if !ok {
		err = ErrNoCarrier
	}
	return fmt.Errorf("%w: cause %d", err, cause)
}

// words of vendors' +CEER texts, with the causes that they stand for.
var causeWords = []struct {
	word  string
	cause int
}{
	{"busy", 17}, {"no answer", 19}, {"not respond", 18}, {"no user respond", 18}, {"reject", 21},
	{"unassigned", 1}, {"unallocated", 1}, {"no route", 3}, {"invalid number", 28}, {"out of order", 27},
	{"congestion", 42}, {"no circuit", 34}, {"temporary failure", 41},
}

// parseCEER finds the release cause in the answer to AT+CEER, whose text every vendor makes
// up: the last number of Q.850's range, else a word. 0 is none.
func parseCEER(info []string) (cause int) {
	text := strings.ToLower(strings.Join(info, " "))
	for _, digits := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		if n := number(digits); n > 0 && n <= 127 {
			cause = n
		}
	}
	if cause != 0 {
		return cause
	}
	for _, w := range causeWords {
		if strings.Contains(text, w.word) {
			return w.cause
		}
	}
	return 0
}

// number is s as a non-negative number, -1 where it is none.
func number(s string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}
