package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a network without time: its connections are pipes between addresses.
type memory struct {
	conns chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func newMemory() *memory { return &memory{conns: make(chan net.Conn), ended: make(chan struct{})} }

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.ended:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error { m.once.Do(func() { close(m.ended) }); return nil }

func (m *memory) Addr() net.Addr { return &net.TCPAddr{} }

type pipeEnd struct {
	net.Conn
	remote net.Addr
}

func (p pipeEnd) RemoteAddr() net.Addr { return p.remote }

// dial connects from an IP address.
func (m *memory) dial(t *testing.T, from string) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	m.conns <- pipeEnd{server, &net.TCPAddr{IP: net.ParseIP(from), Port: 40000}}
	return client
}

// start starts a server in memory, in the bubble that the test runs in.
func start(t *testing.T, size int, h http.HandlerFunc) (*memory, *Server) {
	m := newMemory()
	s := newServer(m, ServerConfig{Handler: h, MaxConnections: size, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return m, s
}

func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "body: "+err.Error(), http.StatusRequestTimeout)
		return
	}
	fmt.Fprintf(w, "got %d bytes", len(b))
}

// ask sends a GET and returns the status line, "" where the connection was closed instead.
func ask(c net.Conn, path string) string {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: board\r\n\r\n", path); err != nil {
		return ""
	}
	return status(c)
}

func status(c net.Conn) string {
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return ""
	}
	_, _ = io.Copy(io.Discard, r.Body)
	return r.Status
}

// lasts is how long the server keeps a connection open.
func lasts(c net.Conn) time.Duration {
	began := time.Now()
	_, _ = io.Copy(io.Discard, c)
	return time.Since(began)
}

func TestASlowClientIsCutOff(t *testing.T) {
	drip := func(c net.Conn, text string, every time.Duration) {
		for i := range len(text) {
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				return
			}
			time.Sleep(every)
		}
	}
	tests := []struct {
		name   string
		client func(net.Conn)
		most   time.Duration
	}{
		{"that says nothing", func(net.Conn) {}, headerTimeout},
		{"that sends its header a byte a second", func(c net.Conn) { drip(c, "GET / HTTP/1.1\r\nHost: a\r\nX: "+strings.Repeat("x", 100), time.Second) }, headerTimeout},
		{"that never ends its header", func(c net.Conn) {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n")
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(c, "X-%d: %s\r\n", i, strings.Repeat("y", 500)); err != nil {
					return
				}
			}
		}, headerTimeout},
		{"that sends its body a byte a second", func(c net.Conn) {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
			drip(c, strings.Repeat("b", 1000), time.Second)
		}, readTimeout},
		{"that announces a body and sends none", func(c net.Conn) {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n")
		}, readTimeout},
		{"that sends its chunks slowly", func(c net.Conn) {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
			drip(c, strings.Repeat("1\r\nx\r\n", 1000), time.Second)
		}, readTimeout},
		{"that asks once and stays", func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") }, idleTimeout},
		{"that says how long its body is twice, and differently", func(c net.Conn) {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx")
		}, headerTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := start(t, 0, echo)
				c := m.dial(t, "192.0.2.1")
				var sends sync.WaitGroup
				defer sends.Wait()
				defer c.Close()
				sends.Go(func() { test.client(c) })
				if got := lasts(c); got > test.most+2*time.Second { // net/http lets an answer arrive before it closes
					t.Errorf("cut off after %v, want %v", got, test.most)
				}
			})
		})
	}
}

func TestAClientThatDoesNotReadItsAnswerIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		m, _ := start(t, 0, func(w http.ResponseWriter, _ *http.Request) {
			defer close(done)
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		})
		c := m.dial(t, "192.0.2.1")
		began := time.Now()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		<-done
		if got := time.Since(began); got > writeTimeout+writeSpare {
			t.Errorf("cut off after %v, want %v", got, writeTimeout)
		}
	})
}

