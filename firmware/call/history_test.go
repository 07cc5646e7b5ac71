package call_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/call"
)

// card is where the call log is kept: a good one, a slow one, a full one.
type card struct {
	mu    sync.Mutex // guards what follows
	delay time.Duration
	err   error
}

func (c *card) become(delay time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay, c.err = delay, err
}

func (c *card) state() (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.delay, c.err
}

func (c *card) create(path string) (call.LogFile, error) {
	if _, err := c.state(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	return cardFile{f, c}, err
}

type cardFile struct {
	*os.File
	card *card
}

func (f cardFile) Write(b []byte) (int, error) {
	if _, err := f.card.state(); err != nil {
		n, _ := f.File.Write(b[:len(b)/2]) // a full card takes half of it
		return n, err
	}
	return f.File.Write(b)
}

func (f cardFile) Sync() error {
	delay, err := f.card.state()
	time.Sleep(delay)
	return err
}

// answered is how soon a Disconnect that found the relay closed has to be answered, and
// opened how soon the relay.
const (
	answered = time.Second
	opened   = 50 * time.Millisecond
)

func TestNobodyWaitsForACardThatTakesSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &card{}
		b := newBoard(t, func(o *call.Options) {
			o.LogPath, o.PerUser = filepath.Join(t.TempDir(), "calls.jsonl"), -1
			o.SetCard(c.create)
		}, "fxo1", "fxo2")
		synctest.Wait()
		c.become(4*time.Second, nil)
		began := time.Now()
		first := b.start(t, request("5550100"))
		if took := time.Since(began); took > call.LogLimit {
			t.Errorf("the first Start took %v", took)
		}
		b.until(t, first.ID, call.Connected)
		began = time.Now()
		second := b.start(t, request("5550103"))
		if took := time.Since(began); took > call.LogLimit {
			t.Errorf("the second Start, while the card was busy, took %v", took)
		}
		time.Sleep(time.Second)
		for _, info := range []call.Info{first, second} { // the card is busy now
			began = time.Now()
			onHook := make(chan time.Duration, 1)
			go func() {
				for b.lines[info.Line].OffHook() {
					time.Sleep(time.Millisecond)
				}
				onHook <- time.Since(began)
			}()
			if err := b.Disconnect(t.Context(), info.ID); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > answered {
				t.Errorf("Disconnect of %s was answered after %v", info.Line, took)
			}
			if took := <-onHook; took > opened {
				t.Errorf("the relay of %s opened after %v", info.Line, took)
			}
			if info, _ := b.Call(info.ID); info.State != call.Disconnected {
				t.Errorf("after Disconnect: %+v", info)
			}
		}
		c.become(0, nil)
		time.Sleep(time.Minute)
	})
}

func TestCallsGoOnWithAFullCardAndAreLoggedWhenThereIsRoomAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.jsonl")
	var info call.Info
	synctest.Test(t, func(t *testing.T) {
		c := &card{}
		b := newBoard(t, func(o *call.Options) {
			o.LogPath = path
			o.SetCard(c.create)
		}, "fxo1")
		synctest.Wait()
		c.become(0, errors.New("no space left on device"))
		info, _ = b.until(t, b.start(t, request("5550100")).ID, call.Disconnected)
		if info.Reason != "played to the end" {
			t.Errorf("the call: %+v", info)
		}
		synctest.Wait()
		if faults := strings.Join(b.Faults(), "\n"); !strings.Contains(faults, "no space left") {
			t.Errorf("faults: %q", faults)
		}
		c.become(0, nil)
		time.Sleep(call.LogRetry + time.Second)
		synctest.Wait()
		if faults := b.Faults(); len(faults) > 0 {
			t.Errorf("faults: %q", faults)
		}
	})
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(log)), "\n"); len(lines) != 1 || !strings.Contains(lines[0], info.ID) || !strings.Contains(lines[0], `"Disconnected"`) {
		t.Errorf("the call log: %s", log)
	}
}

func TestTheDaemonEndsThoughTheCardHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &card{}
		b := newBoard(t, func(o *call.Options) {
			o.LogPath = filepath.Join(t.TempDir(), "calls.jsonl")
			o.SetCard(c.create)
		}, "fxo1")
		synctest.Wait()
		c.become(time.Hour, nil)
		b.until(t, b.start(t, request("5550100")).ID, call.Connected)
		began := time.Now()
		if err := b.Close(); err == nil || !strings.Contains(err.Error(), "card") {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("Close took %v", took)
		}
		if b.lines["fxo1"].OffHook() {
			t.Error("the line is off-hook")
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestADamagedCallLogIsToldAndKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "calls.jsonl")
	record := func(i int) string {
		return fmt.Sprintf(`{"id":"call-%d","state":"Disconnected","cause":"None","started":"2026-11-27T10:00:00Z"}`+"\n", i)
	}
	damaged := record(1) + strings.Repeat("\x00", 8<<10) + record(2)
	if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, start := range []string{"first", "second"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoard(t, func(o *call.Options) { o.LogPath = path }, "fxo1")
			synctest.Wait()
			for i := 1; i <= 2; i++ {
				if _, err := b.Call(fmt.Sprint("call-", i)); err != nil {
					t.Errorf("%s start, call %d: %v", start, i, err)
				}
			}
			told := strings.Contains(strings.Join(b.Faults(), "\n"), path+".damaged")
			if told != (start == "first") {
				t.Errorf("%s start: faults are %q", start, b.Faults())
			}
		})
	}
	if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != damaged {
		t.Errorf("what is kept: %q, %v", kept, err)
	}
}

func TestACallLogThatCantBeReadAtAllIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.jsonl")
	if err := os.MkdirAll(filepath.Join(path, "a directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		x, err := call.New(call.Options{LogPath: path})
		if err == nil {
			t.Error("New says nothing")
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Stat(filepath.Join(path+".damaged", "a directory")); err != nil {
		t.Error(err)
	}
	if s, err := os.Stat(path); err != nil || !s.Mode().IsRegular() {
		t.Errorf("the new one: %v, %v", s, err)
	}
}

// TestCallsAreInTheOrderInWhichTheyBegan though the clock of a bubble, as that of a board
// without a network, is long before the dates of the call log.
func TestCallsAreInTheOrderInWhichTheyBegan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.jsonl")
	log := `{"id":"before","state":"Disconnected","started":"2038-01-01T00:00:00Z"}` + "\n"
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.LogPath = path }, "fxo1")
		first, _ := b.until(t, b.start(t, request("5550100")).ID, call.Disconnected)
		second := b.start(t, request("5550100"))
		want := []string{second.ID, first.ID, "before"}
		for i, c := range b.Calls() {
			if i >= len(want) || c.ID != want[i] {
				t.Errorf("call %d is of %v", i, c.Started)
			}
		}
	})
}
