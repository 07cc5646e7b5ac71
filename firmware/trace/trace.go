// Package trace prints what goes over the AT ports and what the hook relays do.
package trace

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Printer prints it as it happens:
//
//	12:00:01.234 fxo1 > ATDT5550100\r
//	12:00:08.300 fxo1 < \r\nOK\r\n
//	12:00:09.001 fxo1 hook relay opened
//
// A nil Printer prints nothing.
type Printer struct {
	mu    sync.Mutex // guards what follows
	w     io.Writer
	voice map[string]bool // lines and directions in the middle of voice data
}

// New prints to w.
func New(w io.Writer) *Printer { return &Printer{w: w, voice: map[string]bool{}} }

// Bytes is a modem.Config's Trace for a line.
func (t *Printer) Bytes(line string) func(sent bool, data []byte) {
	if t == nil {
		return nil
	}
	return func(sent bool, data []byte) {
		dir := "<"
		if sent {
			dir = ">"
		}
		t.print(line, dir, data)
	}
}

// Edge is a hook.Config's Edge for a line.
func (t *Printer) Edge(line string) func(closed bool) {
	if t == nil {
		return nil
	}
	return func(closed bool) {
		what := "opened"
		if closed {
			what = "closed"
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		fmt.Fprintf(t.w, "%s %s hook relay %s\n", now(), line, what)
	}
}

func now() string { return time.Now().Format("15:04:05.000") }

// voiceBytes is how much unprintable data is sound; nobody wants to read it.
const voiceBytes = 24

func (t *Printer) print(line, dir string, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := line + dir
	if len(data) > voiceBytes && unprintable(data) > len(data)/4 {
		if !t.voice[key] {
			fmt.Fprintf(t.w, "%s %s %s (voice data)\n", now(), line, dir)
		}
		t.voice[key] = true
		return
	}
	t.voice[key] = false
	fmt.Fprintf(t.w, "%s %s %s %s\n", now(), line, dir, escape(data))
}

func unprintable(data []byte) (n int) {
	for _, b := range data {
		if b < ' ' && b != '\r' && b != '\n' || b > '~' {
			n++
		}
	}
	return n
}

// escape writes bytes as the transcripts of the tests do.
func escape(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		switch {
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
