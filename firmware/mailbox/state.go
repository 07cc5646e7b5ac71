package mailbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"syscall"

	"hookswitch/firmware/sentence"
	"hookswitch/firmware/statefile"
)

const (
	settingsFile = "settings.json"
	pinFile      = "pin.json"
	normalFile   = "normal.wav"
	oofFile      = "oof.wav"

	maxFile = 1 << 20 // bytes of a JSON file of ours
)

// errDamaged is that of a file of ours that can't be used, whoever tries.
var errDamaged = errors.New("damaged")

// read reads a JSON file of a user's; fs.ErrNotExist where there is none. One that is damaged
// is set aside, and then there is none.
func (s *Store) read(user, name string, into any) error {
	err := s.tryRead(user, name, into)
	if errors.Is(err, errDamaged) {
		s.change.Lock()
		defer s.change.Unlock()
		err = s.readLocked(user, name, into)
	}
	return err
}

// readLocked is read for who holds s.change.
func (s *Store) readLocked(user, name string, into any) error {
	err := s.tryRead(user, name, into)
	if errors.Is(err, errDamaged) {
		err = s.setAside(user, name, err)
	}
	return err
}

func (s *Store) tryRead(user, name string, into any) error {
	root, err := s.open(user, false)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := openState(root, name)
	if err == nil {
		defer f.Close()
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(f, maxFile)); err == nil {
			if jerr := json.Unmarshal(text, into); jerr != nil {
				err = fmt.Errorf("%w: %w", errDamaged, jerr)
			}
		}
	}
	if errors.Is(err, syscall.EIO) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err != nil {
		return fmt.Errorf("mailbox: %s of %s: %w", name, user, err)
	}
	return nil
}

// openState opens a file of ours. What is no file in its place is damage.
func openState(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ELOOP) { // a socket; links in a circle
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err != nil {
		return nil, err
	}
	if _, err := statOf(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return f, nil
}

// setAside puts a damaged file of a user's aside, and returns fs.ErrNotExist: it is gone. If it
// can't be moved away, it is none either.
func (s *Store) setAside(user, name string, damage error) error {
	root, err := s.open(user, false)
	if err == nil {
		defer root.Close()
		_, err = statefile.SetAside(root, name)
	}
	return fmt.Errorf("mailbox: %s of %s: %w: %w", name, user, fs.ErrNotExist, errors.Join(damage, err))
}

// write stores a JSON file of a user's.
func (s *Store) write(user, name string, value any) error {
	return s.replace(user, name, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "\t")
		return e.Encode(value)
	})
}

// remedies says for each file of ours what holds without it, and what to do.
var remedies = map[string]string{
	settingsFile:                        "the default settings hold until they are set again",
	pinFile:                             "nobody gets in until a new PIN is asked for",
	path.Join(greetingsDir, normalFile): "there is no greeting until one is recorded again",
	path.Join(greetingsDir, oofFile):    "there is no greeting until one is recorded again",
}

var aside = regexp.MustCompile(`^(.+)\.damaged-[0-9]+$`)

// maxFaults is how many faults are told at once.
const maxFaults = 10

// Faults lists what somebody must put right: mailboxes and files that can't be read, and files
// that were damaged, until there is a new one.
func (s *Store) Faults() []string {
	list := []string{}
	users, err := s.users("")
	if err != nil {
		return append(list, "the mailboxes can't be read: "+sentence.Of(err))
	}
	for _, u := range users {
		list = append(list, s.faultsOf(u)...)
	}
	if more := len(list) - maxFaults; more > 0 {
		list = append(list[:maxFaults], fmt.Sprintf("%d more faults of mailboxes", more))
	}
	return list
}

func (s *Store) faultsOf(user string) (list []string) {
	tell := func(format string, args ...any) {
		list = append(list, fmt.Sprintf("mailbox of %s: %s", user, fmt.Sprintf(format, args...)))
	}
	root, err := s.open(user, false)
	if err != nil {
		tell("it can't be read: %v", sentence.Of(err))
		return list
	}
	defer root.Close()
	if d, err := s.folder(user, messagesDir); err == nil {
		d.Close()
	} else if !errors.Is(err, fs.ErrNotExist) {
		tell("its messages can't be read: %v", sentence.Of(err))
	}
	s.mu.Lock()
	if b := s.boxes[boxKey{user, messagesDir}]; b != nil && b.partly != "" {
		tell("not all of its messages can be read: %s", b.partly)
	}
	s.mu.Unlock()
	for _, name := range []string{settingsFile, pinFile} {
		var text json.RawMessage
		err := s.read(user, name, &text)
		if _, there := root.Lstat(name); err != nil && there == nil {
			tell("%s can't be used: %v", name, sentence.Of(err))
		}
	}
	for _, dir := range []string{".", greetingsDir} {
		list = append(list, damagedIn(root, user, dir)...)
	}
	slices.Sort(list)
	return list
}

// damagedIn tells of the files that were set aside in a directory and have no successor.
func damagedIn(root *os.Root, user, dir string) (list []string) {
	entries, _ := fs.ReadDir(root.FS(), dir)
	last := map[string]string{}
	for _, e := range entries {
		if m := aside.FindStringSubmatch(e.Name()); m != nil {
			last[m[1]] = e.Name()
		}
	}
	for name, kept := range last {
		name := path.Join(dir, name)
		if _, err := root.Lstat(name); errors.Is(err, fs.ErrNotExist) && remedies[name] != "" {
			list = append(list, fmt.Sprintf("mailbox of %s: %s was damaged and is kept as %s: %s",
				user, name, kept, remedies[name]))
		}
	}
	return list
}
