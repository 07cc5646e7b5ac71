package at

import (
	"errors"
	"io"
	"sync"
	"time"
)

// ErrStuck is returned where a port does not take what is written to it: the modem holds
// its flow control, or its driver is wedged.
var ErrStuck = errors.New("at: port does not take what is written")

// writeLimit is long for what is written at once, 20 ms of sound, and short for a person
// who waits for a hang-up.
const writeLimit = time.Second

// Writer writes to a port that may stop taking bytes for ever. Its methods may be called
// from any goroutine.
type Writer struct {
	port   io.WriteCloser
	turn   chan struct{} // holds a token while a Write runs
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex // guards what follows
	since   time.Time  // when the running Write began, zero when none runs
	stuck   bool
	watched bool // the timer runs
	timer   *time.Timer
}

// NewWriter returns a Writer to port, which must free a Write that hangs when it is closed.
func NewWriter(port io.WriteCloser) *Writer {
	w := &Writer{port: port, turn: make(chan struct{}, 1), closed: make(chan struct{})}
	w.timer = time.AfterFunc(writeLimit, w.watch)
	w.timer.Stop()
	return w
}

// Write writes b whole, in its turn among concurrent calls. What the port has not taken
// after a second is given up with ErrStuck, and the port closed.
func (w *Writer) Write(b []byte) (int, error) {
	select {
	case w.turn <- struct{}{}:
	default:
		if err := w.wait(); err != nil {
			return 0, err
		}
	}
	w.begin()
	n, err := w.port.Write(b)
	if w.end() {
		err = ErrStuck
	}
	<-w.turn
	return n, err
}

// wait waits for the turn.
func (w *Writer) wait() error {
	limit := time.NewTimer(writeLimit)
	defer limit.Stop()
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-w.closed:
		return io.ErrClosedPipe
	case <-limit.C:
		return ErrStuck
	}
}

// begin and end bracket a Write. One timer, left to run out, watches over them all: a timer
// for each would cost more than most of them take.
func (w *Writer) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Now()
	if !w.watched {
		w.watched = true
		w.timer.Reset(writeLimit)
	}
}

func (w *Writer) end() (stuck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Time{}
	return w.stuck
}

func (w *Writer) watch() {
	w.mu.Lock()
	if w.since.IsZero() {
		w.watched = false
		w.mu.Unlock()
		return
	}
	if left := writeLimit - time.Since(w.since); left > 0 {
		w.timer.Reset(left)
		w.mu.Unlock()
		return
	}
	w.stuck = true
	w.mu.Unlock()
	_ = w.Close()
}

// Stuck says that a Write was given up.
func (w *Writer) Stuck() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stuck
}

// Close closes the port, which frees a Write that hangs. It may be called more than once.
func (w *Writer) Close() (err error) {
	w.once.Do(func() {
		w.timer.Stop()
		close(w.closed)
		err = w.port.Close()
	})
	return err
}