// full opens n connections from one client on which nothing is asked, a second apart.
func full(t *testing.T, m *memory, n int, from string) (conns []net.Conn) {
	t.Helper()
	for range n {
		conns = append(conns, m.dial(t, from))
		synctest.Wait()
		time.Sleep(time.Millisecond)
	}
	return conns
}

// closed says whether the server has closed a connection on which nothing is to be read.
func closed(t *testing.T, c net.Conn) bool {
	t.Helper()
	synctest.Wait()
	_ = c.SetReadDeadline(time.Now().Add(time.Nanosecond))
	_, err := c.Read(make([]byte, 1))
	return err == io.EOF
}

func TestANewConnectionTakesThePlaceOfTheOldestIdleOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, 8, echo)
		conns := full(t, m, 4, "192.0.2.1")
		conns = append(conns, full(t, m, 4, "192.0.2.2")...)
		if got := ask(m.dial(t, "192.0.2.3"), "/"); got != "200 OK" {
			t.Errorf("the ninth got %q, want 200", got)
		}
		for i, c := range conns {
			if got, want := closed(t, c), i == 0; got != want {
				t.Errorf("connection %d closed: %v, want %v", i, got, want)
			}
		}
	})
}

func TestOneClientHasHalfOfTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, 8, echo)
		other := m.dial(t, "192.0.2.2")
		conns := full(t, m, 100, "192.0.2.1")
		if closed(t, other) {
			t.Error("another client's connection was closed")
		}
		for i, c := range conns {
			if got, want := closed(t, c), i < 96; got != want {
				t.Errorf("connection %d of the crowd closed: %v, want %v", i, got, want)
			}
		}
		six := full(t, m, 5, "2001:db8::1")
		six = append(six, full(t, m, 5, "2001:db8::2")...)
		n := 0
		for _, c := range six {
			if !closed(t, c) {
				n++
			}
		}
		if n > 4 {
			t.Errorf("%d connections of one IPv6 network, want 4: they are one client", n)
		}
	})
}

func TestANeighbourInTheSameIPv6NetworkIsNotPushedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, 8, echo)
		neighbour := m.dial(t, "2001:db8::2")
		full(t, m, 100, "2001:db8::1")
		if closed(t, neighbour) {
			t.Error("the neighbour's connection was closed")
		}
	})
}

func TestTheNetworkCannotKeepThisMachineOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, 2, echo)
		local := m.dial(t, "127.0.0.1")
		for i := range 50 {
			full(t, m, 1, fmt.Sprintf("192.0.2.%d", i+1))
		}
		if got := ask(local, "/"); got != "200 OK" {
			t.Errorf("loopback got %q, want 200", got)
		}
	})
}

func TestARequestAtWorkIsNotCutForANewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, entered := make(chan struct{}), make(chan struct{}, 10)
		m, _ := start(t, 2, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				connOf(r).prove()
				entered <- struct{}{}
				<-release
			}
		})
		answers := make(chan string, 2)
		for i := range 2 {
			c := m.dial(t, fmt.Sprintf("192.0.2.%d", i+1))
			go func() { answers <- ask(c, "/slow") }()
			<-entered
		}
		if late := m.dial(t, "192.0.2.9"); !closed(t, late) {
			t.Error("a third connection was let in")
		}
		close(release)
		for range 2 {
			if got := <-answers; got != "200 OK" {
				t.Errorf("a request at work got %q, want 200", got)
			}
		}
	})
}

func TestWorkThatNeedsNoLoginGivesWayToANewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, entered := make(chan struct{}), make(chan struct{}, 10)
		m, _ := start(t, 2, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/login":
				connOf(r).prove()
			case "/wsdl":
				entered <- struct{}{}
				<-release
			}
		})
		defer close(release)
		anna := m.dial(t, "192.0.2.1")
		if got := ask(anna, "/login"); got != "200 OK" {
			t.Fatal(got)
		}
		go func() { _ = ask(m.dial(t, "192.0.2.2"), "/wsdl") }()
		<-entered
		if got := ask(m.dial(t, "192.0.2.3"), "/"); got != "200 OK" {
			t.Errorf("a third connection got %q", got)
		}
		if got := ask(anna, "/"); got != "200 OK" {
			t.Errorf("who has logged in got %q", got)
		}
	})
}

