package daemon

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// newLogger logs events as key=value text.
func newLogger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the configuration admits only the four names
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

const (
	maxQueued   = 256 << 10   // bytes of the log that wait for whoever reads it
	logEndLimit = time.Second // for the last of them, when the daemon ends
)

// logQueue is the way of the log to a reader that may be slow, stopped or gone: Write takes
// lines at once, and a goroutine of the queue writes them. Lines that come while the queue
// is full, and those that can't be written, are lost and counted; how many is logged as soon
// as something can be written again. A call must never wait for whoever reads the log.
type logQueue struct {
	out  io.Writer
	wake chan struct{} // holds a token while there is something to write, or to end
	done chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex // guards what follows; never held over a write
	queued []byte     // whole lines
	lost   int        // lines that were not written since that was last logged
	full   bool       // a line was lost since queued was last taken: later ones don't overtake it
	closed bool
}

func newLogQueue(out io.Writer) *logQueue {
	q := &logQueue{out: out, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Write implements io.Writer for whole lines. It never blocks, and never fails.
func (q *logQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	if q.closed || q.full || len(q.queued)+len(line) > maxQueued {
		q.full = true
		q.lost += bytes.Count(line, []byte("\n"))
	} else {
		q.queued = append(q.queued, line...)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return len(line), nil
}

// run writes what is queued until the queue is closed and empty.
func (q *logQueue) run() {
	defer close(q.done)
	var lines []byte
	for range q.wake {
		lines = lines[:0]
		q.mu.Lock()
		lines, q.queued = q.queued, lines
		lost, closed := q.lost, q.closed
		q.lost, q.full = 0, false
		q.mu.Unlock()
		lost += q.write(lines)
		if lost > 0 && q.write(lostLines(lost)) > 0 {
			q.mu.Lock()
			q.lost += lost
			q.mu.Unlock()
		}
		if closed {
			return
		}
	}
}

// write returns how many lines could not be written.
func (q *logQueue) write(lines []byte) (lost int) {
	if len(lines) == 0 {
		return 0
	}
	n, err := q.out.Write(lines)
	if err == nil {
		return 0
	}
	return bytes.Count(lines[n:], []byte("\n"))
}

// lostLines is the line of the log that tells of n lost ones.
func lostLines(n int) []byte {
	var line bytes.Buffer
	newLogger(&line, "warn").Warn("lines of this log are lost: nobody read them in time", "lines", n)
	return line.Bytes()
}

// close ends the queue once what is in it is written, and waits for that, but not for long.
// It may be called twice.
func (q *logQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	limit := time.NewTimer(logEndLimit)
	defer limit.Stop()
	select {
	case <-q.done:
	case <-limit.C:
	}
}

// surviveReaders keeps a reader of standard output or standard error that goes away from
// ending the daemon in the middle of a call: without it Go's runtime dies of the SIGPIPE.
// The signal is caught, not ignored, because programs that are started here would inherit that.
func surviveReaders() (stop func()) {
	pipes := make(chan os.Signal, 1) // nobody looks: write says EPIPE, too
	signal.Notify(pipes, syscall.SIGPIPE)
	return func() { signal.Stop(pipes) }
}
