package sim

import (
	"strings"
	"testing"
)

// FuzzCommandLine types anything at a modem's command line: no command may be longer than
// the modem can hold, and a body must be cut up completely.
func FuzzCommandLine(f *testing.F) {
	for _, s := range []string{
		"AT\r", "ATE0V1\r", "atdt 9,(201) 555-0100;h\r", "ATS7=60S8?\rA/", "AT+VTS=[900,900,120],{5,20}\r",
		`AT+CPIN="12;34";+CREG?` + "\r", "AT-STE=3\r", "AT%C0\\N3&K3\r", "AT^DDSETEX=2;^CURC?\r", "ATS\r", "AT&\r", "AT%\r",
		"\x10\x18\x10\x03\x10!\rATH\r", "ATD" + strings.Repeat("1", 600) + "\r", "AT" + strings.Repeat(";", 600) + "\r",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, typed []byte) {
		var c commandLine
		for _, b := range typed {
			body, ok, done := c.take(b, ctrl{'\r', 8})
			if len(body) > longestBody {
				t.Fatalf("a body of %d characters", len(body))
			}
			if !done || !ok {
				continue
			}
			list, sense := split(body)
			if len(list) > len(body) {
				t.Fatalf("%d commands in %q", len(list), body)
			}
			for _, cmd := range list {
				if cmd.name == "" || cmd.name != strings.ToUpper(cmd.name) {
					t.Fatalf("command %+v in %q", cmd, body)
				}
				cmd.n()
				cmd.ints()
			}
			// What has been read once is read the same again.
			if again, sense2 := split(join(list)); sense && (!sense2 || len(again) != len(list)) {
				t.Fatalf("%q is %+v, written as %q %+v", body, list, join(list), again)
			}
		}
	})
}

// join writes commands as a host would.
func join(list []command) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString(c.name)
		extended := strings.IndexByte("+^#*$-_%", c.name[0]) >= 0
		switch {
		case c.op == '?':
			b.WriteString("?")
		case c.op == 't':
			b.WriteString("=?")
		case c.op == '=':
			b.WriteString("=" + c.arg)
		default:
			b.WriteString(c.arg)
		}
		if extended {
			b.WriteString(";")
		}
	}
	return b.String()
}

// FuzzTones reads anything as the values of +VTS.
func FuzzTones(f *testing.F) {
	for _, s := range []string{"5", "1,2,3", "{5,20}", "[900,900,120]", "[,,5]", "{", "[", "[1,2,3", "{5", "{,}", "5,", ",5", "[9999,1,1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for range maxTones {
			if s == "" {
				return
			}
			var b beeper
			rest, ok := b.parse(s, 100)
			if !ok {
				return
			}
			if len(rest) >= len(s) {
				t.Fatalf("nothing taken from %q", s)
			}
			for _, tone := range b.queue {
				if tone.samples < 0 || tone.samples > 20*rate {
					t.Fatalf("%q: a tone of %d samples", s, tone.samples)
				}
			}
			s = strings.TrimPrefix(rest, ",")
		}
	})
}
