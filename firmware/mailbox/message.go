package mailbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"hookswitch/firmware/username"
)

const (
	messagesDir  = "messages"
	deletedDir   = "deleted"
	greetingsDir = "greetings"
)

const (
	// lookTime is how long a listing waits for new messages to be looked at. The rest of them
	// is listed without a duration, or without an id, and known the next time.
	lookTime = 500 * time.Millisecond
	// findTime is how long an item that is not known is looked for among the new ones.
	findTime = 5 * time.Second
)

// Message is one voice message.
type Message struct {
	ID         string    `json:"id"` // "" as long as nobody has looked at the file
	Name       string    `json:"name"`
	Mailbox    string    `json:"mailbox"`
	DurationMS int64     `json:"duration_ms"` // 0 as long as it is not known
	Modified   time.Time `json:"modified"`
	Fault      string    `json:"fault,omitempty"`      // why it can't be played
	Incomplete string    `json:"incomplete,omitempty"` // what is missing of it: "incomplete: 4 of 12 s"
	Deleted    time.Time `json:"deleted,omitzero"`     // by the board's clock
	KeptDays   int       `json:"kept_days,omitempty"`  // how long one that is deleted can still be restored
}

// Messages lists a user's messages, newest first; "" is every user's, of whom a mailbox that
// can't be read hides none (see Faults). Callers share the list and must not change it. Files
// that are being written under a temporary name (a dot in front, .tmp or .part behind, and
// others like that) are not messages yet.
func (s *Store) Messages(user string) ([]Message, error) { return s.list(user, messagesDir) }

func (s *Store) list(user, dir string) ([]Message, error) {
	users, err := s.users(user)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(lookTime)
	var parts [][]Message
	for _, u := range users {
		b := s.box(u, dir)
		if err := s.scan(b); err != nil && user != "" {
			return nil, unreadable(err)
		} else if err != nil {
			continue
		}
		s.wait(&b.settled, time.Until(deadline))
		s.mu.Lock()
		more := b.listLocked()
		s.mu.Unlock()
		if user != "" {
			return more, nil
		}
		parts = append(parts, more)
	}
	return s.join(dir, parts), nil
}

// joined is the last listing of every mailbox.
type joined struct {
	parts [][]Message
	list  []Message
}

// join makes one listing of those of all mailboxes. As long as they are the same ones, so is
// it: callers share it.
func (s *Store) join(dir string, parts [][]Message) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := func(a, b []Message) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }
	if last := s.joined[dir]; last.list != nil && slices.EqualFunc(last.parts, parts, same) {
		return last.list
	}
	list := slices.Concat(parts...)
	if list == nil {
		list = []Message{} // JSON has no null for it
	}
	slices.SortFunc(list, Message.compare)
	s.joined[dir] = joined{parts, list}
	return list
}

// unreadable is ErrMailbox with the reason, without the path.
func unreadable(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%w: %w", ErrMailbox, err)
}

// users is user, or everybody who has a mailbox.
func (s *Store) users(user string) (users []string, err error) {
	if user != "" {
		return []string{user}, checkUser(user)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil && len(entries) == 0 {
		return nil, unreadable(err)
	}
	for _, e := range entries {
		if e.IsDir() && username.Check(e.Name()) == nil && e.Name() != "lost+found" {
			users = append(users, e.Name())
		}
	}
	return users, nil
}

// locate opens an item's file, and makes sure that it is that message: what the board knows
// may be older than what somebody has just moved there.
func (s *Store) locate(user, dir, id string) (*box, *entry, *os.File, error) {
	if !validID(id) {
		return nil, nil, nil, ErrItemID
	}
	users, err := s.users(user)
	if err != nil {
		return nil, nil, nil, err
	}
	deadline := time.Now().Add(findTime)
	notFound := ErrItem
	for _, u := range users {
		b := s.box(u, dir)
		for try := 0; ; try++ { // others may move files at the same time
			e, more := s.byID(b, id)
			if e == nil && try > 0 && !more {
				break
			}
			if e != nil {
				f, err := s.openItem(b, e, id)
				if err == nil {
					return b, e, f, nil
				}
				if !errors.Is(err, ErrItem) {
					notFound = err
					break
				}
			}
			if try > 0 && time.Now().After(deadline) {
				notFound = fmt.Errorf("%w: %s", ErrUnreadable, stillRead)
				break
			}
			if err := s.scan(b); err != nil {
				if user != "" {
					notFound = unreadable(err)
				}
				break
			}
			s.wait(&b.named, time.Until(deadline))
		}
	}
	return nil, nil, nil, notFound
}

// byID returns a copy of what is known of an item, nil if nothing is; more is that there are
// files without an id yet.
func (s *Store) byID(b *box, id string) (e *entry, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := b.byID[id]; known != nil {
		e = new(*known)
	}
	return e, b.named.left > 0
}

// openItem opens the file of an entry, ErrItem if its content is not that of the id.
func (s *Store) openItem(b *box, e *entry, id string) (*os.File, error) {
	d, err := s.folder(b.user, b.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	defer d.Close()
	f, st, err := openFile(d, e.name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoFile) {
		return nil, ErrItem
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnreadable, reason(err))
	}
	content, err := fingerprintOf(f, st.Size)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: %s", ErrUnreadable, reason(err))
	}
	if itemID(b.user, content, e.number) != id {
		f.Close()
		s.mu.Lock()
		if known := b.entries[e.name]; known != nil && known.id == id {
			known.stamp = stamp{} // what is known of it is wrong, whatever its times are
		}
		s.mu.Unlock()
		return nil, ErrItem
	}
	return f, nil
}

// Message opens an item of user's for reading; "" looks into every mailbox. The caller closes
// it. Errors: ErrItemID, ErrItem, ErrUnreadable, ErrUnfinished, ErrMailbox. If the file is changed while it
// is read, reading ends with ErrUnfinished, so that none of another message is heard.
func (s *Store) Message(user, id string) (io.ReadSeekCloser, Message, error) {
	b, e, f, err := s.locate(user, messagesDir, id)
	if err != nil {
		return nil, Message{}, err
	}
	st, err := statOf(f)
	s.mu.Lock()
	m := b.message(e, time.Now())
	s.mu.Unlock()
	if err == nil && (m.Fault == stillWritten || beingWritten(f) || !e.facts.known && e.fresh(time.Now()) && isCut(f)) {
		err = ErrUnfinished
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, Message{}, err
	}
	m.ID = id
	return &item{f, st}, m, nil
}

// item is an open message. It has no other methods of a file, so that no reader goes around
// the check.
type item struct {
	f  *os.File
	st stamp
}

func (i *item) Read(p []byte) (int, error) {
	n, err := i.f.Read(p)
	if is, serr := statOf(i.f); serr != nil || !is.sameContent(i.st) {
		return 0, errors.Join(ErrUnfinished, serr)
	}
	return n, err
}

func (i *item) Seek(offset int64, whence int) (int64, error) { return i.f.Seek(offset, whence) }
func (i *item) Close() error                                 { return i.f.Close() }

// Delete moves a message to the trash, from which Restore brings it back; "" looks into every
// mailbox. Errors: ErrItemID, ErrItem, ErrUnreadable, ErrMailbox.
func (s *Store) Delete(user, id string) error {
	s.change.Lock()
	defer s.change.Unlock()
	for range 3 {
		b, e, f, err := s.locate(user, messagesDir, id)
		if err != nil {
			return err
		}
		err = s.throwAway(b, e, f, id)
		f.Close()
		if !errors.Is(err, ErrItem) {
			return err
		}
	}
	return ErrItem
}
