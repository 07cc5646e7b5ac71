package modem

import (
	"context"
	"errors"
	"slices"
	"strings"

	"hookswitch/hal/at"
	"hookswitch/hal/modem/dialect"
)

// listedCall is one line of the list of current calls (TS 27.007 §7.18):
//
//	+CLCC: <id>,<dir>,<stat>,<mode>,<mpty>[,<number>,<type>[,<alpha>[,<priority>[,<CLI validity>]]]]
type listedCall struct {
	id, dir, stat, mode int
	number              string // of a call that came in
}

// voice reports whether it is a voice call: a module lists its data connections too. Modes 3
// to 5 alternate between voice and data, voice first; 9 is one that the module does not know.
func (c listedCall) voice() bool { return c.mode == 0 || c.mode >= 3 && c.mode <= 5 || c.mode == 9 }

// ours is a voice call that was made from here.
func (c listedCall) ours() bool { return c.dir == 0 && c.voice() }

// parseCLCC reads the five fields that every modem sends. What comes after them varies, and may
// be cut: a number whose quote is not closed or that has no type, as chan_dongle has seen.
// ^SLCC, Cinterion's, has a sixth field before the number.
func parseCLCC(line string) (call listedCall, ok bool) {
	rest, ok := strings.CutPrefix(line, "+CLCC:")
	numberAt := 5
	if !ok {
		if rest, ok = strings.CutPrefix(line, "^SLCC:"); !ok {
			return call, false
		}
		numberAt = 6
	}
	fields := splitFields(rest)
	if len(fields) < 5 {
		return call, false
	}
	for i, to := range []*int{&call.id, &call.dir, &call.stat, &call.mode} {
		if *to = number(fields[i]); *to < 0 || *to > 255 {
			return listedCall{}, false
		}
	}
	if number(fields[4]) < 0 || call.dir > 1 {
		return listedCall{}, false
	}
	if call.dir == 1 && len(fields) > numberAt {
		call.number = callerOf(fields[numberAt])
	}
	return call, true
}

// callList is an answer to AT+CLCC.
type callList struct {
	calls []listedCall
	whole bool // nothing in it was lost or unreadable, as far as can be seen
	omits bool // no call is in it, though the modem says that one rings: there may be more
}

// ours finds the call that was made from here, by its index where that is known. A network
// that hands a call over may renumber it. One on hold is at best an older one.
func (l callList) ours(id int) (found listedCall, ok bool) {
	for _, c := range l.calls {
		if !c.ours() || c.stat == dialect.StatReleased {
			continue
		}
		if c.id == id {
			return c, true
		}
		if !ok || found.stat == dialect.StatHeld {
			found, ok = c, true
		}
	}
	return found, ok
}

// busy reports whether a voice call is up, whoever made it.
func (l callList) busy() bool {
	return slices.ContainsFunc(l.calls, func(c listedCall) bool { return c.voice() && c.stat == dialect.StatActive })
}

// incoming reports whether a voice call that came in is listed, and who calls.
func (l callList) incoming() (caller string, ok bool) {
	i := slices.IndexFunc(l.calls, func(c listedCall) bool {
		return c.dir == 1 && c.voice() && (c.stat == dialect.StatIncoming || c.stat == dialect.StatWaiting)
	})
	if i < 0 {
		return "", false
	}
	return l.calls[i].number, true
}

// parseList reads the info lines of an answer to AT+CLCC. other are reports that are glued to
// them.
func parseList(info []string) (list callList, other []string) {
	list.whole = true
	for _, line := range info {
		for _, part := range unglue(line) {
			if c, ok := parseCLCC(part); ok {
				list.calls = append(list.calls, c)
			} else if _, known := parseReport(part); known {
				other = append(other, part)
			} else if !isNoise(part) && !strings.EqualFold(part, "AT+CLCC") {
				list.whole = false
			}
		}
	}
	return list, other
}

// listCalls asks for the list of current calls. What came before a final result code that was
// lost is in the list, which is then not whole.
func (s *session) listCalls(ctx context.Context) (callList, error) {
	if s.chat.Unsure() { // the OK of an earlier command would pass for an empty list
		s.chat.Drain(ctx, settle)
	}
	before := s.oddLines()
	info, err := s.chat.Command(ctx, "AT+CLCC", "+CLCC:")
	list, other := parseList(info)
	list.whole = list.whole && err == nil && s.oddLines() == before
	for _, line := range other {
		s.line(line)
	}
	caller, rings := list.incoming()
	if rings {
		s.ring.note(caller)
	}
	_, left := s.ring.now()
	list.omits = left > 0 && !rings && !slices.ContainsFunc(list.calls, listedCall.voice)
	if errors.Is(err, at.ErrTimeout) && ctx.Err() == nil && len(list.calls) > 0 {
		err = nil // only the OK was lost
	}
	return list, err
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
