//go:build e2e

package acceptance

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/update"
	"hookswitch/scripts/appliance/emulator"
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

// TestABadUpdateIsRefused sends over the LAN what must not be installed, and compares the
// card with what it was: package update's own tests have many more of them.
func TestABadUpdateIsRefused(t *testing.T) {
	s := newSite(t, "v1", 1)
	m := s.boot(t, false)
	before := s.software(t)
	good, err := os.ReadFile(archiveOf("v2"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := os.ReadFile(filepath.Join(os.Getenv("IMAGES"), "key"))
	if err != nil {
		t.Fatal(err)
	}
	owner := make([]byte, ed25519.SeedSize)
	if _, err := base64.StdEncoding.Decode(owner, bytes.TrimSpace(seed)); err != nil {
		t.Fatal(err)
	}
	thief := make([]byte, ed25519.SeedSize)
	newer := time.Now().Add(time.Hour).Unix()
	for _, tt := range []struct {
		name, archive, want string
	}{
		{"truncated", string(good[:1<<20]), "damaged"},
		{"no archive", "GIF89a", "damaged"},
		{"tampered", strings.Replace(string(good[:1<<20]), `"version":"v2"`, `"version":"v9"`, 1), "not signed"},
		{"signed by another", archive(t, update.Release{Board: update.Board, Version: "v3", Built: newer}, thief), "not signed"},
		{"for another board", archive(t, update.Release{Board: "toaster", Version: "v3", Built: newer}, owner), "board"},
		{"older", archive(t, update.Release{Board: update.Board, Version: "v0", Built: 1}, owner), "older"},
	} {
		last, err := put(m, strings.NewReader(tt.archive), int64(len(tt.archive)), func(string) {})
		if err != nil || !strings.HasPrefix(last, "ERROR") || !strings.Contains(last, tt.want) {
			t.Errorf("%s: got %q, %v", tt.name, last, err)
		}
		t.Logf("%s: %s", tt.name, last)
	}
	m.Kill()
	if s.software(t) != before {
		t.Error("something has been written")
	}
}

// archive is a signed archive of a slot with nothing in it.
func archive(t *testing.T, r update.Release, seed []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := update.WriteArchive(&b, r, make([]byte, 1<<20), ed25519.NewKeyFromSeed(seed)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// software is a checksum of the card's first three partitions.
func (s *site) software(t *testing.T) [sha256.Size]byte {
	t.Helper()
	f, err := os.Open(s.card)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 4<<20, 272<<20)); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// TestAnUpdateOverTheLAN gives v1 the update to v2, in the full form after the power was
// cut while it was being received and while it was being written, and sees it tried,
// confirmed, and kept; then an update that is broken, and v2 again.
func TestAnUpdateOverTheLAN(t *testing.T) {
	s := newSite(t, "v1", 1)
	if *full {
		m := s.boot(t, false)
		cut := time.AfterFunc(time.Duration(rand.Int64N(int64(90*time.Second))), m.Kill)
		t.Logf("cut while receiving: %v", s.send(t, m, 0))
		cut.Stop()
		m.Kill()
		for range 2 {
			m := s.boot(t, false)
			if m.Slot != 2 {
				t.Fatalf("partition %d starts after the power cut", m.Slot)
			}
			t.Logf("cut while writing: %v", s.send(t, m, 51+rand.IntN(45)))
			m.Kill()
			if err := emulator.CheckSelect(s.card); err != nil {
				t.Error(err)
			}
		}
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
