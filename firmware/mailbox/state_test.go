package mailbox_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hookswitch/firmware/mailbox"
)

// damages are what a power cut, a bad block or somebody can make of a file.
var damages = map[string]func(t *testing.T, path string){
	"no bytes":         func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) },
	"zeros":            func(t *testing.T, path string) { must(t, os.WriteFile(path, make([]byte, 4096), 0o600)) },
	"half":             func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(`{"oof": tr`), 0o600)) },
	"another type":     func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(`["oof", 1]`), 0o600)) },
	"zeros at the end": func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("{}\x00\x00"), 0o600)) },
	"ten megabytes": func(t *testing.T, path string) {
		must(t, os.WriteFile(path, []byte(`{"dial_string": "`+strings.Repeat("1", 10<<20)+`"}`), 0o600))
	},
	"a directory": func(t *testing.T, path string) { must(t, os.MkdirAll(path+"/sub", 0o700)) },
	"a pipe":      func(t *testing.T, path string) { must(t, syscall.Mkfifo(path, 0o600)) },
	"a socket":    func(t *testing.T, path string) { must(t, syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0)) },
	"a circle":    func(t *testing.T, path string) { must(t, os.Symlink(filepath.Base(path), path)) },
}

func TestDamagedSettingsAreOneUsersAndAreSetAside(t *testing.T) {
	for name, damage := range damages {
		for _, first := range []string{"read", "changed", "listed"} {
			t.Run(name+", first "+first, func(t *testing.T) {
				s, dir := store(t)
				for _, user := range []string{"anna", "bert"} {
					must(t, s.ChangeSettings(user, func(set *mailbox.Settings) { set.DialString = "2077" }))
				}
				path := filepath.Join(dir, "anna/settings.json")
				must(t, os.Remove(path))
				damage(t, path)
				want := mailbox.Settings{MissedCallNotification: true}
				switch first {
				case "changed":
					must(t, s.ChangeSettings("anna", func(set *mailbox.Settings) { set.OOF = true }))
					want.OOF = true
				case "listed":
					faults := strings.Join(s.Faults(), "\n")
					// A file of JSON that is not settings is seen by whoever needs them.
					if name != "another type" && !strings.Contains(faults, "mailbox of anna: settings.json was damaged and is kept as settings.json.damaged-1") {
						t.Errorf("faults %q", faults)
					}
				}
				for range 2 {
					if got, err := s.Settings("anna"); err != nil || got != want {
						t.Errorf("anna's settings %+v, %v; want %+v", got, err, want)
					}
					if got, err := s.Settings("bert"); err != nil || got.DialString != "2077" {
						t.Errorf("bert's settings %+v, %v", got, err)
					}
					s = restart(t, s, dir)
				}
				if _, err := os.Lstat(path + ".damaged-1"); err != nil {
					t.Error(err)
				}
				faults := strings.Join(s.Faults(), "\n")
				if told := strings.Contains(faults, "mailbox of anna: settings.json was damaged"); told == want.OOF {
					t.Errorf("faults %q", faults)
				}
				must(t, s.ChangeSettings("anna", func(set *mailbox.Settings) { set.DialString = "1" }))
				if faults := s.Faults(); len(faults) != 0 {
					t.Errorf("faults after new settings %q", faults)
				}
			})
		}
	}
}

func TestADamagedPINIsNobodysAndSetAside(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			s, dir := store(t)
			damage(t, filepath.Join(dir, "anna/pin.json"))
			if s.CheckPIN("anna", "") || s.CheckPIN("anna", "123456") {
				t.Error("somebody got in")
			}
			if name == "zeros at the end" || name == "another type" {
				return // one is enough
			}
			if faults := strings.Join(s.Faults(), "\n"); !strings.Contains(faults, "pin.json was damaged") {
				t.Errorf("faults %q", faults)
			}
		})
	}
}

func TestADamagedGreetingIsNone(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			s, dir := store(t)
			damage(t, filepath.Join(dir, "anna/greetings/oof.wav"))
			for range 2 {
				if _, err := s.Greeting("anna", "OofCustom"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("got %v", err)
				}
			}
			if faults := strings.Join(s.Faults(), "\n"); !strings.Contains(faults, "greetings/oof.wav was damaged and is kept as oof.wav.damaged-1") {
				t.Errorf("faults %q", faults)
			}
		})
	}
}

func TestAStoreHasAFewFaultsAtOnce(t *testing.T) {
	s, dir := store(t)
	for _, user := range strings.Split("abcdefghijklmnopqrst", "") {
		must(t, os.MkdirAll(filepath.Join(dir, user), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, user, "settings.json"), nil, 0o600))
	}
	if faults := s.Faults(); len(faults) != 11 || faults[10] != "10 more faults of mailboxes" {
		t.Errorf("%d faults: %q", len(faults), faults[len(faults)-1])
	}
}
