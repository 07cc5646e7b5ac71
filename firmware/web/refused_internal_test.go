package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// text is a log.
type text struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

func TestARefusedTLSHandshakeIsLogged(t *testing.T) {
	cert, err := SelfSigned(t.TempDir(), "board")
	if err != nil {
		t.Fatal(err)
	}
	var log text
	s, err := NewServer(ServerConfig{
		Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		Log: slog.New(slog.NewTextHandler(&log, nil)), Handler: http.NotFoundHandler(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	dial := func(cfg *tls.Config) {
		if c, err := tls.Dial("tcp", s.Addr().String(), cfg); err == nil {
			_ = c.Close()
			t.Error("the handshake is not refused")
		}
	}
	for _, test := range []struct {
		name   string
		client func()
		want   string
	}{
		{"a scanner goes away", func() {
			if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
				_ = c.Close()
			}
		}, ""},
		{"the client does not trust the certificate", func() { dial(&tls.Config{ServerName: "elsewhere"}) }, "certificate"},
		{"the client knows old versions only", func() {
			dial(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10})
		}, "version"},
	} {
		before := len(log.String())
		test.client()
		for begin := time.Now(); test.want != "" && !strings.Contains(log.String()[before:], test.want); time.Sleep(time.Millisecond) {
			if time.Since(begin) > time.Minute {
				t.Fatalf("%s: logged %q, want %q", test.name, log.String()[before:], test.want)
			}
		}
	}
	if strings.Contains(log.String(), "EOF") || !strings.Contains(log.String(), "from=127.0.0.1") {
		t.Errorf("logged %s", log.String())
	}
}

func TestStrangersDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out text
		l, log := &strangerLog{}, slog.New(slog.NewTextHandler(&out, nil))
		for i := range 1000 {
			l.warn(log, "refused", "n", i)
		}
		if n := strings.Count(out.String(), "\n"); n != maxStrangers {
			t.Errorf("%d lines within a minute, want %d", n, maxStrangers)
		}
		time.Sleep(time.Minute)
		l.warn(log, "refused", "n", "later")
		if want := fmt.Sprint("=", 1000-maxStrangers); !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	})
}
