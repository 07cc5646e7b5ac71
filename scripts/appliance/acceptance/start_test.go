//go:build e2e

package acceptance

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hookswitch/scripts/appliance/emulator"
)

// TestTheFirstStart has a card as the image is: the password is shown on the serial port,
// once, and lets its reader in.
func TestTheFirstStart(t *testing.T) {
	card, dir := newCard(t, "v1")
	m := start(t, emulator.Options{Card: card, Dir: dir})
	waitLog(t, m, "the first password has been shown on /dev/ttyAMA0", 2*time.Minute)
	shown, err := os.ReadFile(filepath.Join(dir, "uart.log"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`user (\w+)\r\npassword (\S+)\r\naddress 10\.0\.2\.15, (\S+)\.local\r\nTLS certificate SHA-256 (\S+)\r\n`).FindSubmatch(shown)
	if found == nil {
		t.Fatalf("shown was %q", shown)
	}
	r, err := http.NewRequest(http.MethodGet, "https://"+m.Addr(443)+"/api/lines", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		password string
		want     int
	}{"the password shown": {string(found[2]), 200}, "another": {"hookswitch", 401}} {
		r.SetBasicAuth(string(found[1]), tt.password)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != tt.want {
			t.Errorf("with %s: %s", name, answer.Status)
		}
	}
	time.Sleep(2 * time.Second) // it is removed after it has been shown
	m.Kill()
	m = start(t, emulator.Options{Card: card, Dir: dir})
	firstAnswer(t, m, soapURL(m))
	time.Sleep(3 * time.Second) // nothing tells that nothing will come
	if again, _ := os.ReadFile(filepath.Join(dir, "uart.log")); strings.Contains(string(again), "password") {
		t.Error("it is shown a second time")
	}
}
