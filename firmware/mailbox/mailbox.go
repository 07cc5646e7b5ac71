// Package mailbox keeps each user's messages, greetings, settings and PIN in a directory.
package mailbox

import (
	"errors"
	"io"
	"time"
)

// Errors of Store.
var (
	ErrItem   = errors.New("mailbox: no such item")
	ErrItemID = errors.New("mailbox: not an item id")
)

// Message is one voice message.
type Message struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Mailbox    string    `json:"mailbox"`
	DurationMS int64     `json:"duration_ms"`
	Modified   time.Time `json:"modified"`
	Fault      string    `json:"fault,omitempty"` // why it can't be played
}

// Settings of a user.
type Settings struct {
	OOF                    bool   `json:"oof"`
	MissedCallNotification bool   `json:"missed_call_notification"`
	DialString             string `json:"dial_string"`
	AccessFolder           string `json:"access_folder"`
}

// Store is the mailboxes below a data directory: DIR/<user>/messages, greetings, settings.json, pin.
type Store struct{ dir string }

// Open opens, and if need be makes, the mailboxes below dir.
func Open(dir string) (*Store, error) { panic("stub") }

// Messages lists a user's messages, newest first; "" is every user's.
func (s *Store) Messages(user string) ([]Message, error) { panic("stub") }

// Open opens an item of user's for reading. ErrItemID, ErrItem.
func (s *Store) Message(user, id string) (io.ReadSeekCloser, Message, error) { panic("stub") }

// Delete moves a message to user's deleted folder.
func (s *Store) Delete(user, id string) error { panic("stub") }

// Greeting opens a user's greeting, "NormalCustom" or "OofCustom"; fs.ErrNotExist where none is.
func (s *Store) Greeting(user, kind string) (io.ReadSeekCloser, error) { panic("stub") }

// SetGreeting replaces a greeting atomically; write writes the WAV file.
func (s *Store) SetGreeting(user, kind string, write func(io.Writer) error) error { panic("stub") }

// DeleteGreeting removes a greeting.
func (s *Store) DeleteGreeting(user, kind string) error { panic("stub") }

// Settings of user.
func (s *Store) Settings(user string) (Settings, error) { panic("stub") }

// ChangeSettings changes and stores the settings of user, atomically and durably.
func (s *Store) ChangeSettings(user string, change func(*Settings)) error { panic("stub") }

// ResetPIN makes a new random PIN for user, stores its hash and returns it.
func (s *Store) ResetPIN(user string) (pin string, err error) { panic("stub") }

// CheckPIN says whether pin is user's.
func (s *Store) CheckPIN(user, pin string) bool { panic("stub") }
