package mailbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Settings of a user.
type Settings struct {
	OOF                    bool   `json:"oof"`
	MissedCallNotification bool   `json:"missed_call_notification"`
	DialString             string `json:"dial_string"`
	AccessFolder           string `json:"access_folder"`
}

// defaultSettings are those of a user who has changed none, as Exchange enables one.
var defaultSettings = Settings{MissedCallNotification: true}

const (
	settingsFile = "settings.json"
	maxFile      = 1 << 20 // bytes of a file of ours
)

// Settings of user.
func (s *Store) Settings(user string) (Settings, error) {
	settings := defaultSettings
	err := s.read(user, settingsFile, &settings)
	if errors.Is(err, fs.ErrNotExist) {
		return defaultSettings, nil
	}
	return settings, err
}

// ChangeSettings changes and stores the settings of user, atomically and durably: when it
// returns nil they survive a power failure, when it does not the old ones hold.
func (s *Store) ChangeSettings(user string, change func(*Settings)) error {
	s.change.Lock()
	defer s.change.Unlock()
	settings, err := s.Settings(user)
	if err != nil {
		return err
	}
	before := settings
	change(&settings)
	if settings == before {
		return nil
	}
	return s.write(user, settingsFile, settings)
}

// read reads a JSON file of a user's.
func (s *Store) read(user, name string, into any) error {
	root, err := s.open(user, false)
	if err != nil {
		return err
	}
	defer root.Close()
	f, _, err := openRegular(root, name)
	if err != nil {
		return fmt.Errorf("mailbox: %s of %s: %w", name, user, err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxFile)).Decode(into); err != nil {
		return fmt.Errorf("mailbox: %s of %s is damaged; remove it: %w", name, user, err)
	}
	return nil
}

// write stores a JSON file of a user's.
func (s *Store) write(user, name string, value any) error {
	return s.replace(user, name, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "\t")
		return e.Encode(value)
	})
}
