// Package attest replays what real modems have said, for tests of what listens to them.
//
// A transcript is a text file, one step a line, with a head of # comments that gives its
// origin and the quirk it stands for:
//
//	> AT+CLCC\r                                  bytes from the host
//	@0.05                                        seconds before the next step
//	< \r\n+CLCC: 1,0,0,0,0,"0512303",129\r\n     bytes from the modem
package attest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Step is one line of a transcript.
type Step struct {
	Host  bool          // the bytes are the host's
	Bytes []byte        // nil for a pause
	Pause time.Duration // before the next step
}

// Load reads the transcript in a file.
func Load(path string) ([]Step, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(string(text))
}

// Parse reads a transcript.
func Parse(text string) ([]Step, error) {
	var steps []Step
	for n, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		step, err := parseStep(line)
		if err != nil {
			return nil, fmt.Errorf("attest: line %d: %w", n+1, err)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func parseStep(line string) (Step, error) {
	switch {
	case line[0] == '@':
		s, err := strconv.ParseFloat(line[1:], 64)
		return Step{Pause: time.Duration(s * float64(time.Second))}, err
	case strings.HasPrefix(line, "> ") || strings.HasPrefix(line, "< "):
		b, err := unescape(line[2:])
		return Step{Host: line[0] == '>', Bytes: b}, err
	}
	return Step{}, fmt.Errorf("%q is no step", line)
}

// unescape knows \r \n \xNN and \\.
func unescape(s string) ([]byte, error) {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		if i++; i == len(s) {
			return nil, errors.New("lone backslash")
		}
		switch s[i] {
		case 'r':
			out = append(out, '\r')
		case 'n':
			out = append(out, '\n')
		case '\\':
			out = append(out, '\\')
		case 'x':
			n, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8)
			if err != nil {
				return nil, err
			}
			out = append(out, byte(n))
			i += 2
		default:
			return nil, fmt.Errorf("unknown escape \\%c", s[i])
		}
	}
	return out, nil
}

// String is the step as a line of a transcript.
func (s Step) String() string {
	if s.Bytes == nil {
		return "@" + strconv.FormatFloat(s.Pause.Seconds(), 'f', -1, 64)
	}
	var b strings.Builder
	b.WriteString(map[bool]string{true: "> ", false: "< "}[s.Host])
	for _, c := range s.Bytes {
		switch {
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\\':
			b.WriteString(`\\`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Play is the modem's side of a transcript: it demands the host's bytes and writes the
// modem's, in order. split cuts what it writes, nil for not at all. onHost, which may be
// nil, is called before each step of the host.
func Play(port io.ReadWriter, steps []Step, split func([]byte) [][]byte, onHost func(Step)) error {
	if split == nil {
		split = func(b []byte) [][]byte { return [][]byte{b} }
	}
	for i, s := range steps {
		switch {
		case s.Bytes == nil:
			time.Sleep(s.Pause)
		case s.Host:
			if onHost != nil {
				onHost(s)
			}
			got := make([]byte, len(s.Bytes))
			if _, err := io.ReadFull(port, got); err != nil {
				return fmt.Errorf("attest: step %d: %w", i+1, err)
			}
			if !bytes.Equal(got, s.Bytes) {
				return fmt.Errorf("attest: step %d: the host sent %v, want %v", i+1, Step{Host: true, Bytes: got}, s)
			}
		default:
			for _, part := range split(s.Bytes) {
				if _, err := port.Write(part); err != nil {
					return fmt.Errorf("attest: step %d: %w", i+1, err)
				}
			}
		}
	}
	return nil
}
