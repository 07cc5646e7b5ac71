package daemon_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

type goPackage struct {
	ImportPath string
	Standard   bool
	Doc        string
	Deps       []string
	Imports    []string
}

// goList runs go list over the module.
func goList(t *testing.T, args ...string) []goPackage {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// names are what a configuration is written with: data, and the rules that need nothing else.
var names = []string{
	"hookswitch/board", "hookswitch/firmware/dialing", "hookswitch/firmware/keypad",
	"hookswitch/firmware/username", "hookswitch/hal/modem/dialect",
}

// knows is who may import whom: for each package the only ones outside the standard library
// that it and what it imports may know; a name with / at its end is everything below. What
// is not here may know everybody.
var knows = map[string][]string{
	"hookswitch/hal":               {},
	"hookswitch/hal/at":            {},
	"hookswitch/hal/guard":         {"hookswitch/hal", "golang.org/x/sys/"},
	"hookswitch/hal/hook":          {"hookswitch/hal"},
	"hookswitch/hal/coding":        {},
	"hookswitch/hal/modem":         {"hookswitch/hal", "hookswitch/hal/coding", "hookswitch/hal/at", "hookswitch/hal/modem/dialect"},
	"hookswitch/hal/modem/dialect": {},
	"hookswitch/hal/rpi":           {"hookswitch/hal", "periph.io/", "github.com/tarm/serial", "golang.org/x/sys/"},
	"hookswitch/board":             {"github.com/pelletier/go-toml/"},
	"hookswitch/soap":              {"hookswitch/soap/"},
	"hookswitch/firmware/config":   slices.Concat(names, []string{"hookswitch/firmware/statefile", "github.com/", "golang.org/x/crypto/"}),
	// The first process of the card: no codec, no modem driver, no call.
	"hookswitch/firmware/appliance": slices.Concat(names, []string{"hookswitch/firmware/config", "hookswitch/firmware/health",
		"hookswitch/firmware/statefile", "hookswitch/firmware/update", "hookswitch/hal", "hookswitch/hal/guard",
		"github.com/", "golang.org/x/"}),
	"hookswitch/firmware/dialing":  {},
	"hookswitch/firmware/keypad":   {},
	"hookswitch/firmware/sentence": {},
	"hookswitch/firmware/username": {},
	"hookswitch/firmware/audio":    {"hookswitch/hal/coding", "github.com/", "hookswitch/firmware/audio/", "golang.org/x/sys/"}, // limits of the ffmpeg child
	"hookswitch/firmware/mailbox":  {"hookswitch/hal/coding", "hookswitch/firmware/audio", "hookswitch/firmware/audio/", "hookswitch/firmware/sentence", "hookswitch/firmware/username", "hookswitch/firmware/statefile", "github.com/", "golang.org/x/crypto/", "golang.org/x/sys/"},
}

// forbidden are edges that no chain of imports may make.
var forbidden = map[string][]string{
	"hookswitch/firmware/call": {"hookswitch/soap", "hookswitch/hal/sim", "hookswitch/hal/rpi", "hookswitch/firmware/mailbox", "hookswitch/firmware/config"},
	"hookswitch/hal/sim":       {"hookswitch/hal/modem", "hookswitch/hal/at", "hookswitch/soap", "hookswitch/firmware/"},
	"hookswitch/firmware/web":  {"hookswitch/hal/sim", "hookswitch/hal/rpi"},
}

func TestPackagesKnowOnlyWhomTheyMay(t *testing.T) {
	list := goList(t, "-deps", "hookswitch/...")
	standard := map[string]bool{}
	for _, p := range list {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range list {
		allowed, ruled := knows[p.ImportPath]
		for _, dep := range p.Deps {
			if ruled && !standard[dep] && !slices.ContainsFunc(allowed, func(a string) bool { return dep == a || strings.HasSuffix(a, "/") && strings.HasPrefix(dep, a) }) {
				t.Errorf("%s may not know %s", p.ImportPath, dep)
			}
			if slices.ContainsFunc(forbidden[p.ImportPath], func(f string) bool { return strings.HasPrefix(dep, f) }) {
				t.Errorf("%s may not know %s", p.ImportPath, dep)
			}
		}
	}
}

// What is on the board is data that the configuration looks up; everybody else is told.
func TestOnlyTheConfigurationAndTheScriptsReadTheBoards(t *testing.T) {
	for _, p := range goList(t, "hookswitch/firmware/...", "hookswitch/hal/...", "hookswitch/soap/...", "hookswitch/board/...") {
		for _, imp := range p.Imports {
			if imp == "hookswitch/board" && p.ImportPath != "hookswitch/firmware/config" || strings.HasPrefix(imp, "hookswitch/scripts/") {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

func TestThirdPartyHardwareLibrariesStayInOnePackage(t *testing.T) {
	for _, p := range goList(t, "hookswitch/...") {
		for _, imp := range p.Imports {
			hardware := strings.HasPrefix(imp, "periph.io/") || strings.HasPrefix(imp, "github.com/tarm/serial")
			if hardware && p.ImportPath != "hookswitch/hal/rpi" {
				t.Errorf("%s imports %s; only hal/rpi may", p.ImportPath, imp)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range goList(t, "hookswitch/...") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
