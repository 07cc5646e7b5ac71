package sim_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/sim"
)

var personalities = map[string]sim.Personality{
	"V253": sim.V253, "Conexant": sim.Conexant, "USRobotics": sim.USRobotics, "Rockwell": sim.Rockwell,
	"SIM7600": sim.SIM7600, "Quectel": sim.Quectel, "Huawei": sim.Huawei, "SIM800": sim.SIM800,
}

// TestDialogues plays the host's side of each transcript and wants the modem's, to the byte;
// "@s" is how long the next line may take.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogue/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playDialogue(t, file) })
		})
	}
}

func playDialogue(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := sim.New(sim.Options{})
	t.Cleanup(func() { _ = x.Close() })
	var h *host
	wait := time.Duration(0)
	for n, lines := 1, bufio.NewScanner(f); lines.Scan(); n++ {
		mark, text, _ := strings.Cut(lines.Text(), " ")
		switch {
		case mark == "#":
			if name, is := strings.CutPrefix(text, "modem: "); is {
				h = open(t, x.Add("line", personalities[name]))
			}
		case mark == ">":
			if got := h.during(wait); wait > 0 && got != "" {
				t.Fatalf("%s:%d: before %s: got %q", file, n, text, got)
			}
			h.send(unescape(t, text))
			wait = 0
		case mark == "<":
			want := unescape(t, text)
			if got := h.until(want, wait+100*time.Millisecond); got != want {
				t.Fatalf("%s:%d: got %q, want %q", file, n, got, want)
			}
			wait = 0
		case strings.HasPrefix(mark, "@"):
			s, err := strconv.ParseFloat(mark[1:], 64)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, n, err)
			}
			wait = time.Duration(s * float64(time.Second))
		}
	}
	if got := h.during(100 * time.Millisecond); got != "" {
		t.Errorf("%s: at the end: got %q", file, got)
	}
}

// unescape turns \r, \x10 and the like into what they stand for.
func unescape(t *testing.T, s string) string {
	t.Helper()
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return u
}
