//go:build e2e

// Package acceptance proves the image on the emulated board. scripts/test-image builds
// what it needs and runs it; the environment variable IMAGES is where.
package acceptance

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/scripts/appliance/emulator"
)

var full = flag.Bool("full", false, "all power cuts, and updates over the LAN")

// image is the path of one of the images that scripts/test-image builds: its version is
// its name.
func image(name string) string {
	return filepath.Join(os.Getenv("IMAGES"), name, "hookswitch-rpi-arm64.img")
}

// newCard copies an image to a card of this test's own.
func newCard(t *testing.T, name string) (card, dir string) {
	t.Helper()
	dir = t.TempDir()
	card = filepath.Join(dir, "card.img")
	if err := emulator.CopyCard(card, image(name)); err != nil {
		t.Fatal(err)
	}
	return card, dir
}

// client keeps its connections, as clients do. The certificate is not checked: the board
// has made it a minute ago.
var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, IdleConnTimeout: 20 * time.Second},
}

// knocker is for a board that is just starting: QEMU forwards before the board listens.
var knocker = &http.Client{
	Timeout:   time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
}

// freePort is a port of 127.0.0.1 that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start puts the power on; the test's end cuts it.
func start(t *testing.T, opt emulator.Options) *emulator.Machine {
	t.Helper()
	if opt.Forward == nil {
		opt.Forward = map[int]int{443: freePort(t), 8080: freePort(t)}
	}
	m, err := emulator.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Kill()
		if t.Failed() {
			t.Logf("end of the kernel log:\n%s\nQEMU: %s", tail(m.KernelLog(), 40), m.Complaints())
		}
	})
	return m
}

func tail(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(context.Background(), d, fmt.Errorf("not within %v", d))
	t.Cleanup(cancel)
	return ctx
}

// firstAnswer waits for an HTTP answer, whatever it says, and returns how long after
// power-on it came.
func firstAnswer(t *testing.T, m *emulator.Machine, url string) time.Duration {
	t.Helper()
	for ctx := within(t, 2*time.Minute); ctx.Err() == nil; {
		r, err := knocker.Get(url)
		if err == nil {
			_ = r.Body.Close()
			return time.Since(m.Started)
		}
		select {
		case <-m.Exited():
			t.Fatal("the machine has stopped")
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("no answer from %s", url)
	return 0
}

func hello(m *emulator.Machine) string { return "http://" + m.Addr(8080) + "/" }

func waitExit(t *testing.T, m *emulator.Machine, limit time.Duration) {
	t.Helper()
	select {
	case <-m.Exited():
	case <-time.After(limit):
		t.Fatalf("still running after %v", limit)
	}
}

func waitLog(t *testing.T, m *emulator.Machine, text string, limit time.Duration) {
	t.Helper()
	if err := m.WaitLog(within(t, limit), text); err != nil {
		t.Fatal(err)
	}
}

// The tests in this file need no daemon: they are of init and of the card.

func TestABoardSurvivesAPowerCutAtAnyMoment(t *testing.T) {
	card, dir := newCard(t, "hello")
	for i := range 3 {
		m := start(t, emulator.Options{Card: card, Dir: dir})
		d := time.Duration(rand.Int64N(int64(6 * time.Second)))
		select {
		case <-m.Exited():
			t.Fatalf("start %d: stopped by itself", i)
		case <-time.After(d):
		}
		m.Kill()
		t.Logf("power cut %v after power-on", d.Round(time.Millisecond))
	}
	m := start(t, emulator.Options{Card: card, Dir: dir})
	t.Logf("answers after %v", firstAnswer(t, m, hello(m)))
	m.Kill()
	if err := emulator.CheckPerm(card); err != nil {
		t.Error(err)
	}
}

func TestABrokenUpdateRollsBackByItself(t *testing.T) {
	card, dir := newCard(t, "hello")
	old := filepath.Join(dir, "old.toml")
	if err := os.WriteFile(old, []byte("# from before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := emulator.WritePerm(card, map[string]string{"hookswitch.toml.before-update": old}); err != nil {
		t.Fatal(err)
	}
	if err := emulator.Stage(card, image("broken"), "broken", dir); err != nil {
		t.Fatal(err)
	}
	m := start(t, emulator.Options{Card: card, Dir: dir, Try: true})
	if m.Slot != 3 {
		t.Fatalf("the trial started partition %d", m.Slot)
	}
	waitLog(t, m, "version broken is on trial", time.Minute)
	waitExit(t, m, 3*time.Minute)
	t.Logf("gave up after %v", time.Since(m.Started).Round(time.Second))
	if m.Trying() {
		t.Error("asked for another trial")
	}
	m = start(t, emulator.Options{Card: card, Dir: dir})
	if m.Slot != 2 {
		t.Fatalf("then partition %d", m.Slot)
	}
	firstAnswer(t, m, hello(m))
	waitLog(t, m, "update to broken did not prove itself", 10*time.Second)
	m.Kill()
	if text, _ := emulator.ReadPerm(card, "hookswitch.toml"); text != "# from before\n" {
		t.Errorf("the configuration is %q", text)
	}
}

func TestAPowerCutDuringTheTrialEndsInTheOldVersion(t *testing.T) {
	card, dir := newCard(t, "hello")
	if err := emulator.Stage(card, image("broken"), "broken", dir); err != nil {
		t.Fatal(err)
	}
	m := start(t, emulator.Options{Card: card, Dir: dir, Try: true})
	waitLog(t, m, "version broken is on trial", time.Minute)
	m.Kill()
	m = start(t, emulator.Options{Card: card, Dir: dir})
	firstAnswer(t, m, hello(m))
	if m.Slot != 2 {
		t.Errorf("partition %d", m.Slot)
	}
}

func TestABoardWithoutItsDataPartitionStillRuns(t *testing.T) {
	card, dir := newCard(t, "hello")
	wipePerm(t, card)
	m := start(t, emulator.Options{Card: card, Dir: dir})
	firstAnswer(t, m, hello(m))
	waitLog(t, m, "nothing that is stored now survives a restart", 5*time.Second)
}
