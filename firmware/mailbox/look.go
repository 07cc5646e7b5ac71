package mailbox

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/sentence"
)

const (
	// workers look at files, one each at a time.
	workers = 2
	// soon is how long a file is looked at before the others; one that takes longer, an MP3
	// of hours, is put off until there are no others, and no listing waits for it.
	soon = time.Second
)

// look is an entry that is to be looked at.
type look struct {
	box   *box
	entry *entry
}

// queue is what the workers have before them, guarded by Store.mu.
type queue struct {
	names []look // without an id; the last one first
	facts []look // with an id; the first one first
	slow  []look
	busy  int  // workers
	long  bool // one of them is at a slow one
}

// lookLocked queues entries, the last one first.
func (s *Store) lookLocked(b *box, list []*entry) {
	for _, e := range list {
		e.queued = true
		b.named.add()
		b.settled.add()
		s.queue.names = append(s.queue.names, look{b, e})
	}
	s.hireLocked()
}

// hireLocked starts workers for what is queued.
func (s *Store) hireLocked() {
	q := &s.queue
	for range min(workers-q.busy, len(q.names)+len(q.facts)+len(q.slow)) {
		if s.ctx.Err() == nil {
			q.busy++
			s.wg.Go(s.work)
		}
	}
}

// work looks at files until there are no more.
func (s *Store) work() {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &s.queue
	defer func() { q.busy-- }()
	for s.ctx.Err() == nil {
		var l look
		switch n := len(q.names); {
		case n > 0:
			l, q.names = q.names[n-1], q.names[:n-1]
			s.findNameLocked(l)
		case len(q.facts) > 0:
			l, q.facts = q.facts[0], q.facts[1:]
			s.findFactsLocked(l, soon)
		case len(q.slow) > 0 && !q.long:
			l, q.slow = q.slow[0], q.slow[1:]
			q.long = true
			s.findFactsLocked(l, 0)
			q.long = false
		default:
			return
		}
	}
}

// current reports whether an entry is still that of its name.
func (l look) current() bool { return l.box.entries[l.entry.name] == l.entry }

// findNameLocked gives an entry its id. It lets go of the lock while it reads.
func (s *Store) findNameLocked(l look) {
	b, e := l.box, l.entry
	defer b.named.done()
	var content fingerprint
	var written bool
	var err error
	if b.dir != deletedDir { // there the name has it
		s.mu.Unlock()
		content, written, err = s.readName(b, e.name, e.stamp)
		s.mu.Lock()
	}
	e.looked = time.Now()
	if !l.current() {
		s.finishLocked(l)
		return
	}
	same := err == nil && content == e.content
	switch {
	case err != nil:
		e.content, e.facts = fingerprint{}, facts{known: true, fault: reason(err), passing: true}
		delete(b.byID, e.id)
		sum := sha256.Sum256(fmt.Appendf(nil, "unreadable %d %s", e.stamp.Inode, e.name))
		e.id = itemID(b.user, fingerprint(sum[:len(fingerprint{})]), 0)
		b.byID[e.id] = e
	case b.dir != deletedDir:
		s.nameLocked(b, e, content)
		if written {
			e.facts = facts{known: true, fault: stillWritten, passing: true}
		} else if e.facts.passing {
			e.facts = facts{}
		}
	}
	if e.facts.known {
		b.dirty = b.dirty || !same && e.indexed()
		s.finishLocked(l)
		return
	}
	s.queue.facts = append(s.queue.facts, l)
	s.hireLocked()
}

// finishLocked ends the look at an entry, if it was one that is waited for.
func (s *Store) finishLocked(l look) {
	l.entry.queued = false
	l.box.settled.done()
	if l.box.settled.left > 0 {
		return
	}
	l.box.listed = nil
	clear(l.box.gone)
	if l.box.numbered && s.ctx.Err() == nil {
		l.box.numbered, l.box.dirty = false, true
		s.wg.Go(func() { _ = s.saveIndex(l.box) })
	}
}

