package modem

import "strings"

// listedCall is one line of the list of current calls (TS 27.007 §7.18):
//
//	+CLCC: <id>,<dir>,<stat>,<mode>,<mpty>[,<number>,<type>[,<alpha>[,<priority>[,<CLI validity>]]]]
type listedCall struct{ id, dir, stat, mode int }

// Values of stat; the last is SIMCom's.
const (
	statActive   = 0
	statAlerting = 3
	statReleased = 6
)

// ours is a voice call that was made from here. Modes 3 to 5 alternate between voice and
// data, voice first.
func (c listedCall) ours() bool {
	return c.dir == 0 && (c.mode == 0 || c.mode >= 3 && c.mode <= 5)
}

// parseCLCC reads the five fields that every modem sends; what comes after them varies. A
// line with a number and no type of number is malformed (chan_dongle has seen one): it is
// skipped, as is one of anything else.
func parseCLCC(line string) (call listedCall, ok bool) {
	rest, ok := strings.CutPrefix(line, "+CLCC:")
	if !ok {
		if rest, ok = strings.CutPrefix(line, "^SLCC:"); !ok { // Cinterion
			return call, false
		}
	}
	fields := splitFields(rest)
	if len(fields) < 5 || len(fields) == 6 {
		return call, false
	}
	for i, to := range []*int{&call.id, &call.dir, &call.stat, &call.mode} {
		if *to = number(fields[i]); *to < 0 || *to > 255 {
			return listedCall{}, false
		}
	}
	return call, number(fields[4]) >= 0
}

// splitFields splits at commas and semicolons outside quotes and brackets. A bracket or
// quote that is never closed holds the rest of the line.
func splitFields(s string) (fields []string) {
	depth, quoted, start := 0, false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted:
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth = max(0, depth-1)
		case (s[i] == ',' || s[i] == ';') && depth == 0:
			fields = append(fields, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(fields, strings.TrimSpace(s[start:]))
}
