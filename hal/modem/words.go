package modem

import (
	"fmt"
	"slices"
	"strings"

	"hookswitch/hal/modem/dialect"
)

// standardWords are those of V.250, which has only one call and numbers none. +CIEV: call is
// TS 27.007 §8.10; when it becomes 1 differs, so that it is only a sign to ask.
var standardWords = []dialect.Word{
	{Begins: "RINGING", Is: dialect.StatAlerting, Outgoing: true},
	{Begins: "POLARITY REVERSAL", Is: dialect.StatActive},
	{Begins: "+CIEV:call", Is: dialect.StatAsk},
	{Begins: `+CIEV:"call"`, Is: dialect.StatAsk},
	{Begins: "BUSY", Is: dialect.StatReleased},
	{Begins: "NO ANSWER", Is: dialect.StatReleased},
	{Begins: "NO CARRIER", Is: dialect.StatReleased},
	{Begins: "NO DIALTONE", Is: dialect.StatReleased},
	{Begins: "NO DIAL TONE", Is: dialect.StatReleased},
}

// words are those of every dialect: a module that was taken for another is understood, too.
var words = func() (all []dialect.Word) {
	for _, d := range dialect.All {
		for _, w := range d.Words {
			if !slices.ContainsFunc(all, func(o dialect.Word) bool { return o.Begins == w.Begins }) {
				all = append(all, w)
			}
		}
	}
	return append(all, standardWords...)
}()

// report is what a line says of a call.
type report struct {
	line   string
	id     int // index of the call in +CLCC, from 1; 0 where the line does not say
	dir    int // 0 made from here, 1 came in, -1 not said
	stat   int
	cause  int    // release cause, 0 is none
	caller string // number of a call that comes in, where it is told
}

// incoming reports whether it is about a call that rings or waits.
func (r report) incoming() bool {
	return r.dir == 1 && (r.stat == dialect.StatIncoming || r.stat == dialect.StatWaiting)
}

// parseReport reads a line that speaks of a call. A call for data or fax is told as StatNone.
func parseReport(line string) (r report, ok bool) {
	r = report{line: line, dir: -1}
	if l, ok := parseCLCC(line); ok {
		r.id, r.dir, r.stat, r.caller = l.id, l.dir, l.stat, l.number
		if !l.voice() {
			r.stat = dialect.StatNone
		}
		return r, true
	}
	if caller, ok := parseRing(line); ok {
		r.dir, r.stat, r.caller = 1, dialect.StatIncoming, caller
		return r, true
	}
	name, rest, hasFields := strings.Cut(line, ":")
	fields := splitFields(rest)
	if name == "+CCWA" && len(fields) >= 3 { // number, type, class, as +CLIP; fewer answer a question
		r.dir, r.stat, r.caller = 1, dialect.StatWaiting, callerOf(fields[0])
		return r, true
	}
	short := name
	if hasFields {
		short += ":" + strings.TrimSpace(rest)
	}
	for _, w := range words {
		if short == w.Begins || strings.Contains(w.Begins, ":") && strings.HasPrefix(short, w.Begins) {
			return r.read(w, fields)
		}
	}
	return r, false
}

// read fills r in from a line's fields; ok is false where one that must be there is not.
func (r report) read(w dialect.Word, fields []string) (_ report, ok bool) {
	field := func(i int) int {
		if i < 1 || i > len(fields) {
			return -1
		}
		return number(fields[i-1])
	}
	r.stat, ok = w.Is, true
	if w.Stat > 0 {
		ok = field(w.Stat) >= 0
		stat, told := w.Stats[field(w.Stat)]
		if r.stat = stat; !told {
			r.stat = dialect.StatNone
		}
	}
	if w.Call > 0 {
		r.id = field(w.Call)
		ok = ok && r.id >= 0 && r.id < 256
	}
	switch {
	case w.Outgoing:
		r.dir = 0
	case w.Dir > 0:
		r.dir = field(w.Dir)
		ok = ok && (r.dir == 0 || r.dir == 1)
	case r.stat == dialect.StatIncoming || r.stat == dialect.StatWaiting:
		r.dir = 1
	}
	if cause := field(w.Cause); cause > 0 && cause <= 127 {
		r.cause = cause
	}
	return r, ok
}

