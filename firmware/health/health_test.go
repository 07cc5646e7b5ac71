package health_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hookswitch/firmware/health"
)

func TestWhatIsAddedIsListedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run", "faults")
	for _, text := range []string{"no clock", "two\nlines", "no clock"} {
		if err := health.Add(file, text); err != nil {
			t.Fatal(err)
		}
	}
	got := health.List(file, t.TempDir())
	if want := []string{"no clock", "two; lines"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAListOfWhatSomebodyElseWroteHasLimits(t *testing.T) {
	tests := []struct {
		name, text string
		want       int // faults
	}{
		{"no file", "", 0},
		{"empty lines", "\n\n \n", 0},
		{"a line without an end", "damp", 1},
		{"too many", numbered(100), 20},
		{"one that never ends", strings.Repeat("y", 1<<20), 1},
		{"control characters", "\x1b[2Jgone\x00\xff\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "faults")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got := health.List(file, t.TempDir())
			if len(got) != tt.want {
				t.Errorf("%d faults, want %d: %.200q", len(got), tt.want, got)
			}
			for _, f := range got {
				if len(f) > 500 || strings.ContainsAny(f, "\x00\x1b\n") {
					t.Errorf("got %.80q", f)
				}
			}
		})
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("n", i+1) + "\n")
	}
	return b.String()
}

func TestADataDirectoryThatCannotBeUsedIsAFault(t *testing.T) {
	tests := []struct {
		name, data, want string
	}{
		{"one that is not there", filepath.Join(t.TempDir(), "nowhere"), "no such file"},
		{"one with no room", "/proc", "/proc is full"}, // a file system without blocks
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := health.List(filepath.Join(t.TempDir(), "faults"), tt.data)
			if len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte("no clock\nfull\n"))
	f.Add([]byte("\x00\xff\n\n\u2028"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "faults")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		list := health.List(file, t.TempDir())
		for _, line := range list {
			if line == "" || strings.ContainsAny(line, "\r\n\x1b\x00") {
				t.Errorf("a fault is %q", line)
			}
		}
		if len(list) > 20 {
			t.Errorf("%d faults", len(list))
		}
	})
}
