package main

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"hookswitch/firmware/config"
	"hookswitch/firmware/web"
)

// front is a daemon's HTTP front with TLS, the user anna, and a JSON interface of one list.
func front(t *testing.T) (address, fingerprint string) {
	t.Helper()
	cert, err := web.SelfSigned(t.TempDir(), "board")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	token := fmt.Sprintf("%x", sha256.Sum256([]byte("a-token-of-the-tests")))
	auth := &web.Auth{
		Users: []config.User{{Name: "anna", PasswordHash: string(hash), TokenHash: []string{token}}},
		Realm: "hookswitch", Log: slog.New(slog.DiscardHandler),
	}
	s, err := web.NewServer(web.ServerConfig{
		Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Log: auth.Log,
		Handler: auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/faults" {
				_, _ = io.WriteString(w, `["the card is full\u001b[2J"]`)
				return
			}
			_, _ = io.WriteString(w, `[{"name":"fxo1\u001b[2J","hook":"on-hook"}]`)
		})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return "https://" + s.Addr().String(), web.Fingerprint(cert)
}

func TestTheProgramLogsIn(t *testing.T) {
	address, fingerprint := front(t)
	pin := "HOOKSWITCH_FINGERPRINT=" + fingerprint
	tests := []struct {
		name   string
		env    []string
		args   []string
		status int
		says   string
	}{
		{"with a password", []string{pin, "HOOKSWITCH_USER=anna", "HOOKSWITCH_PASSWORD=correct horse"}, nil, 0, "fxo1"},
		{"with flags", nil, []string{"--user", "anna", "--password", "correct horse", "--fingerprint", strings.ToLower(strings.ReplaceAll(fingerprint, ":", ""))}, 0, "fxo1"},
		{"with a token", []string{pin, "HOOKSWITCH_TOKEN=a-token-of-the-tests"}, nil, 0, "fxo1"},
		{"not without anything", []string{pin}, nil, failed, "HOOKSWITCH_PASSWORD"},
		{"not without a password", []string{pin, "HOOKSWITCH_USER=anna"}, nil, failed, "no password for anna"},
		{"not with a wrong password", []string{pin, "HOOKSWITCH_USER=anna", "HOOKSWITCH_PASSWORD=wrong"}, nil, failed, "user or password is wrong"},
		{"not to a certificate that nobody vouches for", nil, nil, failed, "--fingerprint"},
		{"not to another certificate", []string{"HOOKSWITCH_FINGERPRINT=" + strings.Repeat("00:", 31) + "00"}, nil, failed, "another fingerprint"},
		{"not with a fingerprint that is none", []string{"HOOKSWITCH_FINGERPRINT=abc"}, nil, failed, "32 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			env := append([]string{"HOOKSWITCH_SERVER=" + address}, test.env...)
			out, complaints, status := hookswitch(t, env, append([]string{"lines"}, test.args...)...)
			if status != test.status || !strings.Contains(out+complaints, test.says) {
				t.Errorf("status %d: %s%s", status, out, complaints)
			}
			if strings.Contains(out+complaints, "\x1b") {
				t.Error("what the daemon says reaches the terminal as it is")
			}
		})
	}
}

func TestADaemonThatCannotBeAskedIsExplained(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	_ = l.Close()
	other, err := web.NewServer(web.ServerConfig{Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>a printer</html>")
	})})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	secure, _ := front(t)
	tests := []struct {
		name, server string
		env          []string
		says         string
	}{
		{"nobody listens", "http://" + nobody, nil, "hookswitch serve"},
		{"no URL", "board", nil, "write http://"},
		{"another scheme", "ftp://board", nil, "write http://"},
		{"another server", "http://" + other.Addr().String(), nil, "no hookswitch daemon"},
		{"no TLS where it is expected", "https://" + other.Addr().String(), nil, "http://"},
		{"TLS where it is not expected", strings.Replace(secure, "https", "http", 1), nil, "https://"},
		{"a password without TLS", "http://192.0.2.1", []string{"HOOKSWITCH_USER=anna", "HOOKSWITCH_PASSWORD=x"}, "https://"},
		{"a token without TLS", "http://board.example", []string{"HOOKSWITCH_TOKEN=x"}, "https://"},
		{"a fingerprint without TLS", "http://127.0.0.1:1", []string{"HOOKSWITCH_FINGERPRINT=00"}, "https://"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, complaints, status := hookswitch(t, append([]string{"HOOKSWITCH_SERVER=" + test.server}, test.env...), "lines")
			if status != failed || !strings.Contains(complaints, test.says) || strings.Count(complaints, "\n") != 1 {
				t.Errorf("status %d, want %d and %q:\n%s", status, failed, test.says, complaints)
			}
		})
	}
}
