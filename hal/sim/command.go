package sim

import (
	"strings"
)

// commandLine collects a command as V.250 5.2 has it: "AT", a body, CR; BS deletes; what
// does not begin with AT is no command.
type commandLine struct {
	buf  []byte
	echo bool
}

// take eats one byte and returns the body of a complete command.
func (c *commandLine) take(b byte) (body string, ok bool) {
	switch {
	case b == '\r':
		line := strings.TrimSpace(string(c.buf))
		c.buf = c.buf[:0]
		if i := strings.Index(strings.ToUpper(line), "AT"); i >= 0 {
			return line[i+2:], true
		}
		return "", false
	case b == 8:
		c.buf = c.buf[:max(0, len(c.buf)-1)]
	case b < ' ' || len(c.buf) > 255:
	default:
		c.buf = append(c.buf, b)
	}
	return "", false
}

// split cuts a body into commands: basic ones are a letter, perhaps after & or -, and
// digits; extended ones run to the semicolon (V.250 5.4).
func split(body string) []string {
	var cmds []string
	for body != "" {
		body = strings.TrimLeft(body, " ;")
		if body == "" {
			break
		}
		n := 1
		switch c := upper(body[0]); {
		case strings.IndexByte("+#*^-%$", c) >= 0:
			if n = strings.IndexByte(body, ';'); n < 0 {
				n = len(body)
			}
		case c == 'D':
			n = len(body)
		case c == 'S':
			for n < len(body) && strings.IndexByte("0123456789=?", body[n]) >= 0 {
				n++
			}
		default:
			if (c == '&' || c == '\\') && len(body) > 1 {
				n = 2
			}
			for n < len(body) && body[n] >= '0' && body[n] <= '9' {
				n++
			}
		}
		cmds = append(cmds, strings.ToUpper(strings.TrimSpace(body[:n])))
		body = body[n:]
	}
	return cmds
}

func upper(b byte) byte {
	if b >= 'a' && b <= 'z' {
		return b - 32
	}
	return b
}