// end is the error that a released call ends with.
func (r report) end() error {
	if kind := resultError(r.line); kind != ErrRefused {
		return fmt.Errorf("%w: %s", kind, r.line)
	}
	return fmt.Errorf("%w: %s", ErrNoCarrier, r.line)
}

// parseRing reads a line that says that the line rings, and who calls where it tells: RING,
// +CRING, +CLIP (TS 27.007 §7.6), and a voice modem's caller id (V.253 §9.2.3 and vendors').
func parseRing(line string) (caller string, ok bool) {
	name, value, _ := strings.Cut(line, ":")
	switch name {
	case "RING", "+CRING":
		return "", true
	case "+CLIP":
		fields := splitFields(value)
		return callerOf(fields[0]), len(fields) > 1 // an answer to AT+CLIP? has no number
	}
	name, value, ok = strings.Cut(line, "=")
	switch strings.TrimSpace(name) {
	case "NMBR", "DDN_NMBR":
		return callerOf(value), ok
	case "DATE", "NAME":
		return "", ok
	}
	return "", false
}

// callerOf is a caller's number as it may be shown; withheld ones (P, O, "") are none.
func callerOf(s string) string {
	s = strings.Trim(s, `" `)
	if len(s) > 32 || strings.Trim(s, "+0123456789*#") != "" {
		return ""
	}
	return s
}

// noise begins lines that say nothing of a call.
var noise = []string{
	"+CREG:", "+CEREG:", "+CGREG:", "+C5GREG:", "+CSQ:", "+CPIN:", "+CIEV:", "^CIEV:", "^RSSI:", "^HCSQ:", "^MODE:", "^SRVST:", "^STIN:",
	"+CMTI:", "+CMT:", "+CDS:", "+CGEV:", "+QIND:", "+CTZ", "*PSUTTZ:", "+CPSI:", "+CUSD:", "+CSS", "+COLP:", "MISSED_CALL:",
	"DRON=", "DROF=", "TIME=", "MESG=",
}

// isNoise reports whether a line is known to say nothing of a call.
func isNoise(line string) bool {
	return slices.ContainsFunc(noise, func(n string) bool { return strings.HasPrefix(line, n) })
}

// unglue cuts a line that has lost a line end where a report begins in it, outside quotes.
func unglue(line string) (parts []string) {
	start, quoted := 0, false
	for i := 1; i < len(line); i++ {
		if line[i-1] == '"' {
			quoted = !quoted
		}
		if !quoted && beginsReport(line[i:]) && !isNameOf(line[start:i]) {
			parts = append(parts, strings.TrimSpace(line[start:i]))
			start = i
		}
	}
	return append(parts, strings.TrimSpace(line[start:]))
}

// isNameOf reports whether a line is a caller's name, which may be any words.
func isNameOf(line string) bool { return strings.HasPrefix(line, "NAME") }

// beginsReport reports whether s begins as a line does that says something of a call.
func beginsReport(s string) bool {
	switch s[0] {
	case '+', '^', '*', 'V':
		if strings.HasPrefix(s, "+CLCC:") || strings.HasPrefix(s, "+CLIP:") || strings.HasPrefix(s, "+CRING:") || strings.HasPrefix(s, "+CCWA:") {
			return true
		}
		return slices.ContainsFunc(words, func(w dialect.Word) bool {
			name, _, marked := strings.Cut(w.Begins, ":")
			return marked && strings.HasPrefix(s, name+":")
		})
	case 'N':
		return s == "NO CARRIER" || s == "NO ANSWER"
	case 'B':
		return s == "BUSY"
	}
	return false
}

// garbledEnd is the word for the end of a call that line is with one character wrong, too
// many or too few.
func garbledEnd(line string) (r report, ok bool) {
	for _, w := range standardWords {
		if w.Is == dialect.StatReleased && isNear(line, w.Begins) {
			return report{line: w.Begins, dir: -1, stat: dialect.StatReleased}, true
		}
	}
	return report{}, false
}

// isNear reports whether one character makes the difference between two texts.
func isNear(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) && i < len(a) {
		return a[i+1:] == b[i+1:]
	}
	return a[i:] == b[min(i+1, len(b)):]
}
