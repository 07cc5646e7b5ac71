package main

import (
	"errors"
	"log"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// resetMark is left on the data partition by the technician's factory-reset.
const resetMark = "factory-reset"

// survivors are what a reset leaves: which slot runs, what time it is, and what makes the
// next keys hard to guess.
var survivors = []string{"update.json", "clock", "random-seed", "lost+found"}

// factoryReset makes the data partition as new, where the technician has asked for that.
// The mark goes last: a power cut in the middle starts it again.
func factoryReset(perm, disk string) {
	mark := filepath.Join(perm, resetMark)
	if _, err := os.Stat(mark); err != nil {
		return
	}
	entries, err := os.ReadDir(perm)
	for _, e := range entries {
		if e.Name() != resetMark && !slices.Contains(survivors, e.Name()) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(perm, e.Name())))
		}
	}
	err = errors.Join(err, wipeSpare(disk))
	unix.Sync()
	if err == nil {
		err = os.Remove(mark)
	}
	unix.Sync()
	if err != nil {
		fault("factory reset: %v", err)
		return
	}
	log.Print("factory reset: everything that is not software has been removed")
}

// wipeSpare removes the spare configuration, password hashes and all.
func wipeSpare(disk string) error {
	f, err := os.OpenFile(disk, os.O_WRONLY|os.O_SYNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, spareSize), spareOffset)
	return errors.Join(err, f.Close())
}
