package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"hookswitch/firmware/config"
)

// lockName is the file in the data directory that a daemon holds locked; its pid is in it.
const lockName = "daemon.pid"

// dataLock is a data directory that no other daemon may use. It ends with the process,
// whatever ends that.
type dataLock struct {
	file *os.File // nil where the file system has no locks
	dir  os.FileInfo
}

// lockedError is the reason why a second daemon does not start.
type lockedError struct {
	dir string
	pid int // 0 is not known
}

func (e *lockedError) Error() string {
	who := "another process"
	if e.pid != 0 {
		who = fmt.Sprint("process ", e.pid)
	}
	return fmt.Sprintf("daemon: %s is the daemon of %s already: "+
		"stop it first, or give this one data and lines of its own", who, e.dir)
}

// lockData locks a data directory, which is made if need be. The error is a *lockedError where
// a daemon has it. A card that can't be written to, and a file system without locks, keep
// nobody from making calls.
func lockData(dir string, log *slog.Logger) (*dataLock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		log.Error("data directory", "error", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return &dataLock{}, nil
	}
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		f, err = os.Open(path) // of a card that has become read-only
	}
	if err != nil {
		path = dir
		f, err = os.Open(dir)
	}
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		pid := pidIn(f)
		_ = f.Close()
		return nil, &lockedError{dir, pid}
	case err != nil:
		log.Warn("another daemon with the same data would not be noticed", "path", path, "error", err)
		_ = f.Close() // nil has none
		return &dataLock{dir: info}, nil
	}
	if err := writePID(f); err != nil {
		log.Debug("pid not written", "path", path, "error", err) // a full card
	}
	return &dataLock{f, info}, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func pidIn(f *os.File) int {
	text, _ := io.ReadAll(io.NewSectionReader(f, 0, 32))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// is reports whether the lock is of a directory; a nil one is of none.
func (l *dataLock) is(dir string) bool {
	if l == nil || l.dir == nil {
		return false
	}
	info, err := os.Stat(dir)
	return err == nil && os.SameFile(info, l.dir)
}

// release lets another daemon have the directory. It may be called twice, and on a nil lock.
func (l *dataLock) release() {
	if l != nil {
		_ = l.file.Close() // nil has none
	}
}

// lockFirst locks the data directory of the configuration that is about to be in force, before
// anything else is touched: where it is on trial and unusable, that of the one before.
func lockFirst(opt Options, log *slog.Logger) (*dataLock, error) {
	cfg, err := load(opt)
	if err != nil && opt.Config != "" {
		if before, errBefore := config.Before(opt.Config); errBefore == nil {
			cfg, err = before, nil
			if opt.Data != "" {
				cfg.Data = opt.Data
			}
		} else if !errors.Is(errBefore, fs.ErrNotExist) {
			err = errors.Join(err, errBefore)
		}
	}
	if err != nil {
		return nil, err
	}
	return lockData(cfg.Data, log)
}
