package call

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"unicode/utf8"
)

const (
	maxRecord    = 16 << 10 // bytes of one record of the call log
	maxBadBlocks = 16       // blocks of the card that can't be read, before the rest is given up
	blockSize    = 4 << 10  // bytes that a bad sector takes with it
)

// asideName ends the name that a damaged call log is kept under; there are maxAside at most.
const (
	asideName = ".damaged"
	maxAside  = 3
)

// readLog reads the call log at path. lost counts the stretches of it that are no records; a
// record that has no end, at the end, was cut by a power failure and is none of them. The
// error is why the file can't be read at all; where there is none, there are no calls.
func readLog(path string) (calls []Info, lost int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("call: log: %w", err)
	}
	defer f.Close()
	if s, err := f.Stat(); err != nil || !s.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("call: log: %s is no file", path)
	}
	blocks := &blockReader{in: f}
	calls, lost = readHistory(blocks)
	return calls, lost + blocks.bad, nil
}

// blockReader reads a file on a card that may have bad blocks: these read as NULs.
type blockReader struct {
	in  io.ReaderAt
	at  int64
	bad int
}

// Read implements io.Reader.
func (r *blockReader) Read(p []byte) (int, error) {
	n, err := r.in.ReadAt(p, r.at)
	if n == 0 && err != nil && !errors.Is(err, io.EOF) {
		if r.bad == maxBadBlocks {
			return 0, err
		}
		r.bad++
		n, err = min(len(p), blockSize-int(r.at%blockSize)), nil
		clear(p[:n])
	}
	r.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// readHistory folds the records into one an id. It goes on after whatever is no record: a
// power failure may leave a block of NULs, or of anything, wherever the file was written.
func readHistory(in io.Reader) (calls []Info, lost int) {
	f := &folder{index: map[string]int{}}
	block := make([]byte, 32<<10)
	var line []byte
	nuls := false // the last bytes were NULs: whatever stood there
	for {
		n, err := in.Read(block)
		for rest := block[:n]; len(rest) > 0; {
			end := bytes.IndexAny(rest, "\n\x00")
			if nuls && end != 0 {
				f.lost++ // at the end of the file they are only what a power cut leaves
				nuls = false
			}
			if end < 0 {
				line = append(line, rest...)
				break
			}
			f.add(append(line, rest[:end]...))
			nuls = nuls || rest[end] == 0
			line, rest = line[:0], rest[end+1:]
		}
		if extra := len(line) - 2*maxRecord; extra > 0 { // the record that may begin here is shorter
			f.add(line[:len(line)-maxRecord])
			line = append(line[:0], line[len(line)-maxRecord:]...)
		}
		if err != nil {
			break
		}
	}
	if before := f.lost; len(line) > 0 {
		f.add(line)
		f.lost = before
	}
	if nuls && len(f.calls) == 0 && f.lost == 0 { // a power cut leaves what was written before
		f.lost++
	}
	f.forget(keepCalls)
	return f.calls, f.lost
}

// folder keeps the last record of each call, in the order in which they began.
type folder struct {
	calls []Info
	index map[string]int
	lost  int // stretches that are no record
}

// recordStart begins each record, and stands nowhere in one: a quote in a string is escaped.
var recordStart = []byte(`{"id":`)

// add takes a line: one record, unless it is damaged.
func (f *folder) add(line []byte) {
	damaged := false
	for line = bytes.TrimSpace(line); len(line) > 0; line = bytes.TrimSpace(line) {
		n := f.record(line)
		if n == 0 { // on to where the next may begin
			damaged = true
			if n = 1 + bytes.Index(line[1:], recordStart); n == 0 {
				n = len(line)
			}
		}
		line = line[n:]
	}
	if damaged {
		f.lost++
	}
}

// record takes the record that text begins with, and returns its length; 0 is for none.
func (f *folder) record(text []byte) int {
	var info Info
	d := json.NewDecoder(bytes.NewReader(text[:min(len(text), maxRecord)]))
	if !bytes.HasPrefix(text, recordStart) || d.Decode(&info) != nil {
		return 0
	}
	n := int(d.InputOffset())
	if info.ID == "" || !info.State.known() || !utf8.Valid(text[:n]) { // encoding/json takes any bytes
		return 0
	}
	if i, ok := f.index[info.ID]; ok {
		f.calls[i] = info
		return n
	}
	f.index[info.ID] = len(f.calls)
	f.calls = append(f.calls, info)
	if len(f.calls) > 2*keepCalls {
		f.forget(keepCalls)
	}
	return n
}

// forget leaves the newest n.
func (f *folder) forget(n int) {
	if len(f.calls) <= n {
		return
	}
	f.calls = append(f.calls[:0], f.calls[len(f.calls)-n:]...)
	clear(f.index)
	for i, c := range f.calls {
		f.index[c.ID] = i
	}
}

func (s State) known() bool {
	switch s {
	case Idle, Connecting, Alerted, Connected, Disconnected, Incoming:
		return true
	}
	return false
}

// setAside keeps a file under another name. Where the file system has no links, path is there
// no more after that.
func setAside(path string) (name string, err error) {
	name = path + asideName
	for n := 2; n <= maxAside; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			break
		}
		name = path + asideName + "." + strconv.Itoa(n)
	}
	if err := os.RemoveAll(name); err != nil { // the newest of too many
		return name, err
	}
	if os.Link(path, name) == nil {
		return name, nil
	}
	return name, os.Rename(path, name)
}
