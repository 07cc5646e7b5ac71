package statefile_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writers are the calls that write a file or change a name.
var writers = []string{
	"WriteFile", "Create", "CreateTemp", "OpenFile", "Rename", "Renameat", "Renameat2", "Link", "Symlink", "Truncate",
	"NewPendingFile", "TempFile",
}

// others are the files that write otherwise than by this package, and why they may.
var others = map[string]string{
	"firmware/appliance/clock.go":    "the status of the time is in memory (/run)",
	"firmware/appliance/grow.go":     "the partition table: one sector, which changes whole or not at all",
	"firmware/appliance/mount.go":    "the kernel's log",
	"firmware/appliance/network.go":  "resolv.conf is in memory (/run)",
	"firmware/appliance/random.go":   "the kernel's random numbers",
	"firmware/appliance/reset.go":    "the spare configuration, outside every file system, is wiped",
	"firmware/appliance/serial.go":   "links of devices, made anew at each start",
	"firmware/appliance/spare.go":    "the spare configuration, outside every file system, has its own checksum",
	"firmware/appliance/watchdog.go": "a device",
	"firmware/call/history.go":       "the call log grows at its end, and each line has to stand for itself",
	"firmware/call/readlog.go":       "a damaged call log gets a second name",
	"firmware/console/commands.go":   "a new file of the technician's, with sync",
	"firmware/daemon/lock.go":        "the pid in a lock is of no use after a restart",
	"firmware/health/health.go":      "what init finds is in memory (/run)",
	"firmware/mailbox/folder.go":     "opens for reading; messages are moved, as they are, and their directories synced",
	"firmware/mailbox/state.go":      "opens for reading",
	"firmware/update/card.go":        "the other slot, which nothing starts from until it is verified, and one sector of autoboot.txt",
	"firmware/update/source.go":      "a download, removed before it is used",
	"hal/guard/serve.go":             "the kernel's settings of a process",
	"hal/rpi/file.go":                "a device",
	"hal/sim/hookfile.go":            "the simulated network",
	"hal/sim/pty.go":                 "the simulated network",
	"hal/sim/wav.go":                 "the simulated network",
}

// Nothing that the board needs again after a power cut is written by anything but this
// package. Who writes otherwise is on the list above, with the reason.
func TestNobodyElseWritesState(t *testing.T) {
	top := "../.."
	used := map[string]bool{}
	for _, dir := range []string{"firmware", "hal", "soap", "board"} {
		err := filepath.WalkDir(filepath.Join(top, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, _ := filepath.Rel(top, path)
			if filepath.Dir(name) == "firmware/statefile" {
				return nil
			}
			for _, call := range writesIn(t, path) {
				if used[name] = true; others[name] == "" {
					t.Errorf("%s: use statefile, or say in this test why not", call)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range others {
		if _, err := os.Stat(filepath.Join(top, name)); err == nil && !used[name] {
			t.Errorf("%s writes nothing: take it from the list", name)
		}
	}
}

// writesIn are the places in a Go file that write files.
func writesIn(t *testing.T, path string) (list []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains(writers, f.Sel.Name) {
			return true
		}
		if of, ok := f.X.(*ast.Ident); !ok || of.Name != "statefile" {
			list = append(list, set.Position(call.Pos()).String())
		}
		return true
	})
	return list
}
