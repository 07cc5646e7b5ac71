package web

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestStreamsWithoutAWindowAreBounded, of all connections: the board's memory is 256 MB, and a
// client needs no login for a page. A client that takes its answer gets it all the same.
func TestStreamsWithoutAWindowAreBounded(t *testing.T) {
	const (
		noWindow = "\x00\x04\x00\x00\x00\x00"         // SETTINGS_INITIAL_WINDOW_SIZE is 0
		get      = "\x82\x87\x84\x41\x05board"        // GET https://board/ (RFC 7541 appendix A)
		preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113 §3.4
		conns    = 2 * maxStalled / maxRequests       // twice too many streams
	)
	for _, size := range []int{100, 64 << 10} { // one that fits into net/http's buffer, and one that does not
		synctest.Test(t, func(t *testing.T) {
			cert, err := SelfSigned(t.TempDir(), "board")
			if err != nil {
				t.Fatal(err)
			}
			var begun, done atomic.Int32
			m := newMemory()
			s := newServer(m, ServerConfig{
				TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Log: slog.New(slog.DiscardHandler),
				Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					begun.Add(1)
					defer done.Add(1)
					_, _ = w.Write(make([]byte, size))
				}),
			})
			var clients []net.Conn
			for range conns {
				c := tls.Client(m.dial(t, "192.0.2.1"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
				clients = append(clients, c)
				if err := c.Handshake(); err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = io.Copy(io.Discard, c) }()
				text := preface + frame(frameSettings, 0, 0, noWindow)
				for stream := range maxRequests {
					text += frame(frameHeaders, 5, byte(2*stream+1), get)
				}
				if _, err := io.WriteString(c, text); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if got := begun.Load(); got != conns*maxRequests {
				t.Fatalf("%d requests have begun, want %d", got, conns*maxRequests)
			}
			waiting := func() int {
				s.stalled.mu.Lock()
				defer s.stalled.mu.Unlock()
				return len(s.stalled.writing)
			}
			if got := waiting(); got != maxStalled {
				t.Errorf("%d answers of %d bytes wait, want %d", got, size, maxStalled)
			}
			if left := begun.Load() - done.Load(); left > maxStalled {
				t.Errorf("%d handlers are at work, want %d at most", left, maxStalled)
			}
			time.Sleep(2 * stallGrace)
			good := http.Client{Transport: &http.Transport{
				DialContext:       func(context.Context, string, string) (net.Conn, error) { return m.dial(t, "192.0.2.2"), nil },
				TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
				ForceAttemptHTTP2: true,
			}}
			resp, err := good.Get("https://board/")
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(resp.Body); err != nil || len(b) != size || resp.ProtoMajor != 2 {
				t.Errorf("a client that takes its answer: %d bytes by %s, %v", len(b), resp.Proto, err)
			}
			_ = resp.Body.Close()
			good.CloseIdleConnections()
			time.Sleep(writeTimeout + time.Second)
			synctest.Wait()
			if got := waiting(); got != 0 {
				t.Errorf("%d answers still wait", got)
			}
			for _, c := range clients {
				_ = c.Close()
			}
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}
