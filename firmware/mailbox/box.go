package mailbox

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/sentence"
)

// box is what is known of one folder of a mailbox. Names, sizes and times are looked up at
// each listing. What takes longer, a file's fingerprint and what sound is in it, is found out
// by workers (look.go), once for each content, and kept in the index (index.go).
type box struct {
	user, dir string
	longest   time.Duration // Store.Longest

	scanning sync.Mutex // one scan at a time
	started  atomic.Int64
	err      error      // of the last scan; guarded by scanning
	saving   sync.Mutex // one writer of the index at a time

	// Store.mu guards the rest.
	entries  map[string]*entry        // by file name
	byID     map[string]*entry        // those of entries that have an id
	gone     map[fingerprint][]*entry // no longer under their names: a renamed file keeps its id
	named    gate                     // of entries that have no id yet
	settled  gate                     // of entries that may soon be known; slow ones are not waited for
	listed   []Message                // the last listing, nil if it no longer holds
	until    time.Time                // and until when it holds; zero is for ever
	partly   string                   // why not all of the folder could be read
	dirty    bool                     // the index on the disk is older
	numbered bool                     // it has to be stored soon: only it knows some numbers
}

// entry is a file of a box.
type entry struct {
	name    string
	stamp   stamp
	seen    time.Time // since when it has been as it is
	looked  time.Time // when its content was looked at
	queued  bool
	grew    bool        // it had fewer bytes when it was first seen
	content fingerprint // the zero one until it is known
	number  uint32      // of several with the same content
	id      string
	facts   facts
}

// facts are what a listing tells of a file's content.
type facts struct {
	known      bool
	duration   time.Duration
	fault      string
	passing    bool   // the fault may be gone the next time, without a trace in the file
	incomplete string // what is missing of what can be played
	short      bool   // there is less in the file than it says itself
	whole      bool   // there is as much in the file as it says itself
}

// gate lets those through who wait until nothing is left to do.
type gate struct {
	left int
	open chan struct{}
}

func (g *gate) add() {
	if g.left++; g.left == 1 {
		g.open = make(chan struct{})
	}
}

func (g *gate) done() {
	if g.left--; g.left == 0 {
		close(g.open)
		g.open = nil
	}
}

type boxKey struct{ user, dir string }

// box returns what is known of a folder, at first what the index has.
func (s *Store) box(user, dir string) *box {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.boxes[boxKey{user, dir}]
	if b == nil {
		b = &box{
			user: user, dir: dir, longest: s.Longest,
			entries: map[string]*entry{}, byID: map[string]*entry{}, gone: map[fingerprint][]*entry{},
		}
		s.boxes[boxKey{user, dir}] = b
	}
	return b
}

// scan brings a box up to date with its folder. A scan that begins after this one was asked
// for will do: many who ask at once share it.
func (s *Store) scan(b *box) error {
	asked := b.started.Load()
	b.scanning.Lock()
	defer b.scanning.Unlock()
	if b.started.Load() > asked {
		return b.err
	}
	if b.started.Add(1) == 1 {
		s.loadIndex(b)
		if b.dir == messagesDir {
			_ = s.scan(s.box(b.user, deletedDir)) // its ids are taken
		}
	}
	b.err = s.scanNow(b)
	return b.err
}

