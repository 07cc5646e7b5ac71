package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hookswitch/firmware/statefile"
)

// beforeTrial is the name of the configuration that a trial puts aside. While it is there,
// the one in force is on trial.
func beforeTrial(path string) string { return path + ".before" }

// Try puts text in place of the file at path, on trial: until Confirm the old text is kept,
// for RollBack, which the daemon's next start does too. A file that is on trial already is
// replaced, and the one of before the first trial kept. Each file is always whole, whatever
// happens meanwhile.
func Try(path string, text []byte) error {
	if !OnTrial(path) {
		old, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("config: %w", err)
		}
		if err := Replace(beforeTrial(path), old); err != nil {
			return err
		}
	}
	return Replace(path, text)
}

// OnTrial reports whether the file at path is one that nobody has confirmed yet.
func OnTrial(path string) bool {
	_, err := os.Stat(beforeTrial(path))
	return err == nil
}

// Before is the configuration that a RollBack of the file at path would bring back; the error
// wraps fs.ErrNotExist where that is not on trial.
func Before(path string) (*Config, error) { return Load(beforeTrial(path)) }

// Confirm ends the trial of the file at path: it stays.
func Confirm(path string) error {
	if err := statefile.Remove(beforeTrial(path)); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

// RollBack ends the trial of the file at path, if it is on trial: the one of before is back.
func RollBack(path string) (was bool, err error) {
	err = statefile.Rename(beforeTrial(path), path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("config: %w", err)
	}
	return true, nil
}

// Replace replaces a file as a whole, on the card.
func Replace(path string, text []byte) error {
	if err := statefile.Replace(path, text, 0o600); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}
