package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"hookswitch/firmware/config"
)

func TestAConfigurationOnTrial(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hookswitch.toml")
	check := func(when, want string, onTrial bool) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want || config.OnTrial(path) != onTrial {
			t.Errorf("%s: %q (%v), on trial %v; want %q, %v", when, got, err, config.OnTrial(path), want, onTrial)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(path, []byte("one"), 0o600))
	if was, err := config.RollBack(path); was || err != nil {
		t.Errorf("rolled back what was not on trial: %v, %v", was, err)
	}
	must(config.Try(path, []byte("two")))
	check("tried", "two", true)
	must(config.Try(path, []byte("three")))
	check("tried again", "three", true)
	was, err := config.RollBack(path)
	must(err)
	if !was {
		t.Error("nothing was rolled back")
	}
	check("rolled back", "one", false)
	must(config.Try(path, []byte("four")))
	must(config.Confirm(path))
	must(config.Confirm(path))
	check("confirmed", "four", false)
	if err := config.Try(filepath.Join(t.TempDir(), "nothing.toml"), []byte("five")); err == nil {
		t.Error("tried in place of nothing")
	}
}
