package web_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookswitch/firmware/web"
)

// openFiles is how many connections a test may hold, at most n.
func openFiles(t *testing.T, n int) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return min(n, int(limit.Cur)-1000)
}

func newServer(t *testing.T) *web.Server {
	t.Helper()
	s, err := web.NewServer(web.ServerConfig{
		Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			fmt.Fprintf(w, "disconnected %d", len(b))
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return s
}

// disconnect is the request that must always get through, by a client of its own.
func disconnect(t *testing.T, s *web.Server) {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post("http://"+s.Addr().String()+"/EWS/UM2007Legacy.asmx", "text/xml", strings.NewReader("<Disconnect/>"))
	if err != nil {
		t.Fatalf("Disconnect: %v", err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "disconnected 13" {
		t.Fatalf("Disconnect: %q, %v", b, err)
	}
}

func TestDisconnectGetsThroughACrowd(t *testing.T) {
	header := "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"
	tests := []struct {
		name  string
		n     int
		sends string
	}{
		{"of idle connections", 10_000, ""},
		{"of unfinished headers", 2000, header},
		{"of unfinished bodies", 2000, header + "Content-Length: 1000\r\n\r\nhalf"},
		{"of bodies that never come", 2000, header + "Content-Length: 9223372036854775807\r\n\r\n"},
		{"of endless chunks", 2000, header + "Transfer-Encoding: chunked\r\n\r\n5\r\nchunk\r\n"},
		{"of answered connections that stay", 2000, header + "Content-Length: 0\r\n\r\n"},
		{"of handshakes that the port does not expect", 2000, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
		{"of HTTP/2 by surprise", 2000, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			var crowd []net.Conn
			defer func() {
				for _, c := range crowd {
					_ = c.Close()
				}
			}()
			n := openFiles(t, test.n)
			if testing.Short() {
				n /= 10
			}
			for i := range n {
				c, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatalf("connection %d: %v", i, err)
				}
				crowd = append(crowd, c)
				if _, err := io.WriteString(c, test.sends); err != nil {
					t.Fatalf("connection %d: %v", i, err)
				}
				if i%(n/8) == n/8-1 {
					disconnect(t, s)
				}
			}
		})
	}
}

// status sends raw bytes and returns the status of the answer, 0 where there is none.
func status(t *testing.T, s *web.Server, raw string) int {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(c, raw) // the server may have had enough before the end
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestAHostileRequestHasAClearStatus(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "X-%d: y\r\n", i)
		}
		return b.String()
	}
	const post = "POST / HTTP/1.1\r\nHost: a\r\n"
	tests := []struct {
		name, raw string
		want      int
	}{
		{"a long header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", 431},
		{"100 000 headers", "GET / HTTP/1.1\r\nHost: a\r\n" + many(100_000) + "\r\n", 431},
		{"a long path", "GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"another protocol", "HELO board\r\n\r\n", 400},
		{"a length that is none", post + "Content-Length: -1\r\n\r\n", 400},
		{"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
		{"a length beside chunks", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
		{"a coding that is not chunked", post + "Transfer-Encoding: identity\r\n\r\n", 501},
		{"a body larger than its length", post + "Content-Length: 2\r\n\r\nxxGET", 200},
		{"a body larger than any", post + "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 100_000), 400},
		{"a chunk larger than any", post + "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + strings.Repeat("x", 0x20000), 400},
		{"a chunk length that is none", post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400},
		{"an expectation that is not known", post + "Expect: 200-ok\r\n\r\n", 417},
		{"a NUL in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400},
		{"HTTP/3 by name", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
	}
	s := newServer(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := status(t, s, test.raw); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			disconnect(t, s)
		})
	}
}

func TestAPanicInAHandlerIsLoggedAndSurvived(t *testing.T) {
	var out strings.Builder
	s, err := web.NewServer(web.ServerConfig{
		Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&out, nil)),
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/panic" {
				panic("mistake of ours")
			}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := status(t, s, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n"); got != 0 {
		t.Errorf("got %d, want the connection closed", got)
	}
	if got := status(t, s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); got != 200 {
		t.Errorf("afterwards got %d, want 200", got)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "mistake of ours") {
		t.Errorf("the log has no panic: %q", out.String())
	}
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	s := newServer(t)
	if _, err := web.NewServer(web.ServerConfig{Listen: s.Addr().String(), Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("two servers listen on one port")
	}
}
