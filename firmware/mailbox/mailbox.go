// Package mailbox keeps each user's messages, greetings, settings and PIN in a directory:
//
//	DIR/<user>/messages/     voice messages: any audio files; whoever can write here leaves one
//	DIR/<user>/deleted/      those deleted by telephone
//	DIR/<user>/greetings/    normal.wav, oof.wav
//	DIR/<user>/settings.json
//	DIR/<user>/pin.json      a hash, and how often it was wrong
//
// What is stored is on the disk before a method returns, and whole: a power failure leaves
// the old or the new. Symbolic links that lead out of a user's directory are not followed.
package mailbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/google/renameio/v2"
)

// Errors of Store.
var (
	ErrItem   = errors.New("mailbox: no such item")
	ErrItemID = errors.New("mailbox: not an item id")
)

// Store is the mailboxes below a directory. Its methods may be called from any goroutine.
type Store struct {
	dir string

	change sync.Mutex // one change of files at a time, so that none is lost between reading and writing

	mu     sync.Mutex // guards probed
	probed map[string]probed
}

// Open opens, and if need be makes, the directory of mailboxes. On an error the store can
// be used all the same: a disk may come back.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, probed: map[string]probed{}}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return s, fmt.Errorf("mailbox: %w", err)
	}
	return s, nil
}

// unfinished are the files that a power failure left beside those it kept from being written.
var unfinished = regexp.MustCompile(`^\.(settings\.json|pin\.json|normal\.wav|oof\.wav)[0-9]+$`)

// Make makes the mailbox of a user, where there is none, and clears away what a power
// failure has left in it.
func (s *Store) Make(user string) error {
	root, err := s.open(user, true)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, sub := range []string{messagesDir, greetingsDir} {
		if err := root.MkdirAll(sub, 0o770); err != nil {
			return fmt.Errorf("mailbox: %s: %w", user, err)
		}
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return fmt.Errorf("mailbox: %s: %w", user, err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && unfinished.MatchString(e.Name()) {
			if err := root.Remove(e.Name()); err != nil {
				return fmt.Errorf("mailbox: %s: %w", user, err)
			}
		}
	}
	return nil
}

// open opens a user's directory, and makes it if so told. No path leads out of it.
func (s *Store) open(user string, make bool) (*os.Root, error) {
	if err := CheckUser(user); err != nil {
		return nil, err
	}
	all, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	defer all.Close()
	if make {
		if err := all.Mkdir(user, 0o770); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("mailbox: %s: %w", user, err)
		}
	}
	root, err := all.OpenRoot(user)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %s: %w", user, err)
	}
	return root, nil
}

// replace writes a file of a user's, atomically and durably.
func (s *Store) replace(user, name string, write func(io.Writer) error) error {
	root, err := s.open(user, true)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := replaceIn(root, name, write); err != nil {
		return fmt.Errorf("mailbox: %s of %s not stored: %w", name, user, err)
	}
	return nil
}

func replaceIn(root *os.Root, name string, write func(io.Writer) error) error {
	dir := filepath.Dir(name)
	if err := root.MkdirAll(dir, 0o770); err != nil {
		return err
	}
	f, err := renameio.NewPendingFile(name, renameio.WithRoot(root), renameio.WithPermissions(0o640))
	if err != nil {
		return err
	}
	defer f.Cleanup() // nothing to do once it has replaced the old one
	if err := write(f); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(root, dir)
}

// syncDir makes the names in a directory survive a power failure.
func syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
