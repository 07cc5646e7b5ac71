package call

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Bounds of the call log, in memory and on the card. An ended call can be asked about for
// a day at the least; a board's clock may start in 1970, so the count bounds the log, not
// the dates.
const (
	keepCalls  = 5000    // no board makes so many a day
	spareCalls = 1000    // so many more, and the oldest are forgotten down to keepCalls
	maxPending = 1000    // records that wait for the card; with more the file is written anew
	maxLog     = 4 << 20 // bytes of the file before it is written anew
)

const (
	logRetry      = time.Minute      // before the card is tried again
	slowCard      = 15 * time.Second // a write that takes longer is a fault of the board
	logCloseLimit = 5 * time.Second  // for the last records, when the daemon ends
)

// logFile is the file of the call log. Tests have slow ones and full ones.
type logFile interface {
	io.Writer
	Sync() error
	Close() error
}

func createFile(path string) (logFile, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
}

// history is the call log (the CDRs): one JSON record a line, written when a call starts
// and again when it has ended; the last record of an id holds. A goroutine of its own writes:
// no method waits for the card. A power failure so loses the records of the last moment, and
// of a call that had just ended what it ended by.
type history struct {
	path   string
	log    *slog.Logger
	create func(path string) (logFile, error)
	wake   chan struct{} // holds a token while there is something to write, or to end
	done   chan struct{} // closed when the writer has ended

	file    logFile // the writer's; nil where the log is to be written anew
	size    int64   // the writer's: bytes in file
	damaged bool    // the writer's: the file at path has what can't be read, and is to be kept

	mu      sync.Mutex    // guards what follows; never held over I/O
	calls   []Info        // as they will be after the next start, oldest first
	pending []Info        // records to write
	waiting chan struct{} // closed when pending is on the card, or can't be
	anew    bool          // pending is not all: the file is to be written anew
	closed  bool
	fault   error     // why records are not on the card
	since   time.Time // when the write that is under way began
	damage  string    // what could not be read at the start, a sentence
}

// openHistory reads the log at path and starts its writer. The history works in any case; the
// error is why nothing could be read.
func openHistory(path string, log *slog.Logger, create func(string) (logFile, error)) (*history, error) {
	h := &history{path: path, log: log, create: create, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if path == "" {
		close(h.done)
		return h, nil
	}
	if h.create == nil {
		h.create = createFile
	}
	calls, lost, err := readLog(path)
	h.calls = calls
	if lost > 0 || err != nil {
		h.damaged = true
		h.damage = "the call log was damaged: what can be read of it is kept"
		log.Error("call log damaged", "unreadable", lost, "calls kept", len(calls), "error", err)
	}
	h.anew = true // one record a call
	h.wake <- struct{}{}
	go h.run()
	return h, err
}

// records returns the calls read at the start, oldest first.
func (h *history) records() []Info { return h.calls }

// add notes a call that starts. logged is closed when that is on the card, or can't be.
// The calls whose ids are in forgotten are remembered no more.
func (h *history) add(info Info) (logged <-chan struct{}, forgotten map[string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, info)
	if extra := len(h.calls) - keepCalls; extra > spareCalls {
		var kept []Info
		forgotten = map[string]bool{}
		for i, c := range h.calls {
			if i < extra && c.State == Disconnected {
				forgotten[c.ID] = true
			} else {
				kept = append(kept, c)
			}
		}
		h.calls, h.anew = kept, true
	}
	return h.noteLocked(info), forgotten
}

// update notes what has become of a call: an answer, or its end.
func (h *history) update(info Info) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.calls) - 1; i >= 0; i-- {
		if h.calls[i].ID == info.ID {
			h.calls[i] = info
			break
		}
	}
	h.noteLocked(info)
}

func (h *history) noteLocked(info Info) (logged <-chan struct{}) {
	if h.path == "" || h.closed {
		return closedChan
	}
	if len(h.pending) < maxPending {
		h.pending = append(h.pending, info)
	} else {
		h.anew = true
	}
	if h.waiting == nil {
		h.waiting = make(chan struct{})
	}
	h.wakeUp()
	return h.waiting
}

