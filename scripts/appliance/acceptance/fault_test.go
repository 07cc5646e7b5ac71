//go:build e2e

package acceptance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hookswitch/scripts/appliance/emulator"
)

// The tests in this file are of boards that have a fault that a person must put right:
// they make calls all the same, and say on every surface what is wrong.

func TestABadConfigurationIsNotTheEnd(t *testing.T) {
	s := newSite(t, "v1", 1)
	s.bootAndKeep(t)
	bad := filepath.Join(s.dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("[[line]]\nname = 17\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := emulator.WritePerm(s.card, map[string]string{"hookswitch.toml": bad}); err != nil {
		t.Fatal(err)
	}
	m := s.boot(t, false)
	s.calls(t, m, playSoon)
	saysEverywhere(t, m, "the last good configuration is used")
	m.Kill()
	if text, _ := emulator.ReadPerm(s.card, "hookswitch.toml.bad"); text != "[[line]]\nname = 17\n" {
		t.Errorf("set aside is %q", text)
	}
	m = s.boot(t, false) // nobody has mended it
	s.calls(t, m, playSoon)
	saysEverywhere(t, m, "the last good configuration is used")
}

// TestABadConfigurationWithoutAGoodOneCanBeMended has nothing to fall back on: the board
// serves without lines, and tells a password to log in with on the serial port.
func TestABadConfigurationWithoutAGoodOneCanBeMended(t *testing.T) {
	card, dir := newCard(t, "v1")
	bad := filepath.Join(dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("[[line]]\nname = 17\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := emulator.WritePerm(card, map[string]string{"hookswitch.toml": bad}); err != nil {
		t.Fatal(err)
	}
	m := start(t, emulator.Options{Card: card, Dir: dir})
	waitLog(t, m, "the first password has been shown", 2*time.Minute)
	firstAnswer(t, m, soapURL(m))
	shown, err := os.ReadFile(filepath.Join(dir, "uart.log"))
	if err != nil {
		t.Fatal(err)
	}
	secret := regexp.MustCompile(`user admin\r\npassword (\S+)\r\n`).FindSubmatch(shown)
	if secret == nil {
		t.Fatalf("shown was %q", shown)
	}
	if list := pageOf(t, m, "admin", string(secret[1]), "/api/faults"); !bytes.Contains(list, []byte("there is no good configuration")) {
		t.Errorf("the interface says %s", list)
	}
}

func TestAFullCardStillMakesCalls(t *testing.T) {
	s := newSite(t, "v1", 1)
	fill := filepath.Join(s.dir, "fill")
	// More than there is room for: debugfs writes what fits.
	if err := os.WriteFile(fill, bytes.Repeat([]byte("full"), 60<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := emulator.WritePerm(s.card, map[string]string{"fill": fill}); err != nil {
		t.Fatal(err)
	}
	m := s.boot(t, false)
	s.calls(t, m, playSoon)
	saysEverywhere(t, m, "/perm is full")
}

func TestAReadOnlyCardStillMakesCalls(t *testing.T) {
	s := newSite(t, "v1", 1)
	if err := emulator.MakePermReadOnly(s.card); err != nil {
		t.Fatal(err)
	}
	m := s.boot(t, false)
	s.calls(t, m, playSoon)
	saysEverywhere(t, m, "mounted read-only, nothing can be stored")
	saysEverywhere(t, m, "/perm can't be written to")
}

// TestALostDataPartitionStillMakesCalls loses the messages with it, so that the call is of
// a greeting.
func TestALostDataPartitionStillMakesCalls(t *testing.T) {
	s := newSite(t, "v1", 1)
	s.bootAndKeep(t)
	wipePerm(t, s.card)
	m := s.boot(t, false)
	s.calls(t, m, greetSoon)
	saysEverywhere(t, m, "nothing that is stored now survives a restart")
}

// bootAndKeep starts the board, waits until init has kept the configuration as a good one,
// and cuts the power.
func (s *site) bootAndKeep(t *testing.T) {
	t.Helper()
	m := s.boot(t, false)
	waitLog(t, m, "this configuration is a good one", 30*time.Second)
	m.Kill()
}

// calls makes a call and hangs it up.
func (s *site) calls(t *testing.T, m *emulator.Machine, soon func(*testing.T, *emulator.Machine, string) string) {
	t.Helper()
	call := soon(t, m, "5550100")
	waitState(t, m, call, "Connected", time.Minute)
	disconnect(t, m, call)
	waitRelay(t, m, false, time.Second)
}

// wipePerm destroys the data partition's file system.
func wipePerm(t *testing.T, card string) {
	t.Helper()
	f, err := os.OpenFile(card, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 1<<20), 276<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

var certificateSum = regexp.MustCompile(`msg=certificate sha256=(\S+)`)

// saysEverywhere looks for a fault where a person may look.
func saysEverywhere(t *testing.T, m *emulator.Machine, fault string) {
	t.Helper()
	log := m.KernelLog()
	logged := regexp.MustCompile(`msg=board fault=.*` + regexp.QuoteMeta(fault))
	if !logged.MatchString(log) {
		t.Errorf("the log does not say %q", fault)
	}
	var list []string
	if err := json.Unmarshal(page(t, m, "/api/faults"), &list); err != nil || !strings.Contains(strings.Join(list, "\n"), fault) {
		t.Errorf("the interface does not say %q, but %q, %v", fault, list, err)
	}
	if html := page(t, m, "/"); !bytes.Contains(html, []byte(strings.ReplaceAll(fault, "'", "&#39;"))) {
		t.Errorf("the page does not say %q:\n%s", fault, html)
	}
	sum := certificateSum.FindStringSubmatch(log)
	if sum == nil {
		t.Fatal("the log does not say which certificate")
	}
	cmd := exec.Command(hookswitch(), "lines", "--server", "https://"+m.Addr(443), "--user", "anna", "--fingerprint", sum[1])
	cmd.Env = append(os.Environ(), "HOOKSWITCH_PASSWORD="+password)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), fault) {
		t.Errorf("hookswitch lines does not say %q, but %v:\n%s", fault, err, out)
	}
}

// page is what the board has at a path, for anna.
func page(t *testing.T, m *emulator.Machine, path string) []byte {
	t.Helper()
	return pageOf(t, m, "anna", password, path)
}

func pageOf(t *testing.T, m *emulator.Machine, user, password, path string) []byte {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "https://"+m.Addr(443)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
	return b
}
