package daemon_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"hookswitch/firmware/daemon"
	"hookswitch/hal/sim"
)

// technician is a terminal on a pseudo terminal, in place of the UART.
type technician struct {
	t     *testing.T
	tty   *os.File
	shown string
	more  chan string
}

func newTechnician(t *testing.T) (*technician, string) {
	t.Helper()
	near, far, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	m := &technician{t: t, tty: near, more: make(chan string, 1024)}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := near.Read(buf)
			if err != nil {
				close(m.more)
				return
			}
			m.more <- string(buf[:n])
		}
	}()
	return m, far.Name()
}

// until returns what is shown up to a text.
func (m *technician) until(text string) string {
	m.t.Helper()
	limit := time.After(time.Minute)
	for {
		if before, after, ok := strings.Cut(m.shown, text); ok {
			m.shown = after
			return before
		}
		select {
		case more, ok := <-m.more:
			if !ok {
				m.t.Fatalf("no %q in %q", text, m.shown)
			}
			m.shown += more
		case <-limit:
			m.t.Fatalf("no %q in %q", text, m.shown)
		}
	}
}

func (m *technician) types(keys string) {
	m.t.Helper()
	if _, err := io.WriteString(m.tty, keys); err != nil {
		m.t.Fatal(err)
	}
}

func TestATechnicianChangesTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	x := sim.New(sim.Options{})
	defer x.Close()
	port, err := x.Voice("fxo1").PTY()
	if err != nil {
		t.Fatal(err)
	}
	m, tty := newTechnician(t)
	path := filepath.Join(dir, "hookswitch.toml")
	text := fmt.Sprintf("data = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[console]\nports = [%q]\n[[line]]\nname = \"fxo1\"\nport = %q\n[dialing]\nallow = [\"5550101\"]\n", dir, tty, port)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(ctx, daemon.Options{Config: path, Out: io.Discard}) }()
	m.until("> ")
	m.types("line test\r")
	if test := m.until("OK\r\n"); !strings.Contains(test, "dial tone stopped at a digit") {
		t.Errorf("line test: %s", test)
	}
	m.types("dial 5550106\r")
	m.until("ERROR number not permitted")
	m.types("config edit\r")
	m.until("edit> ")
	m.types("10 allow = [\"55501xx\"]\rdone\r")
	m.until("OK\r\n")
	m.types("config apply\r")
	m.until("on trial")
	m.types("dial 5550101\r")
	m.until("ERROR busy")
	m.types("status\r")
	status := m.until("OK\r\n")
	_, url, _ := strings.Cut(status, "web         ")
	url, _, _ = strings.Cut(url, "\r\n")
	resp, err := http.Get(url + "EWS/UM2007Legacy.asmx?wsdl")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the board of the new configuration answers %s", resp.Status)
	}
	m.types("config rollback\r")
	m.until("OK\r\n")
	m.types("dial 5550106\r")
	m.until("ERROR number not permitted")
	m.types("config edit\r")
	m.until("edit> ")
	m.types("3 listen = \"203.0.113.7:1\"\rdone\r") // of another machine
	m.until("OK\r\n")
	m.types("config apply\r")
	m.until("ERROR")
	m.types("line test\r")
	m.until("OK\r\n")
	if now, _ := os.ReadFile(path); string(now) != text {
		t.Errorf("the configuration is %s", now)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAConfigurationThatNobodyConfirmedEndsWithTheDaemon(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hookswitch.toml")
	text := fmt.Sprintf("data = %q\n[http]\nlisten = \"127.0.0.1:0\"\n", dir)
	for name, content := range map[string]string{path: "nonsense", path + ".before": text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := daemon.Run(ctx, daemon.Options{Config: path, Out: io.Discard}); err != nil {
		t.Error(err)
	}
	if now, _ := os.ReadFile(path); string(now) != text {
		t.Errorf("the configuration is %s", now)
	}
}
