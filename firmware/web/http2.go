package web

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

// maxStalled is how many answers over HTTP/2 may wait for their clients to let them be sent,
// of all connections. From experience: one that waits holds some 25 KiB, its goroutine, the
// request and a buffer, so that all hold less than 8 MB.
const maxStalled = 256

// stallGrace is how long an answer stays that waits, when there are too many: one whose client
// takes it is gone before that.
const stallGrace = 100 * time.Millisecond

// errStalled is of an answer that was not sent because too many others wait.
var errStalled = errors.New("web: too many answers wait for their clients")

// stalled is the answers over HTTP/2 that are being sent. A client says how much of one may be
// sent, and one that allows nothing must not hold it, and the goroutine that writes it, for
// ever; nor must ten thousand of them, each for a while.
type stalled struct {
	mu      sync.Mutex // guards what follows
	writing map[*http2Stream]time.Time
}

// enter notes that s is being sent. When there are too many, the one that has waited longest
// is cut; if none has waited for long s is not sent.
func (q *stalled) enter(s *http2Stream) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if q.writing == nil {
		q.writing = map[*http2Stream]time.Time{}
	}
	if len(q.writing) >= maxStalled {
		var oldest *http2Stream
		for other, since := range q.writing {
			if oldest == nil || since.Before(q.writing[oldest]) {
				oldest = other
			}
		}
		if now.Sub(q.writing[oldest]) < stallGrace {
			return errStalled
		}
		delete(q.writing, oldest)
		go oldest.cut() // net/http takes its time
	}
	q.writing[s] = now
	return nil
}

func (q *stalled) leave(s *http2Stream) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.writing, s)
}

// http2Stream is an answer over HTTP/2. The write deadline of the connection does not help
// against a client that allows nothing of it to be sent: nothing is written then.
type http2Stream struct {
	http.ResponseWriter
	out     *http.ResponseController
	all     *stalled
	refused error // errStalled, and from then on
}

// cut ends the stream: whatever waits in it returns.
func (s *http2Stream) cut() { _ = s.out.SetWriteDeadline(time.Now().Add(-time.Second)) }

// send runs what sends a part of the answer, with a limit.
func (s *http2Stream) send(part func() error) error {
	if s.refused == nil {
		s.refused = s.all.enter(s)
	}
	if s.refused != nil {
		return s.refused
	}
	defer s.all.leave(s)
	_ = s.out.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := part(); err != nil {
		return err
	}
	return s.out.SetWriteDeadline(time.Time{})
}

// Write implements http.ResponseWriter.
func (s *http2Stream) Write(b []byte) (n int, err error) {
	err = s.send(func() (err error) { n, err = s.ResponseWriter.Write(b); return err })
	return n, err
}

// FlushError is what http.ResponseController looks for.
func (s *http2Stream) FlushError() error { return s.send(s.out.Flush) }

// Unwrap lets http.ResponseController reach the writer below.
func (s *http2Stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// end sends what is still buffered when the handler has returned: later nobody would count it.
// An answer that can't be sent ends its stream.
func (s *http2Stream) end() {
	if s.FlushError() != nil {
		panic(http.ErrAbortHandler)
	}
}
