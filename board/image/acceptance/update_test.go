//go:build e2e

package acceptance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/board/image/emulator"
)

func archiveOf(version string) string {
	return filepath.Join(os.Getenv("IMAGES"), version, "hookswitch-rpi-arm64.update")
}

// put sends an update to the board over its LAN, as `hookswitch update` does, and calls
// progress with each line of the answer. It returns the last one.
func put(m *emulator.Machine, archive io.Reader, size int64, progress func(line string)) (string, error) {
	r, err := http.NewRequest(http.MethodPut, "https://"+m.Addr(443)+"/api/update", archive)
	if err != nil {
		return "", err
	}
	r.ContentLength = size
	r.SetBasicAuth("anna", password)
	slow := *client
	slow.Timeout = 15 * time.Minute // the emulated Ethernet carries 0.1 MB/s
	answer, err := slow.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	last := ""
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		last = lines.Text()
		progress(last)
	}
	return last, lines.Err()
}

func TestABadUpdateIsRefused(t *testing.T) {
	s := newSite(t, "v1", 1)
	m := s.boot(t, false)
	good, err := os.ReadFile(archiveOf("v2"))
	if err != nil {
		t.Fatal(err)
	}
	head := good[:1<<20]
	for name, tt := range map[string]struct {
		archive string
		want    string
	}{
		"truncated":  {string(head), "damaged"},
		"no archive": {"GIF89a", "damaged"},
		"tampered":   {strings.Replace(string(head), `"version":"v2"`, `"version":"v9"`, 1), "not signed"},
	} {
		last, err := put(m, strings.NewReader(tt.archive), int64(len(tt.archive)), func(string) {})
		if err != nil || !strings.HasPrefix(last, "ERROR") || !strings.Contains(last, tt.want) {
			t.Errorf("%s: got %q, %v", name, last, err)
		}
	}
}

// TestAnUpdateOverTheLAN gives v1 the update to v2, with the power cut while it is being
// written in the full form, and sees it tried, confirmed, and kept; then an update that is
// broken, and v2 again.
func TestAnUpdateOverTheLAN(t *testing.T) {
	s := newSite(t, "v1", 1)
	if *full {
		m := s.boot(t, false)
		if err := s.send(t, m, 60); err != nil {
			t.Logf("as expected: %v", err)
		}
		m.Kill()
	}
	m := s.boot(t, false)
	if m.Slot != 2 {
		t.Fatalf("partition %d starts after the power cut", m.Slot)
	}
	began := time.Now()
	if err := s.send(t, m, 0); err != nil {
		t.Fatal(err)
	}
	t.Logf("sent, verified and written in %v", time.Since(began).Round(time.Second))
	waitExit(t, m, time.Minute)
	if !m.Trying() {
		t.Fatalf("the board restarts, but not to try the update:\n%s", tail(m.KernelLog(), 20))
	}
	s.confirm(t, 3)
	s.rollBack(t, 3)
}

// send sends v2 and cuts the power at that per cent, if it is not 0.
func (s *site) send(t *testing.T, m *emulator.Machine, cutAt int) error {
	t.Helper()
	f, err := os.Open(archiveOf("v2"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	last, err := put(m, f, info.Size(), func(line string) {
		var percent int
		if n, _ := fmt.Sscanf(line, "%d %%", &percent); n == 1 && cutAt > 0 && percent >= cutAt {
			t.Logf("power cut at %d %%", percent)
			m.Kill()
		}
	})
	if err == nil && !strings.HasPrefix(last, "OK") {
		err = errors.New(last)
	}
	return err
}

// confirm starts the trial of v2 in that slot and sees that it becomes the default.
func (s *site) confirm(t *testing.T, slot int) {
	t.Helper()
	m := s.boot(t, true)
	if m.Slot != slot {
		t.Fatalf("the trial starts partition %d", m.Slot)
	}
	waitLog(t, m, "version v2 is on trial", 10*time.Second)
	waitLog(t, m, "update confirmed", 2*time.Minute)
	m.Kill()
	if err := emulator.CheckSelect(s.card); err != nil {
		t.Error(err)
	}
	m = s.boot(t, false)
	if m.Slot != slot {
		t.Fatalf("after confirmation partition %d starts", m.Slot)
	}
	m.Kill()
	if text, _ := emulator.ReadPerm(s.card, "update.json"); !strings.Contains(text, `"confirmed"`) {
		t.Errorf("update.json: %s", text)
	}
}

// rollBack puts a broken version into the other slot, and sees it tried and given up.
func (s *site) rollBack(t *testing.T, slot int) {
	t.Helper()
	if err := emulator.Stage(s.card, image("broken"), "broken", s.dir); err != nil {
		t.Fatal(err)
	}
	m := start(t, emulator.Options{Card: s.card, Dir: s.dir, Try: true})
	if m.Slot == slot {
		t.Fatal("the trial starts the default slot")
	}
	waitExit(t, m, 3*time.Minute)
	m = s.boot(t, false)
	if m.Slot != slot {
		t.Fatalf("after the broken version partition %d starts", m.Slot)
	}
	call := playSoon(t, m, "5550100")
	waitState(t, m, call, "Connected", time.Minute)
	disconnect(t, m, call)
}

// TestAnUpdateIsConfirmedOnlyWithItsLines tries v2 on a board whose modem is missing: it
// must not be kept, although it serves.
func TestAnUpdateIsConfirmedOnlyWithItsLines(t *testing.T) {
	if !*full {
		t.Skip("takes three minutes: with --full")
	}
	s := newSite(t, "v1", 1)
	if err := emulator.Stage(s.card, image("v2"), "v2", s.dir); err != nil {
		t.Fatal(err)
	}
	m := start(t, emulator.Options{Card: s.card, Dir: s.dir, Try: true})
	waitExit(t, m, 4*time.Minute)
	m = s.boot(t, false)
	if m.Slot != 2 {
		t.Errorf("partition %d starts", m.Slot)
	}
}

func TestAStagedUpdateIsConfirmed(t *testing.T) {
	s := newSite(t, "v1", 1)
	if err := emulator.Stage(s.card, image("v2"), "v2", s.dir); err != nil {
		t.Fatal(err)
	}
	s.confirm(t, 3)
}
