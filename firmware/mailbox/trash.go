package mailbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/statefile"
)

const (
	// keepDeleted is how long a deleted message is kept. Only time during which the board ran
	// counts: its clock may be off by decades, until it is told the time.
	keepDeleted = 30 * 24 * time.Hour
	// littleRoom is when the oldest deleted messages go early, in bytes: before the board says
	// that it is full.
	littleRoom = 16 << 20
)

// trashNames are those of deleted messages: the item id, the number in it, the age of the store
// at that time in minutes, and the name that the file had.
var trashNames = regexp.MustCompile(`(?s)^([a-z2-7]{24})\.([0-9]{1,10})\.([0-9]{1,9})\.(.+)$`)

func trashName(id string, number uint32, age int64, name string) string {
	to := fmt.Sprintf("%s.%d.%d.%s", id, number, age, name)
	if over := len(to) - 255; over > 0 { // the longest name that a file may have
		ext := path.Ext(name)
		ext = ext[:min(len(ext), 16)]
		to = to[:255-len(ext)] + ext
	}
	return to
}

// readTrashName takes an entry's id from the name of its file.
func (e *entry) readTrashName() bool {
	m := trashNames.FindStringSubmatch(e.name)
	if m == nil {
		return false
	}
	number, err := strconv.ParseUint(m[2], 10, 32)
	e.id, e.number = m[1], uint32(number)
	return err == nil
}

// throwAway moves the file of an item, which is open, to the trash. ErrItem is that it was
// another one by then, which is back.
func (s *Store) throwAway(b *box, e *entry, f *os.File, id string) error {
	fail := func(err error) error {
		return fmt.Errorf("mailbox: message %s of %s not deleted: %w", e.name, b.user, err)
	}
	if err := s.makeFolder(b.user, deletedDir); err != nil {
		return fail(err)
	}
	from, to, err := s.folders(b.user, messagesDir, deletedDir)
	if err != nil {
		return fail(err)
	}
	defer from.Close()
	defer to.Close()
	name := ""
	for age := s.age(); ; age++ {
		name = trashName(id, e.number, age, e.name)
		if err = move(from, e.name, to, name); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return ErrItem
	}
	if err != nil {
		return fail(err)
	}
	st, same := s.isStill(b.user, to, name, f, e)
	if !same {
		if _, err := moveFree(to, name, from, e.name); err != nil {
			return fail(err)
		}
		return ErrItem
	}
	s.moved(b, e, s.box(b.user, deletedDir), &entry{name: name, stamp: st, id: id, number: e.number})
	return errors.Join(to.Sync(), from.Sync())
}

