package web_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/web"
)

func TestTheBoardsOwnCertificateIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	first, err := web.SelfSigned(dir, "Board.example.com")
	if err != nil {
		t.Fatal(err)
	}
	again, err := web.SelfSigned(dir, "renamed")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := web.Fingerprint(first), web.Fingerprint(again); a != b {
		t.Errorf("the fingerprint changed from %s to %s", a, b)
	}
	sum := sha256.Sum256(first.Certificate[0])
	if got := strings.ToLower(strings.ReplaceAll(web.Fingerprint(first), ":", "")); got != hex.EncodeToString(sum[:]) {
		t.Errorf("fingerprint %s, want the certificate's SHA-256", got)
	}
	for name, want := range map[string]fs.FileMode{"key.pem": 0o600, "cert.pem": 0o644, ".": fs.ModeDir | 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "cert.pem")); err != nil { // as after a power cut between the two
		t.Fatal(err)
	}
	if third, err := web.SelfSigned(dir, "board"); err != nil || web.Fingerprint(third) == web.Fingerprint(first) {
		t.Errorf("half a pair: %v, want a new pair", err)
	}
}

func TestTheBoardsOwnCertificateHoldsAtEveryTimeAndByEveryName(t *testing.T) {
	cert, err := web.SelfSigned(t.TempDir(), "board.example.com")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	for _, now := range []time.Time{time.Unix(0, 0), time.Unix(1, 0), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for _, name := range []string{"board.example.com", "board.local", "localhost", "127.0.0.1", "::1"} {
			if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now}); err != nil {
				t.Errorf("%s in %d: %v", name, now.Year(), err)
			}
		}
	}
	if cert.Leaf.IsCA || cert.Leaf.KeyUsage&x509.KeyUsageCertSign != 0 {
		t.Error("the certificate may sign others")
	}
}

func TestACertificateIsMadeForAnyHostName(t *testing.T) {
	for host, want := range map[string]string{
		"": "hookswitch.local", "under_score": "hookswitch", "bücher": "hookswitch.local", "192.168.1.5": "192.168.1.5",
		"pi.local": "pi.local", strings.Repeat("a", 300): "hookswitch.local", "-x": "hookswitch", "PI": "pi",
	} {
		cert, err := web.SelfSigned(t.TempDir(), host)
		if err != nil {
			t.Errorf("%.20q: %v", host, err)
			continue
		}
		if err := cert.Leaf.VerifyHostname(want); err != nil {
			t.Errorf("%.20q: %v", host, err)
		}
	}
}

func TestWhatCannotBeUsedOrStoredDoesNotStopTheBoard(t *testing.T) {
	broken := t.TempDir()
	for _, name := range []string{"cert.pem", "key.pem"} {
		if err := os.WriteFile(filepath.Join(broken, name), []byte("not PEM"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"damaged files": broken, "no directory": filepath.Join(file, "tls"), "no file system that can be written": "/proc/hookswitch"} {
		cert, err := web.SelfSigned(dir, "board")
		if err == nil || cert.Leaf == nil {
			t.Errorf("%s: error %v, certificate %v, want both", name, err, cert.Leaf != nil)
		}
	}
	if _, err := web.SelfSigned(broken, "board"); err != nil {
		t.Errorf("the new certificate does not stay: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(broken, "key.pem.damaged-1")); err != nil || !bytes.Equal(b, []byte("not PEM")) {
		t.Errorf("the damaged key was lost: %q, %v", b, err)
	}
}

func TestOneServerSpeaksEveryHTTP(t *testing.T) {
	cert, err := web.SelfSigned(t.TempDir(), "board")
	if err != nil {
		t.Fatal(err)
	}
	s, err := web.NewServer(web.ServerConfig{
		Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Log: slog.New(slog.DiscardHandler),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	for _, test := range []struct {
		protos []string
		want   string
	}{{[]string{"h2", "http/1.1"}, "HTTP/2.0"}, {[]string{"http/1.1"}, "HTTP/1.1"}} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: test.protos}, ForceAttemptHTTP2: test.protos[0] == "h2"}}
		resp, err := client.Get("https://" + s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		client.CloseIdleConnections()
		if string(b) != test.want {
			t.Errorf("offered %v: got %s, want %s", test.protos, b, test.want)
		}
	}
	c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(b), "HTTP/1.0 200 OK") || !strings.HasSuffix(string(b), "HTTP/1.0") {
		t.Errorf("HTTP/1.0 got %q", b)
	}
}
