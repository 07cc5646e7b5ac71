package mailbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/statefile"
)

// greetingFile is the file of a greeting (UMGreetingType, MS-OXWUMS 2.2.5.4).
func greetingFile(kind string) (string, error) {
	switch kind {
	case "NormalCustom":
		return path.Join(greetingsDir, normalFile), nil
	case "OofCustom":
		return path.Join(greetingsDir, oofFile), nil
	}
	return "", fmt.Errorf("%w: greeting %q", ErrItem, kind)
}

// Greeting opens a user's greeting, "NormalCustom" or "OofCustom"; fs.ErrNotExist where
// there is none. One that is damaged is set aside. The caller closes it.
func (s *Store) Greeting(user, kind string) (io.ReadSeekCloser, error) {
	name, err := greetingFile(kind)
	if err != nil {
		return nil, err
	}
	f, err := s.openGreeting(user, name)
	if errors.Is(err, errDamaged) {
		s.change.Lock()
		defer s.change.Unlock()
		if f, err = s.openGreeting(user, name); errors.Is(err, errDamaged) {
			err = s.setAside(user, name, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("mailbox: greeting of %s: %w", user, err)
	}
	return f, nil
}

// openGreeting opens a greeting that can be played; another one is damaged.
func (s *Store) openGreeting(user, name string) (*os.File, error) {
	root, err := s.open(user, false)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := openState(root, name)
	if err != nil {
		return nil, err
	}
	_, err = audio.Describe(f, "")
	if errors.Is(err, audio.ErrFormat) || errors.Is(err, audio.ErrBroken) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// SetGreeting replaces a greeting by the WAV file that write writes. If write fails, or the
// disk is full, the old one stays.
func (s *Store) SetGreeting(user, kind string, write func(io.Writer) error) error {
	name, err := greetingFile(kind)
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	return s.replace(user, name, write)
}

// DeleteGreeting removes a greeting. One that there is not is no error.
func (s *Store) DeleteGreeting(user, kind string) error {
	name, err := greetingFile(kind)
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	root, err := s.open(user, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	err = root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = statefile.SyncIn(root, greetingsDir)
	}
	if err != nil {
		return fmt.Errorf("mailbox: greeting of %s not deleted: %w", user, err)
	}
	return nil
}
