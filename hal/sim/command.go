package sim

import (
	"strconv"
	"strings"
)

// commandLine collects a command line (V.250 §5.2): "AT", a body, the character of S3. What
// comes before AT is no command. "A/" repeats the last body at once.
type commandLine struct {
	state lineState
	body  []byte
	last  []byte
	long  bool
}

type lineState int

const (
	beforeA lineState = iota
	afterA
	inBody
)

// longestBody is what a modem holds of a command line; V.250 asks for 40 characters.
const longestBody = 512

// ctrl are the characters that edit a command line: S3, S5.
type ctrl struct{ end, erase byte }

// take eats one character. When that completes a line, done is true and body is what was
// between AT and the end; ok is false for a line longer than the modem can hold.
func (c *commandLine) take(b byte, s ctrl) (body string, ok, done bool) {
	b &= 0x7f // V.250 §5.1: the eighth bit is no part of a character
	switch {
	case c.state == beforeA:
		if b == 'A' || b == 'a' {
			c.state = afterA
		}
	case c.state == afterA:
		switch b {
		case 'T', 't':
			c.state, c.body, c.long = inBody, c.body[:0], false
		case '/':
			c.state = beforeA
			return string(c.last), true, true
		case 'A', 'a':
		default:
			c.state = beforeA
		}
	case b == s.end:
		c.state = beforeA
		if !c.long {
			c.last = append(c.last[:0], c.body...)
		}
		return string(c.body), !c.long, true
	case b == s.erase:
		c.body = c.body[:max(0, len(c.body)-1)]
	case b < ' ' || b == 0x7f: // V.250 §5.2.2: other control characters are ignored
	case len(c.body) == longestBody:
		c.long = true
	default:
		c.body = append(c.body, b)
	}
	return "", false, false
}

// command is one command of a line.
type command struct {
	name string // upper case: "E", "&F", "S7", "+VTX", "D"
	op   byte   // 0: action, '?': read, '=': set, 't': test (=?)
	arg  string // what follows the =, or the dial string, or the number of a basic command
}

// n is a basic command's number; V.250 §5.3.1: one that is missing is 0.
func (c command) n() int {
	if c.arg == "" {
		return 0
	}
	n, err := strconv.Atoi(c.arg)
	if err != nil {
		return -1
	}
	return n
}

// args are the values of a set command, blanks and quotes removed.
func (c command) args() []string {
	list := strings.Split(c.arg, ",")
	for i, a := range list {
		list[i] = strings.Trim(a, ` "`)
	}
	return list
}

// ints are the values of a set command as numbers; one that is missing or none is -1.
func (c command) ints() []int {
	var list []int
	for _, a := range c.args() {
		n, err := strconv.Atoi(a)
		if err != nil || n < 0 {
			n = -1
		}
		list = append(list, n)
	}
	return list
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' }

// split cuts a body into commands (V.250 §5.3, §5.4). ok is false where it makes no sense;
// the commands before that are still executed.
func split(body string) (list []command, ok bool) {
	for {
		body = strings.TrimLeft(body, " ;")
		if body == "" {
			return list, true
		}
		var c command
		switch b := body[0]; {
		case strings.IndexByte("+^#*$-_", b) >= 0, b == '%' && len(body) > 2 && isLetter(body[2]):
			c, body = splitExtended(body)
		case b == 'D' || b == 'd':
			c, body = splitDial(body[1:])
		case b == 'S' || b == 's':
			c, body = splitRegister(body[1:])
		default:
			c, body = splitBasic(body)
		}
		if c.name == "" {
			return list, false
		}
		list = append(list, c)
	}
}

// splitBasic takes a letter, perhaps after & \ or %, and a number.
func splitBasic(body string) (command, string) {
	n := 1
	if strings.IndexByte(`&\%`, body[0]) >= 0 && len(body) > 1 {
		n = 2
	}
	if !isLetter(body[n-1]) {
		return command{}, ""
	}
	c := command{name: strings.ToUpper(body[:n])}
	rest := strings.TrimLeft(body[n:], " ")
	end := 0
	for end < len(rest) && isDigit(rest[end]) {
		end++
	}
	c.arg, rest = rest[:end], rest[end:]
	switch { // some modems read basic commands: E?
	case strings.HasPrefix(rest, "?"):
		c.op, rest = '?', rest[1:]
	case strings.HasPrefix(rest, "=?"):
		c.op, rest = 't', rest[2:]
	}
	return c, rest
}

// splitRegister takes the rest of S7?, S7=60, S7.
func splitRegister(body string) (command, string) {
	c := command{}
	n := 0
	for n < len(body) && isDigit(body[n]) {
		n++
	}
	c.name, body = "S"+body[:n], strings.TrimLeft(body[n:], " ")
	switch {
	case strings.HasPrefix(body, "?"):
		c.op, body = '?', body[1:]
	case strings.HasPrefix(body, "="):
		body = strings.TrimLeft(body[1:], " ")
		n = 0
		for n < len(body) && isDigit(body[n]) {
			n++
		}
		c.op, c.arg, body = '=', body[:n], body[n:]
	}
	return c, body
}

// splitDial takes a dial string: it ends with the line, or with the semicolon that is its
// last character (V.250 §6.3.1).
func splitDial(body string) (command, string) {
	if i := strings.IndexByte(body, ';'); i >= 0 {
		return command{name: "D", arg: body[:i+1]}, body[i+1:]
	}
	return command{name: "D", arg: body}, ""
}

// splitExtended takes +NAME, +NAME?, +NAME=?, +NAME=values, up to a semicolon outside
// quotes.
func splitExtended(body string) (command, string) {
	end, quoted := 0, false
	for end < len(body) && (quoted || body[end] != ';') {
		if body[end] == '"' {
			quoted = !quoted
		}
		end++
	}
	text, rest := strings.TrimSpace(body[:end]), body[end:]
	c := command{}
	name, arg, set := strings.Cut(text, "=")
	switch {
	case set && strings.TrimSpace(arg) == "?":
		c.op = 't'
	case set:
		c.op, c.arg = '=', strings.TrimSpace(arg)
	case strings.HasSuffix(name, "?"):
		c.op, name = '?', strings.TrimSuffix(name, "?")
	}
	c.name = strings.ToUpper(strings.TrimSpace(name))
	if len(c.name) < 2 {
		return command{}, ""
	}
	return c, rest
}
