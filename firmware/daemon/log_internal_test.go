package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/call"
)

// reader is who reads a log: it may stop reading, and may go away.
type reader struct {
	mu      sync.Mutex // guards what follows
	text    bytes.Buffer
	gone    bool
	reading *sync.Cond // nil while it reads
}

func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.reading != nil {
		r.reading.Wait()
	}
	if r.gone {
		return 0, errors.New("broken pipe")
	}
	return r.text.Write(b)
}

func (r *reader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = sync.NewCond(&r.mu)
}

func (r *reader) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reading != nil {
		r.reading.Broadcast()
		r.reading = nil
	}
}

func (r *reader) setGone(gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = gone
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func TestTheLogsLinesComeInOrderAndWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		q := newLogQueue(r)
		var want strings.Builder
		for i := range 100 {
			fmt.Fprintf(q, "line %d\n", i)
			fmt.Fprintf(&want, "line %d\n", i)
		}
		q.close()
		q.close()
		if got := r.String(); got != want.String() {
			t.Errorf("got %q", got)
		}
	})
}

func TestAReaderThatStopsHoldsNobodyAndIsToldWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		q := newLogQueue(r)
		r.stop()
		fmt.Fprintln(q, "the one that is being written")
		synctest.Wait()
		line := strings.Repeat("x", 1023) + "\n"
		const more = 7
		for range maxQueued/len(line) + more {
			fmt.Fprint(q, line)
		}
		fmt.Fprintln(q, "a short one, which would have room, but must not come before those that are lost")
		r.goOn()
		synctest.Wait()
		fmt.Fprintln(q, "later")
		q.close()
		got := r.String()
		if want := fmt.Sprintf("lines=%d", more+1); !strings.Contains(got, want) {
			t.Errorf("no %s in %q", want, got[len(got)-300:])
		}
		if strings.Contains(got, "a short one") || !strings.HasSuffix(got, "later\n") {
			t.Errorf("it ends in %q", got[len(got)-300:])
		}
	})
}

func TestAReaderThatGoesAwayIsToldWhatItMissedOnceThereIsOneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		q := newLogQueue(r)
		r.setGone(true)
		for range 3 {
			fmt.Fprintln(q, "lost")
			synctest.Wait()
		}
		r.setGone(false)
		fmt.Fprintln(q, "read")
		q.close()
		if got := r.String(); !strings.HasPrefix(got, "read\n") || !strings.Contains(got, "lines=3") {
			t.Errorf("got %q", got)
		}
	})
}

func TestALogThatNobodyReadsEndsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		q := newLogQueue(r)
		r.stop()
		fmt.Fprintln(q, "the one that is being written")
		synctest.Wait()
		began := time.Now()
		q.close()
		if took := time.Since(began); took != logEndLimit {
			t.Errorf("it took %v, want %v", took, logEndLimit)
		}
		fmt.Fprintln(q, "after the end")
		r.goOn()
	})
}

// TestACallIsDisconnectedWhileNobodyReadsTheLog holds an ordering, not a time: the call has
// begun and ended before the log's first line is read.
func TestACallIsDisconnectedWhileNobodyReadsTheLog(t *testing.T) {
	r := &reader{}
	r.stop()
	d, err := Open(Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Out: r, Trace: true, SpeedUp: 10})
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.store.Messages(localUser)
	if err != nil {
		t.Fatal(err)
	}
	for range maxQueued / 64 {
		d.log.Info("so that the log's queue is full", "filler", strings.Repeat("x", 64))
	}
	info, err := d.soap.play(t.Context(), localUser, list[0].ID, "5550100")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.calls.Disconnect(context.Background(), info.ID); err != nil {
		t.Error(err)
	}
	if info, err = d.calls.Call(info.ID); info.State != call.Disconnected {
		t.Errorf("after Disconnect: %+v, %v", info, err)
	}
	for _, l := range d.calls.Lines() {
		if l.Hook != "on-hook" {
			t.Errorf("after Disconnect: %+v", l)
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if got := r.text.Len(); got > 0 { // nobody writes: the queue has given up
		t.Errorf("%d bytes of the log were read meanwhile", got)
	}
	r.goOn()
	<-d.queue.done
	if !strings.Contains(r.String(), "lines of this log are lost") {
		t.Error("the log does not tell that lines are lost")
	}
}
