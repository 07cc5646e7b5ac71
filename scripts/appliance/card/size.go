package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"syscall"
)

// What a card may take, in bytes; MB are millions.
const (
	maxImage  = 120_000_000 // blocks of the image that are not holes
	maxRoot   = 40_000_000
	maxDaemon = 15_000_000
)

// checkSizes prints what the parts take, and fails where one takes too much.
func (b *builder) checkSizes(root int) error {
	image, err := used(b.artefact(".img"))
	if err != nil {
		return err
	}
	daemon, err := os.Stat(filepath.Join(b.tmp, "hookswitch"))
	if err != nil {
		return err
	}
	var errs []error
	for _, part := range []struct {
		name       string
		size, most int64
	}{
		{"image, used", image, maxImage},
		{"root", int64(root), maxRoot},
		{"daemon", daemon.Size(), maxDaemon},
	} {
		text := fmt.Sprintf("%s: %.1f MB of %d", part.name, float64(part.size)/1e6, part.most/1e6)
		log.Print(text)
		if part.size > part.most {
			errs = append(errs, errors.New(text))
		}
	}
	return errors.Join(errs...)
}

// used is how much of a file takes room: holes do not.
func used(path string) (int64, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return st.Blocks * 512, nil // of 512 bytes whatever the file system: stat(2)
}
