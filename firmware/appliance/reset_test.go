package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAFactoryResetLeavesTheSoftwareOnly(t *testing.T) {
	perm, disk := t.TempDir(), filepath.Join(t.TempDir(), "disk")
	for _, name := range []string{"hookswitch.toml", "hookswitch.toml.good", "mailbox/anna/messages/m.wav", "tls/key.pem", "update.json", "random-seed", resetMark} {
		path := filepath.Join(perm, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(disk, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeSpare(disk, []byte("the configuration")); err != nil {
		t.Fatal(err)
	}
	factoryReset(perm, disk)
	factoryReset(perm, disk) // nothing to do
	var left []string
	entries, _ := os.ReadDir(perm)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"random-seed", "update.json"}; !slices.Equal(left, want) {
		t.Errorf("left: %q, want %q", left, want)
	}
	if text, err := readSpare(disk); !errors.Is(err, errNoSpare) {
		t.Errorf("the spare configuration: %q, %v", text, err)
	}
}
