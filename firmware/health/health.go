// Package health keeps the list of what a person must put right on a board that makes calls
// all the same: a card that is full, or can't be written to, a configuration that could
// not be used. Whoever shows the state of the board shows it.
package health

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// File is where the appliance's init adds what it finds, one fault a line; it is gone
// after a restart. Other machines have none.
const File = "/run/hookswitch/faults"

const (
	// littleRoom is how much of the data's file system is left, in bytes, when it is time
	// to say so: a message of a few minutes, and the call log of many days.
	littleRoom = 8 << 20

	maxFile   = 64 << 10 // bytes of File
	maxFaults = 20
	maxLength = 500 // bytes of one
)

// Add adds a fault to the file at path.
func Add(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("health: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	_, err = fmt.Fprintln(f, strings.ReplaceAll(text, "\n", "; "))
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	return nil
}

// List is what is wrong now: what is in the file at path, each once, and what is to be
// said of the directory that data is kept in. It is never nil.
func List(path, data string) []string {
	list := []string{}
	text, _ := os.ReadFile(path)
	text = text[:min(len(text), maxFile)]
	for line := range bytes.Lines(text) {
		fault := printable(line)
		if fault != "" && !slices.Contains(list, fault) && len(list) < maxFaults {
			list = append(list, fault)
		}
	}
	if storage := ofStorage(data); storage != "" {
		list = append(list, storage)
	}
	return list
}

func printable(line []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, string(line[:min(len(line), maxLength)])))
}

// ofStorage says what is wrong with the file system that holds data, "" if nothing is.
func ofStorage(data string) string {
	var fs unix.Statfs_t
	err := unix.Statfs(data, &fs)
	room := fs.Bavail * uint64(fs.Bsize)
	switch {
	case err != nil:
		return fmt.Sprintf("%s: %v: no message, setting or call is kept", data, err)
	case fs.Flags&unix.ST_RDONLY != 0:
		return fmt.Sprintf("%s can't be written to: no new message, setting or call is kept", data)
	case room < littleRoom:
		return fmt.Sprintf("%s is full (%d kB left): new messages, settings and calls may not be kept; delete messages", data, room>>10)
	case fs.Files > 0 && fs.Ffree == 0:
		return fmt.Sprintf("%s holds as many files as it can: new messages and settings are not kept; delete messages", data)
	}
	return ""
}
