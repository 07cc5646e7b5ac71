package sim_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"hookswitch/hal/sim"
)

// host is a program at a modem's port, as simple as can be.
type host struct {
	t    testing.TB
	rw   io.ReadWriteCloser
	in   chan []byte
	have []byte
}

func newHost(t testing.TB, rw io.ReadWriteCloser) *host {
	h := &host{t: t, rw: rw, in: make(chan []byte, 1)}
	go func() {
		defer close(h.in)
		buf := make([]byte, 4096)
		for {
			n, err := rw.Read(buf)
			if n > 0 {
				h.in <- append([]byte(nil), buf[:n]...)
			}
			if err != nil {
				return
			}
		}
	}()
	return h
}

// open puts a host at a line's port in memory.
func open(t testing.TB, l *sim.Line) *host {
	t.Helper()
	rw, err := l.Port()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, rw)
	t.Cleanup(h.close)
	return h
}

// close closes the port and waits for the reader.
func (h *host) close() {
	_ = h.rw.Close()
	for range h.in {
	}
}

func (h *host) send(s string) {
	h.t.Helper()
	if _, err := io.WriteString(h.rw, s); err != nil {
		h.t.Fatalf("write %q: %v", s, err)
	}
}

// until reads until what has come since the last until contains want, and returns all that.
func (h *host) until(want string, limit time.Duration) string {
	h.t.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		if i := strings.Index(string(h.have), want); i >= 0 {
			got := string(h.have[:i+len(want)])
			h.have = h.have[i+len(want):]
			return got
		}
		select {
		case b, open := <-h.in:
			if !open {
				h.t.Fatalf("port closed; got %q, want %q", h.have, want)
			}
			h.have = append(h.have, b...)
		case <-late.C:
			h.t.Fatalf("after %v: got %q, want %q", limit, h.have, want)
		}
	}
}

// during reads for d and returns all that has come.
func (h *host) during(d time.Duration) string {
	late := time.NewTimer(d)
	defer late.Stop()
	for {
		select {
		case b, open := <-h.in:
			if !open {
				return string(h.have)
			}
			h.have = append(h.have, b...)
		case <-late.C:
			got := string(h.have)
			h.have = nil
			return got
		}
	}
}

// ask sends a command and returns the answer up to its result code.
func (h *host) ask(cmd, result string) string {
	h.t.Helper()
	h.send(cmd + "\r")
	return h.until(result+"\r\n", 2*time.Minute)
}

// setUp is a modem in voice mode without echo.
func (h *host) setUp(format string) {
	h.t.Helper()
	for _, cmd := range []string{"ATE0", "AT+FCLASS=8", "AT+VSM=" + format + ",8000"} {
		h.ask(cmd, "OK")
	}
}
