package daemon_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"hookswitch/firmware/daemon"
	"hookswitch/firmware/mailbox"
)

const password = "correct-horse-battery"

// text is what a daemon prints.
type text struct {
	mu sync.Mutex // guards b
	b  strings.Builder
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

// annas is a daemon without a line, whose user is anna, and where it keeps its data.
func annas(t *testing.T, http, more string, opt daemon.Options) (d *daemon.Daemon, dir string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	opt.Config = filepath.Join(dir, "hookswitch.toml")
	toml := fmt.Sprintf("data = %q\n[http]\nlisten = \"127.0.0.1:0\"\n%s\n[[user]]\nname = \"anna\"\nemail = \"anna@example.test\"\npassword_hash = %q\n%s", dir, http, hash, more)
	if err := os.WriteFile(opt.Config, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err = daemon.Open(opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, dir
}

// resetPIN is what a SOAP client gets for ResetPIN.
func resetPIN(t *testing.T, d *daemon.Daemon) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+d.Addr().String()+"/EWS/UM2007Legacy.asmx", strings.NewReader(fmt.Sprintf(envelope, "<ResetPIN "+messages+"/>")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/xml")
	r.SetBasicAuth("anna", password)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// isPIN says whether digits are anna's PIN.
func isPIN(t *testing.T, dir, digits string) bool {
	t.Helper()
	s, err := mailbox.Open(filepath.Join(dir, "mailbox"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.CheckPIN("anna", digits)
}

// mailServer is Debian's aiosmtpd. What comes is a file in the folder new.
func mailServer(t *testing.T) (addr, folder string) {
	t.Helper()
	addr, folder = freeAddr(t), filepath.Join(t.TempDir(), "mail")
	cmd := exec.Command("/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", addr, "-c", "aiosmtpd.handlers.Mailbox", folder)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr, filepath.Join(folder, "new")
		}
	}
	t.Fatal("the mail server does not answer")
	return "", ""
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

func TestANewPINGoesByMail(t *testing.T) {
	addr, folder := mailServer(t)
	log := &text{}
	d, dir := annas(t, "", fmt.Sprintf("[mail]\nsmtp = %q\nfrom = \"board@example.test\"", addr), daemon.Options{
		Out: log, Show: func(said string) { t.Errorf("shown: %s", said) },
	})
	if status, answer := resetPIN(t, d); status != http.StatusOK || !strings.Contains(answer, "<ResetPINResponse") {
		t.Fatalf("%d %s", status, answer)
	}
	letters, err := os.ReadDir(folder)
	if err != nil || len(letters) != 1 {
		t.Fatalf("%d letters, %v", len(letters), err)
	}
	f, err := os.Open(filepath.Join(folder, letters[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	letter, err := mail.ReadMessage(f)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{"From": "board@example.test", "To": "anna@example.test", "Auto-Submitted": "auto-generated"} {
		if got := letter.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if letter.Header.Get("Message-Id") == "" {
		t.Error("no Message-ID")
	}
	if _, err := letter.Header.Date(); err != nil {
		t.Error(err)
	}
	body, err := io.ReadAll(letter.Body)
	pin := sixDigits.FindString(string(body))
	if err != nil || !isPIN(t, dir, pin) {
		t.Errorf("%s is not anna's PIN, %v", body, err)
	}
	if !strings.Contains(log.String(), "delivered=mail") || strings.Contains(log.String(), pin) {
		t.Errorf("the log: %s", log)
	}

	// The server is gone: the PIN that anna knows stays.
	d, dir = annas(t, "", fmt.Sprintf("[mail]\nsmtp = %q\nfrom = \"board@example.test\"", freeAddr(t)), daemon.Options{Out: log})
	if status, answer := resetPIN(t, d); status != http.StatusInternalServerError || !strings.Contains(answer, "ErrorInternalServerError") {
		t.Errorf("%d %s", status, answer)
	}
	if _, err := os.Stat(filepath.Join(dir, "mailbox", "anna", "pin.json")); err == nil {
		t.Error("a PIN that nobody knows is in force")
	}
	if !strings.Contains(log.String(), "PIN of anna not delivered") {
		t.Errorf("the log: %s", log)
	}
}

func TestANewPINIsShownOnceWhereThereIsNoMail(t *testing.T) {
	var shown []string
	log := &text{}
	d, dir := annas(t, "", "", daemon.Options{Out: log, Show: func(said string) { shown = append(shown, said) }})
	if status, answer := resetPIN(t, d); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	if len(shown) != 1 {
		t.Fatalf("shown: %q", shown)
	}
	pin := sixDigits.FindString(shown[0])
	if !strings.Contains(shown[0], "anna") || !isPIN(t, dir, pin) {
		t.Errorf("shown: %s", shown[0])
	}
	if !strings.Contains(log.String(), `delivered="shown to the technician"`) || strings.Contains(log.String(), pin) {
		t.Errorf("the log: %s", log)
	}
}
