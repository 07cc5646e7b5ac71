// Package statefile changes files so that they survive a power cut: after it a file is the old one
// or the new one, whole, and what a function has done when it returns nil is on the disk.
// Every file that the board must find again after a restart is written by it, but for the
// call log, which grows at its end.
package statefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/google/renameio/v2"
)

// Replace writes the file at path. One that is there keeps its permissions, another gets perm.
func Replace(path string, data []byte, perm fs.FileMode) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer root.Close()
	return ReplaceIn(root, filepath.Base(path), perm, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
}

// ReplaceIn writes the file that is called name in root with what write writes. If write
// fails, the old one stays. The rename is the only change that others see: until it, the new
// file has a temporary name in the same directory (see Unfinished).
func ReplaceIn(root *os.Root, name string, perm fs.FileMode, write func(io.Writer) error) error {
	dir, err := root.OpenRoot(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	f, err := renameio.NewPendingFile(filepath.Base(name), renameio.WithRoot(dir),
		renameio.WithPermissions(perm), renameio.WithExistingPermissions())
	if err != nil {
		return err
	}
	defer func() { _ = f.Cleanup() }() // nothing to do once it has replaced the old one
	if err := write(f); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return SyncIn(dir, ".")
}

var unfinished = regexp.MustCompile(`^\.(.+?)[0-9]{1,19}$`)

// Unfinished reports whether name is a temporary name of ReplaceIn, which a power cut may have
// left behind, and of which file.
func Unfinished(name string) (of string, ok bool) {
	m := unfinished.FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// Rename moves a file, over one that is called to if there is one.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	err := Sync(filepath.Dir(to))
	if filepath.Dir(from) != filepath.Dir(to) {
		err = errors.Join(err, Sync(filepath.Dir(from)))
	}
	return err
}

// Remove removes a file. One that is not there is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return Sync(filepath.Dir(path))
}

// Sync makes the names in the directory at path survive a power cut.
func Sync(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// SyncIn is Sync for a directory in root.
func SyncIn(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// maxAside is how many damaged files of one name are kept.
const maxAside = 9

// SetAside renames what is called name in root and can't be used to name.damaged-N, so that
// nothing is lost that somebody could still repair, and returns the new name. Where there are
// many already, the last one is replaced.
func SetAside(root *os.Root, name string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", name, n)
		_, err := root.Lstat(aside)
		if err == nil && n < maxAside {
			continue
		}
		if err == nil {
			err = root.RemoveAll(aside)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := root.Rename(name, aside); err != nil {
			return "", err
		}
		return aside, SyncIn(root, filepath.Dir(name))
	}
}
