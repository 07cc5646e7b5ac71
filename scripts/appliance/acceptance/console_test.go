//go:build e2e

package acceptance

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/scripts/appliance/emulator"
)

// terminal is a technician's, at the board's UART.
type terminal struct {
	t     *testing.T
	conn  net.Conn
	shown string
}

// until returns what is shown up to a text.
func (m *terminal) until(text string) string {
	m.t.Helper()
	_ = m.conn.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 4096)
	for {
		if before, after, ok := strings.Cut(m.shown, text); ok {
			m.shown = after
			return before
		}
		n, err := m.conn.Read(buf)
		if m.shown += string(buf[:n]); err != nil {
			m.t.Fatalf("no %q in %q: %v", text, m.shown, err)
		}
	}
}

// does types a command and returns what it replies.
func (m *terminal) does(command string) string {
	m.t.Helper()
	if _, err := m.conn.Write([]byte(command + "\r")); err != nil {
		m.t.Fatal(err)
	}
	m.until(command)
	return m.until("OK\r\n")
}

func TestTheTechniciansConsole(t *testing.T) {
	s := newSite(t, "v1", 3)
	m := s.boot(t, false)
	conn, err := m.UART()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tech := &terminal{t: t, conn: conn}
	logIn := func() {
		t.Helper()
		_, _ = conn.Write([]byte("\r"))
		tech.until("login: ")
		_, _ = conn.Write([]byte("\ranna\r"))
		tech.until("Password: ")
		_, _ = conn.Write([]byte(password + "\r"))
		tech.until("> ")
	}
	logIn()
	if status := tech.does("status"); !strings.Contains(status, "https://") || !strings.Contains(status, "1 idle") {
		t.Errorf("status: %s", status)
	}
	if test := tech.does("line test fxo1"); !strings.Contains(test, "dial tone stopped at a digit") {
		t.Errorf("line test: %s", test)
	}
	tech.does("hook fxo1 off")
	if closed, err := m.Closed(relay); err != nil || !closed {
		t.Errorf("hook off: relay closed %v, %v", closed, err)
	}
	tech.does("hook fxo1 on")
	if closed, err := m.Closed(relay); err != nil || closed {
		t.Errorf("hook on: relay closed %v, %v", closed, err)
	}
	if _, err := conn.Write([]byte("at fxo1\r")); err != nil {
		t.Fatal(err)
	}
	tech.until("You speak with the modem")
	_, _ = conn.Write([]byte("ATI3\r"))
	tech.until("simulated V.253 modem")
	_, _ = conn.Write([]byte("\x1d"))
	tech.until("OK\r\n")
	for !strings.Contains(tech.does("lines"), "idle") { // the modem is set up anew
	}
	if _, err := conn.Write([]byte("dial 5550106\r")); err != nil {
		t.Fatal(err)
	}
	tech.until("Connected")
	tech.until("OK\r\n")

	// A configuration on trial is gone after a power cut.
	_, _ = conn.Write([]byte("config edit\r"))
	tech.until("edit> ")
	_, _ = conn.Write([]byte("+0 # by the technician\rdone\r"))
	tech.until("OK\r\n")
	tech.does("config apply")
	m.Kill()
	if text, err := emulator.ReadPerm(s.card, "hookswitch.toml"); err != nil || !strings.HasPrefix(text, "# by the technician") {
		t.Errorf("on trial: %.80q, %v", text, err)
	}
	m = s.boot(t, false)
	if conn, err = m.UART(); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tech = &terminal{t: t, conn: conn}
	logIn()
	if show := tech.does("config show"); strings.Contains(show, "by the technician") {
		t.Errorf("after a power cut: %.80s", show)
	}
	if _, err := conn.Write([]byte("factory-reset\r")); err != nil {
		t.Fatal(err)
	}
	tech.until("The board then starts as it came")
	tech.until("board's name, ")
	name := tech.until(", to go on: ")
	_, _ = conn.Write([]byte(name + "\r"))
	waitExit(t, m, time.Minute)
	m = start(t, emulator.Options{Card: s.card, Dir: s.dir})
	waitLog(t, m, "the first password has been shown", 2*time.Minute)
	m.Kill() // a card that is being written to can't be read
	if text, _ := emulator.ReadPerm(s.card, "mailbox/anna/messages/message.wav"); text != "" {
		t.Errorf("after the reset the message is still there: %.200q", text)
	}
	if shown, _ := os.ReadFile(filepath.Join(s.dir, "uart.log")); !strings.Contains(string(shown), "user admin") {
		t.Errorf("after the reset the serial port shows %.300q", shown)
	}
}
