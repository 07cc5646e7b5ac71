package board_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hookswitch/board"
)

func load(t *testing.T, name string) *board.Board {
	t.Helper()
	b, err := board.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryBoardLoadsAndHasItsWiringPage(t *testing.T) {
	if len(board.Names()) < 8 {
		t.Fatalf("boards: %v", board.Names())
	}
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range board.Names() {
		b := load(t, name)
		if b.Name != name || b.Title == "" {
			t.Errorf("%s: name %q, title %q", name, b.Name, b.Title)
		}
		page, err := os.ReadFile(name + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.Contains(string(index), "("+name+".md)") {
			t.Errorf("README.md does not link %s.md", name)
		}
		for _, r := range b.Relays {
			pin, number := r.Pin, strings.TrimPrefix(r.Pin, "GPIO")
			if !strings.Contains(string(page), r.Terminal) || !regexp.MustCompile(`\b`+number+`\b`).Match(page) {
				t.Errorf("%s.md tells nothing of %s on %s", name, r.Terminal, pin)
			}
		}
		for _, line := range b.Config {
			if !strings.Contains(string(page), line) {
				t.Errorf("%s.md does not have the config.txt line %q", name, line)
			}
		}
	}
}

func TestEveryWiringPageHasItsBoard(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		name := strings.TrimSuffix(page, ".md")
		if name != "README" && !slices.Contains(board.Names(), name) {
			t.Errorf("%s describes no board", page)
		}
	}
}

func TestPinsAreOnTheHeaderAndUsedOnce(t *testing.T) {
	header := regexp.MustCompile(`^GPIO([2-9]|1[0-9]|2[0-7])$`)
	for _, name := range board.Names() {
		b, used, terminals := load(t, name), map[string]bool{}, map[string]bool{}
		check := func(pin, active, terminal string) {
			if !header.MatchString(pin) || used[pin] {
				t.Errorf("%s: pin %s is not on the header, or there twice", name, pin)
			}
			if active != "high" && active != "low" {
				t.Errorf("%s: %s: active %q", name, terminal, active)
			}
			if terminal == "" || terminals[terminal] {
				t.Errorf("%s: terminal %q is unnamed, or there twice", name, terminal)
			}
			used[pin], terminals[terminal] = true, true
		}
		for _, r := range b.Relays {
			check(r.Pin, r.Active, r.Terminal)
			if !slices.Contains(r.Contacts, "normally-open") {
				t.Errorf("%s: %s has no normally-open contact to wire a line through", name, r.Terminal)
			}
		}
		for _, in := range b.Inputs {
			check(in.Pin, in.Active, in.Terminal)
		}
		if b.Power != nil {
			check(b.Power.Pin, b.Power.Active, "power")
		}
	}
}

func TestEveryRelayIsHeldOffFromBootOn(t *testing.T) {
	for _, name := range board.Names() {
		b := load(t, name)
		for _, r := range b.Relays {
			level := map[string]string{"high": "dl", "low": "dh"}[r.Active]
			pin := strings.TrimPrefix(r.Pin, "GPIO")
			held := regexp.MustCompile(`^gpio=([0-9]+,)*` + pin + `(,[0-9]+)*=op,` + level + `$`)
			if !slices.ContainsFunc(b.Config, held.MatchString) {
				t.Errorf("%s: no line of config.txt holds %s (%s) off while Linux boots", name, r.Terminal, r.Pin)
			}
		}
		if _, ok := b.Relay(b.Hook); len(b.Relays) > 0 && !ok {
			t.Errorf("%s: hook %q is not one of its relays", name, b.Hook)
		}
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", "nosuch", "../board", "debian/hookswitch", "waveshare-relay-3ch.toml"} {
		if _, err := board.Load(name); !errors.Is(err, board.ErrUnknown) {
			t.Errorf("Load(%q) = %v, want ErrUnknown", name, err)
		}
	}
	b := load(t, "pimoroni-automation-hat")
	if _, ok := b.Relay("CH1"); ok {
		t.Error("Relay finds a terminal that the board does not have")
	}
	if in, ok := b.Input("INPUT2"); !ok || in.Pin != "GPIO20" {
		t.Errorf("INPUT2 is %+v", in)
	}
	if p := load(t, "waveshare-sim7600x-hat").Power; p.PressOn.Seconds() != 2 || p.Boot.Seconds() != 20 {
		t.Errorf("power key of the SIM7600X: %+v", p)
	}
}