// Frames of HTTP/2 (RFC 9113 §6).
const (
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
)

func frame(kind, flags, stream byte, payload string) string {
	return string([]byte{0, 0, byte(len(payload)), kind, flags, 0, 0, 0, stream}) + payload
}

func TestAnHTTP2ClientThatDoesNotReadItsAnswerIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, err := SelfSigned(t.TempDir(), "board")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan time.Time, 1)
		m := newMemory()
		s := newServer(m, ServerConfig{
			TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Log: slog.New(slog.DiscardHandler),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, 64<<10))
				done <- time.Now()
			}),
		})
		defer func() { _ = s.Close(context.Background()) }()
		c := tls.Client(m.dial(t, "192.0.2.1"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		began := time.Now()
		const noWindow = "\x00\x04\x00\x00\x00\x00"        // SETTINGS_INITIAL_WINDOW_SIZE is 0
		const get = "\x82\x87\x84\x41\x05board"            // GET https://board/ (RFC 7541 appendix A)
		const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113 §3.4
		go func() {
			_, _ = io.WriteString(c, preface+frame(frameSettings, 0, 0, noWindow)+frame(frameHeaders, 5, 1, get))
		}()
		head := make([]byte, 9)
		for head[3] != frameReset {
			if _, err := io.ReadFull(c, head); err != nil {
				t.Fatal(err)
			}
			_, _ = io.CopyN(io.Discard, c, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
		}
		if got := (<-done).Sub(began); got != writeTimeout {
			t.Errorf("cut off after %v, want %v", got, writeTimeout)
		}
		_ = c.Close()
	})
}

func TestWorkThatTakesTooLongIsCutForANewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, 1, func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stream" {
				time.Sleep(time.Hour)
			}
		})
		stream := m.dial(t, "192.0.2.1")
		go func() { _ = ask(stream, "/stream") }()
		time.Sleep(longWork + time.Second)
		if got := ask(m.dial(t, "192.0.2.2"), "/"); got != "200 OK" {
			t.Errorf("got %q, want 200", got)
		}
	})
}

func TestASlowBodyGivesWayToANewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, 1, echo)
		slow := m.dial(t, "192.0.2.1")
		if _, err := io.WriteString(slow, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(time.Millisecond)
		if got := ask(m.dial(t, "192.0.2.2"), "/"); got != "200 OK" {
			t.Errorf("got %q, want 200", got)
		}
	})
}

func TestWhoHasLoggedInStaysLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, 2, func(_ http.ResponseWriter, r *http.Request) { connOf(r).prove() })
		poller := m.dial(t, "192.0.2.1")
		for i := range 20 {
			if got := ask(poller, "/"); got != "200 OK" {
				t.Fatalf("poll %d got %q, want 200", i, got)
			}
			synctest.Wait()
			time.Sleep(time.Millisecond)
			full(t, m, 5, fmt.Sprintf("192.0.2.%d", i+10))
		}
	})
}

func TestCloseEndsStreamsAndIdleConnectionsAndWaitsForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}, 2), make(chan struct{})
		m, s := start(t, 0, func(w http.ResponseWriter, r *http.Request) {
			entered <- struct{}{}
			if r.URL.Path == "/stream" {
				<-r.Context().Done()
				return
			}
			<-release
		})
		idle, stream, work := m.dial(t, "192.0.2.1"), m.dial(t, "192.0.2.1"), m.dial(t, "192.0.2.1")
		answer := make(chan string, 1)
		go func() { _ = ask(stream, "/stream") }()
		go func() { answer <- ask(work, "/work") }()
		<-entered
		<-entered
		ended := make(chan error, 1)
		began := time.Now()
		go func() { ended <- s.Close(t.Context()) }()
		if !closed(t, idle) {
			t.Error("the idle connection is still open")
		}
		select {
		case <-ended:
			t.Error("Close did not wait for the request at work")
		default:
		}
		close(release)
		if err := <-ended; err != nil {
			t.Errorf("Close: %v", err)
		}
		if got := <-answer; got != "200 OK" {
			t.Errorf("the request at work got %q, want 200", got)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("Close took %v of fake time", took)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close again: %v", err)
		}
		if err, ok := <-s.Failed(); ok {
			t.Errorf("Failed: %v", err)
		}
	})
}

func TestCloseCutsWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered := make(chan struct{})
		m, s := start(t, 0, func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			for { // an answer that nobody reads
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		})
		c := m.dial(t, "192.0.2.1")
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		<-entered
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestAReadDeadlineHoldsHoweverItIsMoved(t *testing.T) {
	tests := []struct {
		name string
		move []time.Duration // from now, one a second; 0 is never
		want time.Duration   // until a Read that waits returns; 0 is never
	}{
		{"once", []time.Duration{5 * time.Second}, 5 * time.Second},
		{"later", []time.Duration{5 * time.Second, 10 * time.Second}, 11 * time.Second},
		{"later, and earlier again", []time.Duration{5 * time.Second, 20 * time.Second, 6 * time.Second}, 8 * time.Second},
		{"earlier", []time.Duration{20 * time.Second, 3 * time.Second}, 4 * time.Second},
		{"to never", []time.Duration{5 * time.Second, 0}, 0},
		{"to never, and back", []time.Duration{5 * time.Second, 0, 2 * time.Second}, 4 * time.Second},
		{"to the past", []time.Duration{20 * time.Second, 0, -time.Hour}, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer far.Close()
				c := newConnLimit(0).admit(near)
				began := time.Now()
				ended := make(chan error, 1)
				move := func(d time.Duration) {
					at := time.Time{}
					if d != 0 {
						at = time.Now().Add(d)
					}
					if err := c.SetReadDeadline(at); err != nil {
						t.Error(err)
					}
				}
				move(tt.move[0])
				go func() { _, err := c.Read(make([]byte, 1)); ended <- err }()
				for _, d := range tt.move[1:] {
					time.Sleep(time.Second)
					move(d)
				}
				if tt.want == 0 {
					time.Sleep(time.Hour)
					_ = c.Close()
					if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error(err)
					}
					return
				}
				err := <-ended
				if got := time.Since(began); got != tt.want || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%v after %v, want %v", err, got, tt.want)
				}
				move(0)
				go func() { _, _ = far.Write([]byte("x")) }()
				if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
					t.Errorf("afterwards: %d, %v", n, err)
				}
			})
		})
	}
}

func TestAReaderThatWasCalledOffHasADeadlineAgain(t *testing.T) {
	for name, again := range map[string]time.Duration{"sooner": 5 * time.Second, "later": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer far.Close()
				c := newConnLimit(0).admit(near)
				read := func() error { _, err := c.Read(make([]byte, 1)); return err }
				_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
				off := make(chan error, 1)
				go func() { off <- read() }()
				synctest.Wait()
				_ = c.SetReadDeadline(time.Unix(1, 0)) // as net/http does it
				if err := <-off; !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("called off: %v", err)
				}
				if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("still called off: %v", err)
				}
				began := time.Now()
				_ = c.SetReadDeadline(time.Time{})
				_ = c.SetReadDeadline(began.Add(again))
				if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != again {
					t.Errorf("%v after %v, want %v", err, time.Since(began), again)
				}
			})
		})
	}
}

func TestCloseIsBoundedThoughARequestDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		m, s := start(t, 0, func(http.ResponseWriter, *http.Request) { <-free })
		c := m.dial(t, "192.0.2.1")
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: board\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		const drain = 5 * time.Second
		for _, try := range []string{"first", "second"} {
			ctx, cancel := context.WithTimeout(t.Context(), drain)
			began := time.Now()
			if err := s.Close(ctx); !errors.Is(err, errBusy) {
				t.Errorf("the %s Close: %v", try, err)
			}
			if took := time.Since(began); took > drain+cutLimit {
				t.Errorf("the %s Close took %v", try, took)
			}
			cancel()
		}
		close(free)
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close when the request has ended: %v", err)
		}
	})
}
