package statefile_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/statefile"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// A power cut can come between any two steps. What it leaves is what the steps before it have
// done to the name, so the rename has to be the only one that touches it, and the new content
// has to be on the disk by then, which renameio sees to.
func TestTheRenameIsAllThatHappensToTheName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.json")
	write(t, path, "old", 0o600)
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK)
	if err != nil {
		t.Skip(err)
	}
	defer unix.Close(watch)
	if _, err := unix.InotifyAddWatch(watch, dir, unix.IN_ALL_EVENTS); err != nil {
		t.Skip(err)
	}
	if err := statefile.Replace(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, err := unix.Read(watch, buf)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		mask := uint32(b[4]) | uint32(b[5])<<8 | uint32(b[6])<<16 | uint32(b[7])<<24
		size := int(b[12]) | int(b[13])<<8
		name := strings.TrimRight(string(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+size]), "\x00")
		if name == "state.json" {
			seen = append(seen, fmt.Sprintf("%#x", mask))
		}
		b = b[unix.SizeofInotifyEvent+size:]
	}
	if want := []string{fmt.Sprintf("%#x", unix.IN_MOVED_TO)}; !slices.Equal(seen, want) {
		t.Errorf("events of the name %v, want only the rename %v", seen, want)
	}
	if got := read(t, path); got != "new" {
		t.Errorf("got %q", got)
	}
}

func TestAWriterThatFailsHalfWayLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	write(t, filepath.Join(dir, "state.json"), "old", 0o640)
	full := errors.New("no space left")
	err = statefile.ReplaceIn(root, "state.json", 0o600, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of the n"); err != nil {
			t.Error(err)
		}
		if got := read(t, filepath.Join(dir, "state.json")); got != "old" {
			t.Errorf("while the new one is written: %q", got)
		}
		for _, name := range names(t, dir) {
			if of, ok := statefile.Unfinished(name); name != "state.json" && (!ok || of != "state.json") {
				t.Errorf("a temporary name that is not told as one: %s", name)
			}
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"state.json"}) {
		t.Errorf("left: %v", got)
	}
	if got := read(t, filepath.Join(dir, "state.json")); got != "old" {
		t.Errorf("got %q", got)
	}
}

func TestPermissionsOfAFileStay(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "old"), "", 0o640)
	for name, want := range map[string]fs.FileMode{"old": 0o640, "new": 0o600} {
		path := filepath.Join(dir, name)
		if err := statefile.Replace(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestDamagedFilesAreSetAsideWithoutLosingEarlierOnes(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for n := 1; n <= 12; n++ {
		write(t, filepath.Join(dir, "pin.json"), fmt.Sprint(n), 0o600)
		want := fmt.Sprintf("pin.json.damaged-%d", min(n, 9))
		if got, err := statefile.SetAside(root, "pin.json"); err != nil || got != want {
			t.Errorf("%d: %s, %v; want %s", n, got, err, want)
		}
		if got := read(t, filepath.Join(dir, want)); got != fmt.Sprint(n) {
			t.Errorf("%s holds %q", want, got)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "pin.json", "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := statefile.SetAside(root, "pin.json"); err != nil {
		t.Errorf("a directory in a file's place: %v", err)
	}
	if _, err := statefile.SetAside(root, "pin.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing to set aside: %v", err)
	}
}

func TestOnlyTemporaryNamesAreUnfinished(t *testing.T) {
	for name, want := range map[string]string{
		".settings.json8123": "settings.json", ".x1": "x", "settings.json": "", ".profile": "", "x12": "", ".12": "1",
	} {
		if got, ok := statefile.Unfinished(name); got != want || ok != (want != "") {
			t.Errorf("%s is unfinished of %q, %v; want %q", name, got, ok, want)
		}
	}
}

func TestMovedAndRemovedFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "a", 0o600)
	write(t, b, "b", 0o600)
	if err := statefile.Rename(a, b); err != nil || read(t, b) != "a" {
		t.Errorf("rename: %v", err)
	}
	for range 2 {
		if err := statefile.Remove(b); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	if err := statefile.Rename(a, b); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("rename of nothing: %v", err)
	}
}
