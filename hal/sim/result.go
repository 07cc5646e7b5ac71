package sim

import (
	"fmt"
	"strings"
	"time"
)

// result is a final result code (V.250 §5.7.1).
type result string

const (
	ok         result = "OK"
	fail       result = "ERROR"
	connect    result = "CONNECT"
	noCarrier  result = "NO CARRIER"
	noDialTone result = "NO DIALTONE"
	busy       result = "BUSY"
	noAnswer   result = "NO ANSWER"
	later      result = "" // the command is not over
)

// numeric are the result codes of ATV0 (V.250 table 1).
var numeric = map[result]string{
	ok: "0", connect: "1", "RING": "2", noCarrier: "3", fail: "4", noDialTone: "6", busy: "7", noAnswer: "8",
}

// final sends a final result code; the rest of the command line is not executed.
func (d *dce) final(r result) {
	d.todo = nil
	f := d.faults()
	if f.Garbage > 0 {
		junk := make([]byte, f.Garbage)
		for i := range junk {
			junk[i] = byte(d.noise.Uint32())
		}
		d.say(junk)
	}
	if f.URC != "" {
		d.text(f.URC)
	}
	if !d.loses() {
		d.code(r)
	}
	if f := d.behind; f != nil {
		d.behind = nil
		f()
	}
}

// code sends a result code, final or not.
func (d *dce) code(r result) {
	switch {
	case d.quiet:
	case d.verbose:
		d.text(string(r))
	case numeric[r] != "":
		d.say([]byte(numeric[r] + string(rune(d.s[3]))))
	default:
		d.say([]byte(string(r) + string(rune(d.s[3]))))
	}
}

// text sends a line: information, or what nobody asked for.
func (d *dce) text(s string) {
	f := d.faults()
	lines := strings.Split(s, "\r\n")
	said := lines[:0]
	for _, line := range lines {
		if line, ok := d.damages(line); ok {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return
	}
	if s = f.Header.wrap(strings.Join(said, "\r\n")); !d.verbose && f.Header == CRLF {
		s = strings.TrimPrefix(s, "\r\n")
	}
	d.say([]byte(strings.NewReplacer("\r", string(rune(d.s[3])), "\n", string(rune(d.s[4]))).Replace(s)))
}

// info sends lines of information.
func (d *dce) info(lines ...string) result {
	d.text(strings.Join(lines, "\r\n"))
	return ok
}

func (d *dce) infof(format string, args ...any) result { return d.info(fmt.Sprintf(format, args...)) }

// say sends bytes to the host.
func (d *dce) say(b []byte) { d.emit(b, false) }

// emit sends bytes to the host, behind the echo of what it has sent.
func (d *dce) emit(b []byte, voice bool) {
	if len(d.echoed) > 0 {
		b, d.echoed = append(d.echoed, b...), nil
	}
	f := d.faults()
	if f.Mute || len(b) == 0 {
		return
	}
	d.log.add('<', b, voice)
	if d.x.opt.Trace != nil {
		d.x.opt.Trace(d.name, false, b)
	}
	d.at.send(b, f.Delay)
}

const floodEvery = 100 * time.Millisecond

func (d *dce) ringFlood() {
	if d.faults().Rings && d.now-d.flood >= floodEvery {
		d.flood = d.now
		d.text("RING")
	}
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToUpper(s), strings.ToUpper(part))
}
