package mailbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"hookswitch/firmware/audio"
)

const (
	messagesDir  = "messages"
	deletedDir   = "deleted"
	greetingsDir = "greetings"
)

// probeTime is how long a listing may take to look into new messages; the rest of them is
// listed without a duration, and looked into the next time.
const probeTime = 500 * time.Millisecond

// Message is one voice message.
type Message struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Mailbox    string    `json:"mailbox"`
	DurationMS int64     `json:"duration_ms"` // 0 as long as it is not known
	Modified   time.Time `json:"modified"`
	Fault      string    `json:"fault,omitempty"` // why it can't be played
}

// probed is what is known of a message's sound as long as the file does not change.
type probed struct {
	size     int64
	modified time.Time
	duration time.Duration
	fault    string
}

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// idBytes of a hash make an id of 24 characters, which is base64 too, as entryId has to be
// (MS-OXWUMS 2.2.4.9).
const idBytes = 15

// itemID is the stable id of a file in a user's mailbox.
func itemID(user, name string) string {
	sum := sha256.Sum256([]byte(user + "\x00" + name))
	return idEncoding.EncodeToString(sum[:idBytes])
}

func validID(id string) bool {
	return len(id) == idEncoding.EncodedLen(idBytes) && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// Messages lists a user's messages, newest first; "" is every user's. Files that are being
// written under a temporary name (a dot in front, .tmp or .part behind) are not messages yet.
func (s *Store) Messages(user string) ([]Message, error) {
	users, err := s.users(user)
	if err != nil {
		return nil, err
	}
	list := []Message{}
	deadline := time.Now().Add(probeTime)
	for _, u := range users {
		more, err := s.list(u, deadline)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	slices.SortFunc(list, func(a, b Message) int {
		return cmp.Or(b.Modified.Compare(a.Modified), strings.Compare(a.Mailbox, b.Mailbox), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// users is user, or everybody who has a mailbox.
func (s *Store) users(user string) (users []string, err error) {
	if user != "" {
		return []string{user}, CheckUser(user)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && CheckUser(e.Name()) == nil {
			users = append(users, e.Name())
		}
	}
	return users, nil
}

// list lists a user's messages. A user who has no mailbox has no messages.
func (s *Store) list(user string, deadline time.Time) ([]Message, error) {
	root, err := s.open(user, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	names, err := messageNames(root)
	if err != nil {
		return nil, fmt.Errorf("mailbox: messages of %s: %w", user, err)
	}
	var list []Message
	for _, name := range names {
		info, err := root.Lstat(path.Join(messagesDir, name))
		if err != nil {
			continue // it has gone in the meantime
		}
		m := Message{ID: itemID(user, name), Name: name, Mailbox: user, Modified: info.ModTime()}
		s.probe(root, &m, info, deadline)
		list = append(list, m)
	}
	s.forget(user, names)
	return list, nil
}

// messageNames are the files in a user's directory of messages.
func messageNames(root *os.Root) (names []string, err error) {
	dir, err := root.Open(messagesDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	for _, e := range entries {
		if e.Type().IsRegular() && !temporary(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func temporary(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return strings.HasPrefix(name, ".") || ext == ".tmp" || ext == ".part"
}

// probe tells a message's duration, or why it can't be played.
func (s *Store) probe(root *os.Root, m *Message, info fs.FileInfo, deadline time.Time) {
	key := m.Mailbox + "\x00" + m.Name
	s.mu.Lock()
	p, known := s.probed[key]
	s.mu.Unlock()
	if !known || p.size != info.Size() || !p.modified.Equal(info.ModTime()) {
		if time.Now().After(deadline) {
			return
		}
		p = probed{size: info.Size(), modified: info.ModTime()}
		if f, _, err := openRegular(root, path.Join(messagesDir, m.Name)); err != nil {
			p.fault = err.Error()
		} else {
			if p.duration, err = audio.Probe(f); err != nil {
				p.fault = err.Error()
			}
			f.Close()
		}
		s.mu.Lock()
		s.probed[key] = p
		s.mu.Unlock()
	}
	m.DurationMS, m.Fault = p.duration.Milliseconds(), p.fault
}

// forget drops what is known of messages that have gone.
func (s *Store) forget(user string, names []string) {
	there := map[string]bool{}
	for _, name := range names {
		there[user+"\x00"+name] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.probed {
		if strings.HasPrefix(key, user+"\x00") && !there[key] {
			delete(s.probed, key)
		}
	}
}

// openRegular opens a file for reading if it is one: a pipe would block, a device would
// never end.
func openRegular(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// find returns the mailbox and the name of an item. user "" looks into every mailbox.
func (s *Store) find(user, id string) (owner, name string, err error) {
	if !validID(id) {
		return "", "", ErrItemID
	}
	users, err := s.users(user)
	if err != nil {
		return "", "", err
	}
	for _, u := range users {
		root, err := s.open(u, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", "", err
		}
		names, err := messageNames(root)
		root.Close()
		if err != nil {
			return "", "", fmt.Errorf("mailbox: messages of %s: %w", u, err)
		}
		for _, n := range names {
			if itemID(u, n) == id {
				return u, n, nil
			}
		}
	}
	return "", "", ErrItem
}

// Message opens an item of user's for reading; "" looks into every mailbox. The caller
// closes it. Errors: ErrItemID, ErrItem.
func (s *Store) Message(user, id string) (io.ReadSeekCloser, Message, error) {
	owner, name, err := s.find(user, id)
	if err != nil {
		return nil, Message{}, err
	}
	root, err := s.open(owner, false)
	if err != nil {
		return nil, Message{}, err
	}
	defer root.Close()
	f, info, err := openRegular(root, path.Join(messagesDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Message{}, ErrItem
	}
	if err != nil {
		return nil, Message{}, fmt.Errorf("mailbox: message %s of %s: %w", name, owner, err)
	}
	m := Message{ID: id, Name: name, Mailbox: owner, Modified: info.ModTime()}
	s.probe(root, &m, info, time.Now().Add(probeTime))
	return f, m, nil
}

// Delete moves a message to the deleted folder; "" looks into every mailbox. Errors:
// ErrItemID, ErrItem.
func (s *Store) Delete(user, id string) error {
	s.change.Lock()
	defer s.change.Unlock()
	owner, name, err := s.find(user, id)
	if err != nil {
		return err
	}
	root, err := s.open(owner, false)
	if err != nil {
		return err
	}
	defer root.Close()
	err = moveAway(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrItem
	}
	if err != nil {
		return fmt.Errorf("mailbox: message %s of %s not deleted: %w", name, owner, err)
	}
	return nil
}

// moveAway moves a message to the deleted folder, where nothing is overwritten.
func moveAway(root *os.Root, name string) error {
	if err := root.MkdirAll(deletedDir, 0o770); err != nil {
		return err
	}
	to := name
	for n := 1; ; n++ {
		if _, err := root.Lstat(path.Join(deletedDir, to)); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		ext := path.Ext(name)
		to = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), n, ext)
	}
	if err := root.Rename(path.Join(messagesDir, name), path.Join(deletedDir, to)); err != nil {
		return err
	}
	return errors.Join(syncDir(root, deletedDir), syncDir(root, messagesDir))
}
