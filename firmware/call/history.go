package call

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/google/renameio/v2"
)

// Bounds of the call log, in memory and on the card. An ended call can be asked about for
// a day at the least; a board's clock may start in 1970, so the count bounds the log, not
// the dates.
const (
	keepCalls = 5000    // no board makes so many a day
	maxRecord = 4 << 10 // bytes of one record
	maxLog    = 4 << 20 // bytes of the file before it is written anew
)

// history is the call log (the CDRs): one JSON record a line, appended when a call starts
// and again when it has ended; the last record of an id holds. A file that ends in the
// middle of a record was cut by a power failure and loses that record only.
type history struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex // guards what follows
	file  *os.File   // nil where there is no log, or it can't be written
	size  int64
	calls []Info // as they will be after the next start, oldest first
	fault error  // why records are not on the disk
}

// openHistory reads the log at path and makes it ready for more. On an error the history
// works in memory.
func openHistory(path string, log *slog.Logger) (*history, error) {
	h := &history{path: path, log: log}
	if path == "" {
		return h, nil
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return h, fmt.Errorf("call: log: %w", err)
	}
	h.calls = readHistory(data, log)
	if err := h.rewrite(); err != nil {
		h.fault = fmt.Errorf("call: log: %w", err)
		return h, h.fault
	}
	return h, nil
}

// readHistory folds the records into one an id. A call that never ended was cut off with
// the daemon, and its line has been put on-hook since.
func readHistory(data []byte, log *slog.Logger) []Info {
	index := map[string]int{}
	var calls []Info
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxRecord)
	for lines.Scan() {
		var info Info
		if err := json.Unmarshal(lines.Bytes(), &info); err != nil || info.ID == "" {
			log.Warn("call log: damaged record skipped")
			continue
		}
		if i, ok := index[info.ID]; ok {
			calls[i] = info
		} else {
			index[info.ID] = len(calls)
			calls = append(calls, info)
		}
	}
	if err := lines.Err(); err != nil {
		log.Warn("call log: rest unreadable", "error", err)
	}
	for i := range calls {
		if calls[i].State != Disconnected {
			calls[i].State, calls[i].Cause, calls[i].Ended = Disconnected, Other, calls[i].Started
			calls[i].SIPCode, calls[i].Reason = 487, "the daemon was stopped or the power failed"
		}
	}
	return calls[max(0, len(calls)-keepCalls):]
}

// rewrite replaces the file by one record a call, atomically, and opens it for appending.
func (h *history) rewrite() error {
	var buf bytes.Buffer
	for _, info := range h.calls {
		line, err := json.Marshal(info)
		if err != nil {
			return err
		}
		buf.Write(append(line, '\n'))
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	if err := renameio.WriteFile(h.path, buf.Bytes(), 0o600); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(h.path)); err == nil { // the new name must survive too
		_ = dir.Sync()
		_ = dir.Close()
	}
	if h.file != nil {
		_ = h.file.Close()
	}
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND, 0o600)
	h.file, h.size = f, int64(buf.Len())
	return err
}

// records returns the calls read at the start, oldest first.
func (h *history) records() []Info { return h.calls }

// add notes a call that starts. It does not wait for the card: sync does.
func (h *history) add(info Info) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, info)
	h.write(info)
}

// sync returns when what was noted is on the card, or can't be. Others go on meanwhile.
func (h *history) sync() {
	h.mu.Lock()
	file := h.file
	h.mu.Unlock()
	if file == nil {
		return
	}
	if err := file.Sync(); err != nil && !errors.Is(err, fs.ErrClosed) { // written anew meanwhile
		h.mu.Lock()
		defer h.mu.Unlock()
		h.report(err)
	}
}

// end notes a call that has ended and returns when the record is on the card, or can't be.
func (h *history) end(info Info) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.IndexFunc(h.calls, func(c Info) bool { return c.ID == info.ID }); i >= 0 {
		h.calls[i] = info
	}
	h.write(info)
	if h.file != nil {
		h.report(h.file.Sync())
	}
	if h.size > maxLog || len(h.calls) > 2*keepCalls {
		h.calls = slices.Clone(h.calls[max(0, len(h.calls)-keepCalls):])
		if h.path != "" {
			h.report(h.rewrite())
		}
	}
}

// write appends one record; mu is held.
func (h *history) write(info Info) {
	if h.path == "" {
		return
	}
	if h.file == nil { // the card was full or read-only: it may be better now
		h.report(h.rewrite())
		return
	}
	line, err := json.Marshal(info)
	if err == nil {
		var n int
		n, err = h.file.Write(append(line, '\n'))
		h.size += int64(n)
	}
	if err != nil { // half a record may stand at the end: begin the file anew next time
		_ = h.file.Close()
		h.file = nil
	}
	h.report(err)
}

// report logs a failure once, and its end; calls go on without a log.
func (h *history) report(err error) {
	if err != nil && h.fault == nil {
		h.log.Error("call log can't be written; calls go on", "error", err)
	} else if err == nil && h.fault != nil {
		h.log.Info("call log can be written again")
	}
	h.fault = err
}

func (h *history) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}
