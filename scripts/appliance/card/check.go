package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// checkReproducible builds once more from a copy of the checkout under another path and
// with an empty build cache, and compares every artefact byte for byte.
func (b *builder) checkReproducible() error {
	tmp, err := os.MkdirTemp("", "hookswitch-again-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	list, err := b.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	copied := filepath.Join(tmp, "elsewhere")
	for _, path := range strings.Split(strings.Trim(list, "\x00"), "\x00") {
		if err := copyTo(filepath.Join(copied, path), filepath.Join(b.root, path)); err != nil {
			return err
		}
	}
	again := *b
	again.root, again.out = copied, filepath.Join(tmp, "out")
	log.Printf("again, in %s", copied)
	cmd := exec.Command("go", "run", "./card", "-root", again.root, "-o", again.out, "-key", b.key, "-hat", b.hat,
		"-daemon", b.daemon, "-version", b.release.Version, "-built", fmt.Sprint(b.release.Built))
	cmd.Dir = filepath.Join(copied, "scripts/appliance")
	cmd.Env = append(os.Environ(), "GOCACHE="+filepath.Join(tmp, "cache"))
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("second build: %w", err)
	}
	for _, ext := range extensions {
		first, err := os.ReadFile(b.artefact(ext))
		if err != nil {
			return err
		}
		second, err := os.ReadFile(again.artefact(ext))
		if err != nil {
			return err
		}
		if !bytes.Equal(first, second) {
			return fmt.Errorf("%s differs between two builds of the same checkout", name+ext)
		}
	}
	log.Print("both builds are identical, byte for byte")
	return nil
}

func copyTo(to, from string) error {
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil // deleted, but not yet from the index
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}