func (s *Store) scanNow(b *box) error {
	var list []file
	d, err := s.folder(b.user, b.dir)
	if err == nil {
		list, err = files(d)
		d.Close()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	case err != nil && len(list) == 0:
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b.partly = ""
	if err != nil {
		b.partly = sentence.Of(err)
	}
	s.updateLocked(b, list)
	return nil
}

// updateLocked takes over what a scan has found, and has new files looked at, newest first.
func (s *Store) updateLocked(b *box, list []file) {
	now := time.Now()
	entries := make(map[string]*entry, len(list))
	var look []*entry
	for _, f := range list {
		e := b.entries[f.name]
		if e == nil || e.stamp != f.stamp {
			is := &entry{name: f.name, stamp: f.stamp, seen: now}
			if e != nil && e.stamp.sameContent(f.stamp) {
				is.seen, is.grew = e.seen, e.grew
			} else if e != nil {
				is.grew = e.stamp.Inode == f.stamp.Inode && e.stamp.Size < f.stamp.Size
			}
			e = is
			if b.dir == deletedDir && !e.readTrashName() {
				continue
			}
		}
		if entries[f.name] = e; !e.queued && e.again() {
			look = append(look, e)
		}
	}
	changed := len(look) > 0 || len(entries) != len(b.entries)
	for name, e := range b.entries {
		if entries[name] != e {
			b.leaveLocked(e)
			changed, b.dirty = true, b.dirty || e.indexed()
		}
	}
	if changed {
		b.listed = nil
	}
	b.entries = entries
	if b.dir == deletedDir {
		for _, e := range entries {
			b.byID[e.id] = e
		}
	}
	slices.SortFunc(look, func(x, y *entry) int { return cmp.Compare(x.stamp.Modified, y.stamp.Modified) })
	s.lookLocked(b, look)
}

// indexed reports whether an entry is worth a line of the index.
func (e *entry) indexed() bool { return e.facts.known && !e.facts.passing }

// leaveLocked takes an entry out of those that have an id, which a renamed file may want back.
func (b *box) leaveLocked(e *entry) {
	if b.byID[e.id] == e {
		delete(b.byID, e.id)
	}
	if e.content != (fingerprint{}) {
		b.gone[e.content] = append(b.gone[e.content], e)
	}
}

// tick is how coarse times of files may be: what was written within it of a look may have been
// written after it.
const tick = 2 * time.Second

// again reports whether an entry has to be looked at.
func (e *entry) again() bool {
	return !e.facts.known || e.facts.passing || e.id == "" ||
		e.looked.Sub(time.Unix(0, e.stamp.Changed)).Abs() < tick && e.content != fingerprint{}
}

// nameLocked gives an entry the id of its content: the one that it had under another name; or
// where there are several of that content, one that no other has, here or in the trash.
func (s *Store) nameLocked(b *box, e *entry, content fingerprint) {
	if e.content == content {
		return
	}
	if b.byID[e.id] == e {
		delete(b.byID, e.id)
	}
	e.content, e.facts = content, facts{}
	trash := s.boxes[boxKey{b.user, deletedDir}]
	free := func(number uint32) bool {
		id := itemID(b.user, content, number)
		return b.byID[id] == nil && (trash == nil || trash.byID[id] == nil)
	}
	number, found := uint32(0), free(0)
search:
	for _, same := range []func(*entry) bool{
		func(o *entry) bool { return o.stamp.Inode == e.stamp.Inode },
		func(o *entry) bool { return o.name == e.name },
	} {
		for _, o := range b.gone[content] {
			if same(o) && free(o.number) {
				number, found = o.number, true
				break search
			}
		}
	}
	for next := numberFor(e.name, e.stamp.Modified); !found; next++ {
		number, found = next, free(next)
		b.numbered = true
	}
	e.number, e.id = number, itemID(b.user, content, number)
	b.byID[e.id] = e
	e.facts = b.factsLocked(e)
}

// factsLocked returns what is known of another file with the content of e. Some formats are told
// by the end of the name.
func (b *box) factsLocked(e *entry) facts {
	same := func(o *entry) bool {
		return o.facts.known && !o.facts.passing && strings.EqualFold(path.Ext(o.name), path.Ext(e.name))
	}
	if o := b.byID[itemID(b.user, e.content, 0)]; o != nil && same(o) {
		return o.facts
	}
	if i := slices.IndexFunc(b.gone[e.content], same); i >= 0 {
		return b.gone[e.content][i].facts
	}
	return facts{}
}

// wait waits until a gate is open, for some time at most.
func (s *Store) wait(g *gate, limit time.Duration) {
	s.mu.Lock()
	open := g.open
	s.mu.Unlock()
	if open == nil {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-open:
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// quiet is how long a file that is not whole must have been left alone to be taken for one
// that will not become any more.
const quiet = 10 * time.Second

// unfinished reports whether a file may become more. One that has grown and does not say how
// long it is may do so again.
func (e *entry) unfinished() bool { return e.facts.short || e.grew && !e.facts.whole }

// fresh reports whether a file may still be being written: it was changed a moment ago, or at
// a time that has not come yet and not long before it was first seen.
func (e *entry) fresh(now time.Time) bool {
	age := now.Sub(time.Unix(0, e.stamp.Modified))
	return age < quiet && (age >= 0 || now.Sub(e.seen) < quiet)
}

// Faults of messages that are not whole, or not known, yet.
const (
	stillWritten = "still being written"
	stillRead    = "still being looked at; list it again in a moment"
)

// message is what a listing shows of an entry.
func (b *box) message(e *entry, now time.Time) Message {
	m := Message{
		ID: e.id, Name: e.name, Mailbox: b.user, Modified: time.Unix(0, e.stamp.Modified),
		DurationMS: e.facts.duration.Milliseconds(), Fault: e.facts.fault, Incomplete: e.facts.incomplete,
	}
	switch {
	case e.id == "":
		m.Fault = stillRead
	case e.unfinished() && e.fresh(now):
		m.Fault = stillWritten
	case m.Fault == "" && b.longest > 0 && e.facts.duration > b.longest:
		m.Fault = audio.TooLong{Length: e.facts.duration, Limit: b.longest}.Error()
	}
	return m
}

// brief is how long a listing holds that time, or a worker, may change. However many ask, there
// are few lists at once in memory.
const brief = 100 * time.Millisecond

// listLocked lists a box, newest first. Callers share the list.
func (b *box) listLocked() []Message {
	now := time.Now()
	if b.listed != nil && (b.until.IsZero() || now.Before(b.until)) {
		return b.listed
	}
	list := make([]Message, 0, len(b.entries))
	lasting := b.named.left == 0 && b.settled.left == 0
	for _, e := range b.entries {
		list = append(list, b.message(e, now))
		lasting = lasting && !e.facts.passing && !e.unfinished() && e.facts.known
	}
	slices.SortFunc(list, Message.compare)
	b.listed, b.until = list, now.Add(brief)
	if lasting {
		b.until = time.Time{}
	}
	return list
}

// After reports whether a message is listed after another: it is older.
func (m Message) After(o Message) bool { return m.compare(o) > 0 }

// compare orders messages as they are listed: newest first.
func (m Message) compare(o Message) int {
	return cmp.Or(o.Modified.Compare(m.Modified), strings.Compare(m.Mailbox, o.Mailbox), strings.Compare(m.Name, o.Name))
}