// readName reads what names a file.
func (s *Store) readName(b *box, name string, want stamp) (content fingerprint, written bool, err error) {
	d, err := s.folder(b.user, b.dir)
	if err != nil {
		return content, false, err
	}
	defer d.Close()
	f, _, err := openFile(d, name)
	if err != nil {
		return content, false, err
	}
	defer f.Close()
	if content, err = fingerprintOf(f, want.Size); err != nil {
		return content, false, err
	}
	is, err := statOf(f)
	if err == nil && is != want {
		err = ErrUnfinished
	}
	return content, beingWritten(f), err
}

// findFactsLocked finds out what sound is in a file, within limit if it is not 0. It lets go
// of the lock while it reads.
func (s *Store) findFactsLocked(l look, limit time.Duration) {
	b, e := l.box, l.entry
	name, was := e.name, e.stamp
	s.mu.Unlock()
	got, whole := s.readFacts(b, name, was, limit)
	s.mu.Lock()
	if l.current() && whole {
		e.facts, b.dirty = got, b.dirty || !got.passing
	}
	switch {
	case limit == 0:
		e.queued, b.listed = false, nil
	case !whole && l.current(): // nobody waits for it any more
		s.finishLocked(l)
		e.queued = true
		s.queue.slow = append(s.queue.slow, l)
	default:
		s.finishLocked(l)
	}
}

func (s *Store) readFacts(b *box, name string, want stamp, limit time.Duration) (got facts, whole bool) {
	passing := func(err error) (facts, bool) {
		return facts{known: true, fault: reason(err), passing: true}, true
	}
	d, err := s.folder(b.user, b.dir)
	if err != nil {
		return passing(err)
	}
	defer d.Close()
	f, _, err := openFile(d, name)
	if err != nil {
		return passing(err)
	}
	defer f.Close()
	r := &patient{f: f, ctx: s.ctx}
	if limit > 0 {
		r.until = time.Now().Add(limit)
	}
	got = describe(r, name)
	if r.stopped {
		return facts{}, false
	}
	is, err := statOf(f)
	if err == nil && !is.sameContent(want) {
		err = ErrUnfinished
	}
	if err = cmp.Or(err, r.failed); err != nil {
		return passing(err)
	}
	return got, true
}

// describe tells the facts of a message.
func describe(r io.ReadSeeker, name string) facts {
	about, err := audio.Describe(r, name)
	if err != nil {
		return facts{known: true, fault: reason(err), short: errors.Is(err, audio.ErrBroken)}
	}
	length, err := declaredLength(r)
	return facts{
		known: true, duration: about.Duration, incomplete: about.Incomplete(),
		short: err == nil && length == cutOff, whole: err == nil && length == whole,
	}
}

// patient is a file that is read until it has taken too long.
type patient struct {
	f       *os.File
	ctx     context.Context
	until   time.Time // zero is for ever
	stopped bool
	failed  error // of the disk
}

var errSlow = errors.New("mailbox: it takes too long")

func (p *patient) Read(b []byte) (int, error) {
	if p.stopped = p.stopped || p.ctx.Err() != nil || !p.until.IsZero() && time.Now().After(p.until); p.stopped {
		return 0, errSlow
	}
	n, err := p.f.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.failed = err
	}
	return n, err
}

func (p *patient) Seek(offset int64, whence int) (int64, error) { return p.f.Seek(offset, whence) }

// reason says to a person why a message can't be played.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it; let the board's user read the file (chmod a+r)"
	case errors.Is(err, fs.ErrNotExist):
		return "gone"
	case errors.Is(err, ErrUnfinished), errors.Is(err, io.ErrUnexpectedEOF):
		return stillWritten
	case errors.Is(err, syscall.EIO):
		return "the disk can't read it: " + sentence.Of(err)
	}
	return sentence.Of(err)
}