func (h *history) wakeUp() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// run is the writer, until the history is closed and all is written, or can't be.
func (h *history) run() {
	defer close(h.done)
	defer h.closeFile()
	retry := time.NewTimer(logRetry)
	defer retry.Stop()
	for {
		select {
		case <-h.wake:
		case <-retry.C:
		}
		retry.Stop()
		h.mu.Lock()
		records, waiting, closed := h.pending, h.waiting, h.closed
		anew := h.anew || h.file == nil || h.size > maxLog
		if anew {
			records = slices.Clone(h.calls)
		}
		h.pending, h.waiting, h.anew, h.since = nil, nil, false, time.Now()
		h.mu.Unlock()
		var err error
		switch {
		case anew:
			err = h.rewrite(records)
		case len(records) > 0:
			err = h.append(records)
		}
		if err != nil { // half a record may stand at the end
			h.closeFile()
			retry.Reset(logRetry)
		}
		if waiting != nil {
			close(waiting)
		}
		h.report(err)
		if closed {
			return
		}
	}
}

// append writes records at the end of the file.
func (h *history) append(records []Info) error {
	w := bufio.NewWriter(h.file)
	if err := h.encode(w, records); err != nil {
		return err
	}
	return h.file.Sync()
}

func (h *history) encode(w *bufio.Writer, records []Info) error {
	for _, info := range records {
		line, err := json.Marshal(info)
		if err != nil {
			return err
		}
		_, _ = w.Write(append(line, '\n')) // Flush has the error
		h.size += int64(len(line) + 1)
	}
	return w.Flush()
}

// rewrite replaces the file by one that has these records, atomically.
func (h *history) rewrite(records []Info) error {
	h.closeFile()
	dir := filepath.Dir(h.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if h.damaged {
		aside, err := setAside(h.path)
		if err != nil {
			return fmt.Errorf("the damaged one can't be kept: %w", err)
		}
		h.damaged = false
		h.mu.Lock()
		h.damage += "; the damaged one is " + aside
		h.mu.Unlock()
		h.log.Warn("damaged call log kept", "file", aside)
	}
	name := h.path + ".new"
	f, err := h.create(name)
	if err != nil {
		return err
	}
	h.file, h.size = f, 0
	if err := h.append(records); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	if err := os.Rename(name, h.path); err != nil {
		return err
	}
	return syncDir(dir)
}

func (h *history) closeFile() {
	if h.file != nil {
		_ = h.file.Close() // what was to be on the card was synced
		h.file = nil
	}
}

// report logs a failure once, and its end; calls go on without a log.
func (h *history) report(err error) {
	h.mu.Lock()
	before := h.fault
	h.fault, h.since = err, time.Time{}
	h.mu.Unlock()
	if err != nil && before == nil {
		h.log.Error("call log can't be written; calls go on", "error", err)
	} else if err == nil && before != nil {
		h.log.Info("call log can be written again")
	}
}

// faults is what a person must know of the call log.
func (h *history) faults() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.damage != "" {
		list = append(list, h.damage)
	}
	switch {
	case h.fault != nil:
		list = append(list, fmt.Sprintf("the call log can't be written (%v): "+
			"calls go on, and are forgotten at the next start", h.fault))
	case !h.since.IsZero() && time.Since(h.since) > slowCard:
		list = append(list, "the card takes the call log very slowly, or not at all: "+
			"calls go on, and may be forgotten at the next start")
	}
	return list
}

// close ends the writer once all is written, and waits for that, but not for ever. It may be
// called twice.
func (h *history) close() error {
	h.mu.Lock()
	h.closed = true
	h.wakeUp()
	h.mu.Unlock()
	limit := time.NewTimer(logCloseLimit)
	defer limit.Stop()
	select {
	case <-h.done:
		return nil
	case <-limit.C:
		return errors.New("call: log: the card does not take the last records")
	}
}

// syncDir makes the names in a directory survive a power failure.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
