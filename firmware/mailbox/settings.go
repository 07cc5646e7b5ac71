package mailbox

import (
	"errors"
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

// Settings of user.
func (s *Store) Settings(user string) (Settings, error) { return settings(user, s.read) }

// settings reads them by read. Those that were damaged are the default ones.
func settings(user string, read func(user, name string, into any) error) (Settings, error) {
	settings := defaultSettings
	err := read(user, settingsFile, &settings)
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
	settings, err := settings(user, s.readLocked)
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
