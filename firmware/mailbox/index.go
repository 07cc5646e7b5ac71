package mailbox

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"time"

	"hookswitch/firmware/statefile"
)

// The index of a folder spares the board from looking at every message again after a restart.
// It is made of lines, each with its own checksum, so that a damaged one costs a look at one
// message. Without it nothing is lost, but for which of two messages of the same content had
// which of their two ids.

// maxLine of an index, in bytes.
const maxLine = 16 << 10

// indexed is a line of the index.
type indexed struct {
	Name    []byte `json:"name"` // need not be UTF-8
	Stamp   stamp  `json:"stamp"`
	Looked  int64  `json:"looked"` // ns since 1970
	Content string `json:"content"`
	Number  uint32 `json:"number,omitempty"`
	MS      int64  `json:"duration_ms"` // -1 of one that has a fault: a later version may have none with it
}

func indexName(dir string) string { return dir + ".index" }

// sealed is a line with its checksum.
func sealed(text []byte) []byte { return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text) }

// unsealed is the text of a line that is as it was written.
func unsealed(line string) (text string, ok bool) {
	sum, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	return text, ok && sum == fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text)))
}

// loadIndex takes over what the index knows.
func (s *Store) loadIndex(b *box) {
	root, err := s.open(b.user, false)
	if err != nil {
		return
	}
	defer root.Close()
	d, err := root.Open(".")
	if err != nil {
		return
	}
	defer d.Close()
	f, _, err := openFile(d, indexName(b.dir))
	if err != nil {
		return
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxMessages*maxLine))
	lines.Buffer(nil, maxLine)
	s.mu.Lock()
	defer s.mu.Unlock()
	for lines.Scan() && len(b.entries) < maxMessages {
		text, ok := unsealed(lines.Text())
		var l indexed
		if !ok || json.Unmarshal([]byte(text), &l) != nil {
			continue
		}
		e := &entry{
			name: string(l.Name), stamp: l.Stamp, seen: time.Now(), looked: time.Unix(0, l.Looked), number: l.Number,
			facts: facts{known: l.MS >= 0, duration: time.Duration(max(l.MS, 0)) * time.Millisecond},
		}
		if n, err := hex.Decode(e.content[:], []byte(l.Content)); err != nil || n != len(e.content) {
			continue
		}
		e.id = itemID(b.user, e.content, e.number)
		if b.dir == deletedDir && !e.readTrashName() {
			continue
		}
		if b.byID[e.id] == nil {
			b.entries[e.name], b.byID[e.id] = e, e
		}
	}
}

// saveIndex stores the index of a box, if the one on the disk is older.
func (s *Store) saveIndex(b *box) error {
	b.saving.Lock()
	defer b.saving.Unlock()
	s.mu.Lock()
	var list []indexed
	if b.dirty {
		for _, e := range b.entries {
			if e.indexed() {
				ms := e.facts.duration.Milliseconds()
				if e.facts != (facts{known: true, duration: e.facts.duration, whole: e.facts.whole}) {
					ms = -1
				}
				list = append(list, indexed{
					Name: []byte(e.name), Stamp: e.stamp, Looked: e.looked.UnixNano(),
					Content: hex.EncodeToString(e.content[:]), Number: e.number, MS: ms,
				})
			}
		}
	}
	dirty := b.dirty
	b.dirty = false
	s.mu.Unlock()
	if !dirty {
		return nil
	}
	err := s.writeIndex(b, list)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.mu.Lock()
		b.dirty = true
		s.mu.Unlock()
	}
	return err
}

func (s *Store) writeIndex(b *box, list []indexed) error {
	root, err := s.open(b.user, false)
	if err != nil {
		return err
	}
	defer root.Close()
	name := indexName(b.dir)
	if info, err := root.Lstat(name); err == nil && !info.Mode().IsRegular() {
		if _, err := statefile.SetAside(root, name); err != nil {
			return err
		}
	}
	return statefile.ReplaceIn(root, name, 0o640, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		for _, l := range list {
			text, err := json.Marshal(l)
			if err != nil {
				return err
			}
			if _, err := out.Write(sealed(text)); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

// saveIndexes stores what has changed of every index.
func (s *Store) saveIndexes() (err error) {
	s.mu.Lock()
	var boxes []*box
	for _, b := range s.boxes {
		boxes = append(boxes, b)
	}
	s.mu.Unlock()
	for _, b := range boxes {
		err = errors.Join(err, s.saveIndex(b))
	}
	return err
}
