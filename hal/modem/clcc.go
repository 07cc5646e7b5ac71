package modem

import (
	"fmt"
	"strconv"
	"strings"
)

// clcc is one line of the list of current calls (TS 27.007 §7.18):
//
//	+CLCC: <id>,<dir>,<stat>,<mode>,<mpty>[,<number>,<type>[,<alpha>[,<priority>[,<CLI validity>]]]]
type clcc struct{ id, dir, stat, mode int }

// ours is a voice call that we have made.
func (c clcc) ours() bool { return c.dir == 0 && (c.mode == 0 || c.mode >= 3 && c.mode <= 5) }

// parseCLCC reads the fields that every modem sends; what comes after the number varies. A
// line with a number but no type is malformed and skipped.
func parseCLCC(line string) (clcc, bool) {
	rest, ok := strings.CutPrefix(line, "+CLCC:")
	if !ok {
		return clcc{}, false
	}
	fields := splitFields(rest)
	if len(fields) < 5 || len(fields) == 6 {
		return clcc{}, false
	}
	var n [5]int
	for i := range n {
		v, err := strconv.Atoi(strings.TrimSpace(fields[i]))
		if err != nil || v < 0 || v > 255 {
			return clcc{}, false
		}
		n[i] = v
	}
	return clcc{id: n[0], dir: n[1], stat: n[2], mode: n[3]}, true
}

// causeError is what a network's release cause means (Q.850 table 1); answered is whether
// the call was up.
func causeError(cause int, answered bool) error {
	switch cause {
	case 17, 21: // user busy; call rejected, as a mobile telephone does
		return fmt.Errorf("%w: cause %d", ErrBusy, cause)
	case 18, 19, 102:
		return fmt.Errorf("%w: cause %d", ErrNoAnswer, cause)
	case 16, 31:
		if answered {
			return fmt.Errorf("%w: cause %d", ErrHungUp, cause)
		}
		if cause == 16 {
			return fmt.Errorf("%w: cause %d", ErrNoCarrier, cause)
		}
		fallthrough
	case 1, 2, 3, 20, 22, 27, 28, 34, 38, 41, 42, 44, 47, 50, 57, 58, 63, 65, 88:
		return fmt.Errorf("%w: cause %d", ErrNoService, cause)
	}
	return fmt.Errorf("%w: cause %d", ErrNoCarrier, cause)
}

// cendError reads Huawei's ^CEND:<index>,<duration>,<status>[,<cause>]. A status of 255
// (MC509) says nothing.
func cendError(fields []string) error {
	if cause := field(fields, 3); cause > 0 && cause != 16 {
		return causeError(cause, field(fields, 1) > 0)
	}
	if field(fields, 1) > 0 || field(fields, 2) == 104 {
		return fmt.Errorf("%w: ^CEND %s", ErrHungUp, strings.Join(fields, ","))
	}
	return fmt.Errorf("%w: ^CEND %s", ErrNoCarrier, strings.Join(fields, ","))
}

// parseCEER finds the cause in the answer to AT+CEER, whose text every vendor makes up: the
// last number up to 127, else a word. 0 is none.
func parseCEER(info []string) int {
	text := strings.ToLower(strings.Join(info, " "))
	text = strings.ReplaceAll(text, "+ceer:", " ")
	cause := 0
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(f); err == nil && n > 0 && n <= 127 {
			cause = n
		}
	}
	if cause != 0 {
		return cause
	}
	for _, w := range []struct {
		word  string
		cause int
	}{{"busy", 17}, {"no answer", 19}, {"not respond", 18}, {"unassigned", 1}, {"unallocated", 1}} {
		if strings.Contains(text, w.word) {
			return w.cause
		}
	}
	return 0
}