// isStill reports whether a file that was just moved is the open one f, with the content that
// the id of e is of.
func (s *Store) isStill(user string, d *os.File, name string, f *os.File, e *entry) (stamp, bool) {
	var st unix.Stat_t
	if err := unix.Fstatat(int(d.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return stamp{}, false
	}
	is, err := statOf(f)
	if err != nil || is.Inode != uint64(st.Ino) {
		return stamp{}, false
	}
	content, err := fingerprintOf(f, is.Size)
	return is, err == nil && itemID(user, content, e.number) == e.id
}

// moved tells the boxes of a file that is now in another folder, so that it is not looked at
// once more.
func (s *Store) moved(from *box, e *entry, to *box, now *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now.facts, now.seen, now.looked = e.facts, e.seen, e.looked
	if was := from.byID[e.id]; was != nil {
		delete(from.entries, was.name)
		from.leaveLocked(was)
	}
	to.entries[now.name], to.byID[now.id] = now, now
	from.listed, to.listed, from.dirty, to.dirty = nil, nil, true, true
}

func (s *Store) makeFolder(user, dir string) error {
	root, err := s.open(user, true)
	if err != nil {
		return err
	}
	defer root.Close()
	return makeIn(root, dir)
}

// folders opens two folders of a mailbox.
func (s *Store) folders(user, one, two string) (*os.File, *os.File, error) {
	a, err := s.folder(user, one)
	if err != nil {
		return nil, nil, err
	}
	b, err := s.folder(user, two)
	if err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}

// Deleted lists a user's deleted messages that can be restored; "" is every user's. Callers
// must not change it.
func (s *Store) Deleted(user string) ([]Message, error) {
	list, err := s.list(user, deletedDir)
	list = slices.Clone(list)
	for i := range list {
		s.describeDeleted(&list[i])
	}
	slices.SortFunc(list, Message.compare)
	return list, err
}

// describeDeleted takes a deleted message's name and time from the name and time of its file.
func (s *Store) describeDeleted(m *Message) {
	parts := trashNames.FindStringSubmatch(m.Name)
	if parts == nil {
		return
	}
	s.mu.Lock()
	if e := s.boxes[boxKey{m.Mailbox, deletedDir}].byID[m.ID]; e != nil {
		m.Deleted = time.Unix(0, e.stamp.Changed)
	}
	s.mu.Unlock()
	m.Name = parts[4]
	at, _ := strconv.ParseInt(parts[3], 10, 64)
	left := keepDeleted - time.Duration(s.age()-at)*time.Minute
	m.KeptDays = int(max(1, (left+24*time.Hour-1)/(24*time.Hour)))
}

// Restore brings a deleted message back, with the id it had; "" looks into every mailbox. If
// there is another message of its name now it gets a number. Errors: ErrItemID, ErrItem,
// ErrUnreadable.
func (s *Store) Restore(user, id string) (Message, error) {
	s.change.Lock()
	defer s.change.Unlock()
	b, e, f, err := s.locate(user, deletedDir, id)
	if err != nil {
		return Message{}, err
	}
	defer f.Close()
	fail := func(err error) (Message, error) {
		return Message{}, fmt.Errorf("mailbox: message %s of %s not restored: %w", id, b.user, err)
	}
	if err := s.makeFolder(b.user, messagesDir); err != nil {
		return fail(err)
	}
	from, to, err := s.folders(b.user, deletedDir, messagesDir)
	if err != nil {
		return fail(err)
	}
	defer from.Close()
	defer to.Close()
	name, err := moveFree(from, e.name, to, trashNames.FindStringSubmatch(e.name)[4])
	if err != nil {
		return fail(err)
	}
	st, err := statOf(f)
	if err != nil {
		return fail(err)
	}
	now := &entry{name: name, stamp: st, id: id, number: e.number}
	if now.content, err = fingerprintOf(f, st.Size); err == nil && itemID(b.user, now.content, e.number) != id {
		err = ErrUnfinished
	}
	if err := errors.Join(err, to.Sync(), from.Sync()); err != nil {
		return fail(err)
	}
	inbox := s.box(b.user, messagesDir)
	s.moved(b, e, inbox, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	return inbox.message(now, time.Now()), nil
}

// ageFile holds for how many minutes the store has been open in its life. It is what the age
// of deleted messages is counted by.
const ageFile = ".age"

// ageEvery is how often it is stored, in minutes.
const ageEvery = 60

// loadAge reads the age of the store. One that is lost is that of the last message that was
// deleted: then all are kept for longer than they would have been.
func (s *Store) loadAge() {
	s.opened = time.Now()
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		if of, _ := statefile.Unfinished(e.Name()); of == ageFile {
			_ = os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
	b, err := os.ReadFile(filepath.Join(s.dir, ageFile))
	if err == nil {
		text, ok := unsealed(string(b))
		age, perr := strconv.ParseInt(text, 10, 64)
		if ok && perr == nil && age >= 0 {
			s.before, s.saved = time.Duration(age)*time.Minute, age
			return
		}
	}
	for _, t := range s.trash() {
		s.before = max(s.before, time.Duration(t.age)*time.Minute)
	}
}

// age is how long the store has been open in its life, in minutes.
func (s *Store) age() int64 { return int64((s.before + time.Since(s.opened)) / time.Minute) }

// saveAge stores the age of the store, if there is anything that needs it.
func (s *Store) saveAge() error {
	if len(s.trash()) == 0 {
		return nil
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	defer root.Close()
	s.saved = s.age()
	return statefile.ReplaceIn(root, ageFile, 0o640, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(sealed(strconv.AppendInt(nil, s.saved, 10))))
		return err
	})
}

// thrown is a file in the trash.
type thrown struct {
	user, name string
	age        int64 // of the store when it was deleted, in minutes
}

// trash is what is deleted, the oldest first.
func (s *Store) trash() (list []thrown) {
	users, err := s.users("")
	if err != nil {
		return nil
	}
	for _, u := range users {
		d, err := s.folder(u, deletedDir)
		if err != nil {
			continue
		}
		names, _ := d.Readdirnames(maxMessages)
		d.Close()
		for _, name := range names {
			if m := trashNames.FindStringSubmatch(name); m != nil {
				age, _ := strconv.ParseInt(m[3], 10, 64)
				list = append(list, thrown{u, name, age})
			}
		}
	}
	slices.SortFunc(list, func(a, b thrown) int {
		return cmp.Or(cmp.Compare(a.age, b.age), cmp.Compare(a.name, b.name))
	})
	return list
}

// emptyTrash removes the deleted messages that have been kept for long enough, and as many of
// the oldest as it takes to have some room.
func (s *Store) emptyTrash() error {
	s.change.Lock()
	defer s.change.Unlock()
	var errs []error
	for _, t := range s.trash() {
		if s.age()-t.age < int64(keepDeleted/time.Minute) && s.room(s.dir) >= littleRoom {
			break // those that follow are younger
		}
		d, err := s.folder(t.user, deletedDir)
		if err == nil {
			err = errors.Join(unix.Unlinkat(int(d.Fd()), t.name, 0), d.Sync(), d.Close())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// roomOn is how much may be written to the file system of dir, in bytes. One that does not
// tell has enough.
func roomOn(dir string) uint64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return littleRoom
	}
	return st.Bavail * uint64(st.Bsize)
}

// adopt gives files in the trash that were deleted by an earlier version, or put there by
// hand, names from which they can be restored.
func (s *Store) adopt() {
	users, err := s.users("")
	if err != nil {
		return
	}
	for _, u := range users {
		d, err := s.folder(u, deletedDir)
		if err != nil {
			continue
		}
		list, _ := files(d)
		for _, f := range list {
			if trashNames.MatchString(f.name) {
				continue
			}
			s.adoptOne(u, d, f)
		}
		d.Close()
	}
}

func (s *Store) adoptOne(user string, d *os.File, f file) {
	s.change.Lock()
	defer s.change.Unlock()
	open, st, err := openFile(d, f.name)
	if err != nil {
		return
	}
	content, err := fingerprintOf(open, st.Size)
	open.Close()
	if err == nil {
		number := numberFor(f.name, st.Modified)
		_ = move(d, f.name, d, trashName(itemID(user, content, number), number, s.age(), f.name))
	}
}
