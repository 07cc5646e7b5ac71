// Package mailbox keeps each user's messages, greetings, settings and PIN in a directory:
//
//	DIR/<user>/messages/     voice messages: any audio files; whoever can write here leaves one
//	DIR/<user>/deleted/      those deleted by telephone, for 30 days
//	DIR/<user>/greetings/    normal.wav, oof.wav
//	DIR/<user>/settings.json
//	DIR/<user>/pin.json      a hash, and how often it was wrong
//	DIR/<user>/*.index       what is known of the messages; may be removed
//
// What is stored is on the disk before a method returns, and whole: a power failure leaves
// the old or the new. What is damaged is set aside as NAME.damaged-1, and told by Faults.
// Symbolic links that lead out of a user's directory are not followed.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"hookswitch/firmware/statefile"
	"hookswitch/firmware/username"
)

// Errors of Store.
var (
	ErrUser       = errors.New("mailbox: not a user's name")
	ErrItem       = errors.New("mailbox: no such item")
	ErrItemID     = errors.New("mailbox: not an item id")
	ErrUnfinished = errors.New("mailbox: the message is still being written; try again when it is whole")
	ErrUnreadable = errors.New("mailbox: the message can't be read")
	ErrMailbox    = errors.New("mailbox: the mailbox can't be read")
)

// Store is the mailboxes below a directory. Its methods may be called from any goroutine.
type Store struct {
	// Longest is how long a message may be to be played; 0 is any length. It must not be
	// changed once the store is in use.
	Longest time.Duration

	dir    string
	room   func(dir string) uint64 // bytes that can be written there
	opened time.Time
	before time.Duration // for how long the store had been open before, in its life
	saved  int64         // the age that was stored last; keep's and Close's

	change sync.Mutex // one change of files at a time, so that none is lost between reading and writing

	mu     sync.Mutex // guards the boxes and the queue
	boxes  map[boxKey]*box
	queue  queue
	joined map[string]joined // by folder

	ctx  context.Context // ends when the store is closed
	stop context.CancelFunc
	wg   sync.WaitGroup // of goroutines
}

// Open opens, and if need be makes, the directory of mailboxes. On an error the store can
// be used all the same: a disk may come back. Close it.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, room: roomOn, boxes: map[boxKey]*box{}, joined: map[string]joined{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	err := os.MkdirAll(dir, 0o750)
	if err != nil {
		err = fmt.Errorf("mailbox: %w", err)
	}
	s.loadAge()
	s.wg.Go(s.keep)
	return s, err
}

// Close stops what goes on in the background, and stores what was found out about messages.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.ctx.Err() != nil
	s.stop()
	s.mu.Unlock()
	s.wg.Wait()
	if closed {
		return nil
	}
	return errors.Join(s.saveIndexes(), s.saveAge())
}

// keepEvery is how often the trash is looked at, and what has changed of the indexes stored.
const keepEvery = 5 * time.Minute

// keep keeps house: it empties the trash and stores the indexes, now and then.
func (s *Store) keep() {
	s.adopt()
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		// What can't be done now is tried again. That the disk is full, or can't be written, is
		// told by others.
		_ = s.emptyTrash()
		_ = s.saveIndexes()
		if s.age() >= s.saved+ageEvery {
			_ = s.saveAge()
		}
	}
}

// IsSetting reports whether a file of a mailbox is one that its user has set, by its name:
// settings, PIN and greetings, which a backup holds.
func IsSetting(name string) bool {
	return name == settingsFile || name == pinFile || name == normalFile || name == oofFile
}

// Make makes the mailbox of a user, where there is none, and clears away what a power
// failure has left in it.
func (s *Store) Make(user string) error {
	root, err := s.open(user, true)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, sub := range []string{messagesDir, deletedDir, greetingsDir} { // a full disk has no room for them later
		if err := makeIn(root, sub); err != nil {
			return fmt.Errorf("mailbox: %s: %w", user, err)
		}
	}
	for _, dir := range []string{".", greetingsDir} {
		entries, err := fs.ReadDir(root.FS(), dir)
		if err != nil {
			return fmt.Errorf("mailbox: %s: %w", user, err)
		}
		for _, e := range entries {
			of, _ := statefile.Unfinished(e.Name())
			ours := IsSetting(of) || of == indexName(messagesDir) || of == indexName(deletedDir)
			if ours && e.Type().IsRegular() {
				if err := root.Remove(path.Join(dir, e.Name())); err != nil {
					return fmt.Errorf("mailbox: %s: %w", user, err)
				}
			}
		}
	}
	return nil
}

// checkUser says what is wrong with the name of a user; the error wraps ErrUser.
func checkUser(name string) error {
	if err := username.Check(name); err != nil {
		return fmt.Errorf("%w: %w", ErrUser, err)
	}
	return nil
}

// open opens a user's directory, and makes it if so told. No path leads out of it.
func (s *Store) open(user string, make bool) (*os.Root, error) {
	if err := checkUser(user); err != nil {
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

// makeIn makes a directory of a mailbox, on the disk, where there is none.
func makeIn(root *os.Root, dir string) error {
	if info, err := root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := root.MkdirAll(dir, 0o770); err != nil {
		return err
	}
	return statefile.SyncIn(root, ".")
}

// replace writes a file of a user's, atomically and durably.
func (s *Store) replace(user, name string, write func(io.Writer) error) error {
	root, err := s.open(user, true)
	if err != nil {
		return err
	}
	defer root.Close()
	if err = makeIn(root, path.Dir(name)); err == nil {
		err = statefile.ReplaceIn(root, name, 0o640, write)
	}
	if err != nil {
		return fmt.Errorf("mailbox: %s of %s not stored: %w", name, user, err)
	}
	return nil
}
