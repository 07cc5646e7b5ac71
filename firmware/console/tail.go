package console

import (
	"io"
	"strings"
	"sync"
)

// tailLines is how much of the log is remembered.
const tailLines = 1000

// Tail passes a log on and remembers its last lines, for a technician to read.
type Tail struct {
	to io.Writer

	mu      sync.Mutex // guards what follows
	rest    string     // of a line that has no end yet
	lines   []string
	count   int // of all lines so far
	changed chan struct{}
}

// NewTail returns a Tail that passes on to w.
func NewTail(w io.Writer) *Tail { return &Tail{to: w, changed: make(chan struct{})} }

// Write implements io.Writer.
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.rest += string(b)
	for {
		line, rest, whole := strings.Cut(t.rest, "\n")
		if !whole {
			break
		}
		t.lines, t.count, t.rest = append(t.lines, line), t.count+1, rest
	}
	if len(t.rest) > maxPasted {
		t.rest = ""
	}
	if extra := len(t.lines) - tailLines; extra > 0 {
		t.lines = append(t.lines[:0], t.lines[extra:]...)
	}
	close(t.changed)
	t.changed = make(chan struct{})
	t.mu.Unlock()
	return t.to.Write(b)
}

// since returns the lines after the n-th of all, as far as they are remembered, how many
// there are in all, and what is closed when there are more.
func (t *Tail) since(n int) (lines []string, count int, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	from := max(0, n-(t.count-len(t.lines)))
	if from < len(t.lines) {
		lines = append(lines, t.lines[from:]...)
	}
	return lines, t.count, t.changed
}
