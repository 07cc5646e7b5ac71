package mailbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/mailbox"
)

// spoken is a WAV file of so many seconds that no other seed has.
func spoken(t *testing.T, seconds float64, seed int) []byte {
	t.Helper()
	clip := make(audio.Clip, int(seconds*audio.Rate))
	for i := range clip {
		clip[i] = int16((i*seed*7919 + seed) % 4001)
	}
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, clip); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// inbox is the directory of anna's messages.
func inbox(dir string) string { return filepath.Join(dir, "anna", "messages") }

// put writes a file of anna's.
func put(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(inbox(dir), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// idOf is the id of anna's message of that name.
func idOf(t *testing.T, s *mailbox.Store, name string) string {
	t.Helper()
	for _, m := range messages(t, s, "anna") {
		if m.Name == name {
			return m.ID
		}
	}
	t.Fatalf("%s is not listed", name)
	return ""
}

// content is what an item of anna's holds, "" if there is none.
func content(t *testing.T, s *mailbox.Store, id string) string {
	t.Helper()
	f, _, err := s.Message("anna", id)
	if errors.Is(err, mailbox.ErrItem) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// Each change is made to first.wav and second.wav, of which the ids were given out. What the
// old ids are then of, by message: "" is none any more.
func TestAnOldIDIsOfItsMessageOrOfNone(t *testing.T) {
	one, two, long := spoken(t, 4, 1), spoken(t, 4, 2), spoken(t, 40, 3)
	tests := []struct {
		name          string
		change        func(t *testing.T, dir, first, second string)
		first, second []byte
	}{
		{"nothing happens", func(*testing.T, string, string, string) {}, one, two},
		{"the first is deleted and the second takes its name", func(t *testing.T, _, first, second string) {
			if err := os.Remove(first); err != nil {
				t.Fatal(err)
			}
			rename(t, second, first)
		}, nil, two},
		{"they change places", func(t *testing.T, dir, first, second string) {
			rename(t, first, filepath.Join(dir, "x"))
			rename(t, second, first)
			rename(t, filepath.Join(dir, "x"), second)
		}, one, two},
		{"the first is renamed", func(t *testing.T, dir, first, _ string) { rename(t, first, first+".old.wav") }, one, two},
		{"the first is written over in place, as cp does it", func(t *testing.T, dir, first, _ string) {
			put(t, dir, "first.wav", spoken(t, 4, 9))
		}, nil, two},
		{"the first is written over in place, and its time set back", func(t *testing.T, dir, first, _ string) {
			info, err := os.Stat(first)
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, "first.wav", spoken(t, 4, 9))
			if err := os.Chtimes(first, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, nil, two},
		{"the first is removed and a new message gets its inode", func(t *testing.T, dir, first, _ string) {
			if err := os.Remove(first); err != nil {
				t.Fatal(err)
			}
			for i := range 20 {
				put(t, dir, fmt.Sprintf("new%d.wav", i), spoken(t, 4, 20+i))
			}
		}, nil, two},
		{"the second takes the place of the first, as mv does it", func(t *testing.T, _, first, second string) {
			rename(t, second, first)
		}, nil, two},
		{"the first grows", func(t *testing.T, dir, first, _ string) {
			f, err := os.OpenFile(first, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.Write(make([]byte, 1000))
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}, nil, two},
		{"the first is cut to nothing", func(t *testing.T, _, first, _ string) {
			if err := os.Truncate(first, 0); err != nil {
				t.Fatal(err)
			}
		}, nil, two},
		{"both get one more name", func(t *testing.T, _, first, second string) {
			if err := errors.Join(os.Link(first, first+"2.wav"), os.Link(second, second+"2.wav")); err != nil {
				t.Fatal(err)
			}
		}, one, two},
		{"a pipe, a link and a directory take their names", func(t *testing.T, _, first, second string) {
			if err := errors.Join(os.Remove(first), os.Mkdir(first, 0o700), os.Remove(second), os.Symlink("/etc/passwd", second)); err != nil {
				t.Fatal(err)
			}
		}, nil, nil},
		{"a long one takes the place of the first", func(t *testing.T, dir, first, _ string) { put(t, dir, "first.wav", long) }, nil, two},
	}
	for _, tt := range tests {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted %v", tt.name, restarted), func(t *testing.T) {
				t.Parallel()
				s, dir := store(t)
				first, second := put(t, dir, "first.wav", one), put(t, dir, "second.wav", two)
				id1, id2 := idOf(t, s, "first.wav"), idOf(t, s, "second.wav")
				tt.change(t, dir, first, second)
				if restarted {
					s = restart(t, s, dir)
				}
				if content(t, s, id1) != string(tt.first) || content(t, s, id2) != string(tt.second) {
					t.Error("an id opens another message")
				}
				for id, want := range map[string][]byte{id1: tt.first, id2: tt.second} {
					if err := s.Delete("anna", id); (err == nil) != (want != nil) || err != nil && !errors.Is(err, mailbox.ErrItem) {
						t.Errorf("delete: %v", err)
					}
				}
				for _, m := range messages(t, s, "anna") {
					if m.ID == id1 || m.ID == id2 {
						t.Errorf("%s has the id of a message that is deleted", m.Name)
					}
				}
			})
		}
	}
}

func TestIDsSurviveABackupOnOtherHardware(t *testing.T) {
	s, dir := store(t)
	want := map[string]string{}
	for i := range 5 {
		name := fmt.Sprintf("m%d.wav", i)
		put(t, dir, name, spoken(t, 3+40*float64(i%2), i))
		want[name] = idOf(t, s, name)
	}
	other := filepath.Join(t.TempDir(), "mailbox") // other inodes, other times, no index
	if err := os.CopyFS(filepath.Join(other, "anna", "messages"), os.DirFS(inbox(dir))); err != nil {
		t.Fatal(err)
	}
	restored, err := mailbox.Open(other)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	for _, m := range messages(t, restored, "anna") {
		if m.ID != want[m.Name] {
			t.Errorf("%s has another id", m.Name)
		}
	}
}

func TestMessagesOfTheSameContentAreDifferentItems(t *testing.T) {
	s, dir := store(t)
	same := spoken(t, 1, 1)
	for _, name := range []string{"msg0000.wav", "msg0001.wav", "msg0002.wav"} {
		put(t, dir, name, same)
	}
	a, b, c := idOf(t, s, "msg0000.wav"), idOf(t, s, "msg0001.wav"), idOf(t, s, "msg0002.wav")
	if a == b || b == c || a == c {
		t.Fatal("one id for two messages")
	}
	if err := s.Delete("anna", a); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete("anna", a); !errors.Is(err, mailbox.ErrItem) {
		t.Errorf("a client that deletes once more deletes a twin: %v", err)
	}
	rename(t, filepath.Join(inbox(dir), "msg0001.wav"), filepath.Join(inbox(dir), "msg0000.wav"))
	rename(t, filepath.Join(inbox(dir), "msg0002.wav"), filepath.Join(inbox(dir), "msg0001.wav"))
	for range 2 {
		if got := []string{idOf(t, s, "msg0000.wav"), idOf(t, s, "msg0001.wav")}; !slices.Equal(got, []string{b, c}) {
			t.Errorf("renumbered: ids %v, want %v", got, []string{b, c})
		}
		if content(t, s, a) != "" {
			t.Error("the id of the deleted one opens a twin")
		}
		s = restart(t, s, dir)
	}
	if m, err := s.Restore("anna", a); err != nil || m.ID != a || len(messages(t, s, "anna")) != 3 {
		t.Errorf("restored %+v, %v", m, err)
	}
}

func TestWhatIsPutOverAMessageWhileItIsReadIsNotHeard(t *testing.T) {
	s, dir := store(t)
	old, other := spoken(t, 60, 1), spoken(t, 60, 2)
	path := put(t, dir, "a.wav", old)
	f, _, err := s.Message("anna", idOf(t, s, "a.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make([]byte, 100_000)
	if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, old[:len(got)]) {
		t.Fatal("not what was there", err)
	}
	// Renamed and linked it is the same message.
	rename(t, path, path+".old.wav")
	if err := os.Link(path+".old.wav", path); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, got); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // the kernel's clock of files ticks each 4 ms
	put(t, dir, "a.wav", other)
	if n, err := f.Read(got); n != 0 || !errors.Is(err, mailbox.ErrUnfinished) {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestManyAtOnceSeeEachItemOnce(t *testing.T) {
	s, dir := store(t)
	for i := range 30 {
		put(t, dir, fmt.Sprintf("msg%04d.wav", i), spoken(t, .2, i))
	}
	ids := map[string]bool{}
	for _, m := range messages(t, s, "anna") {
		ids[m.ID] = true
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := map[string]int{}
	wg.Go(func() { // Asterisk renumbers
		for i := range 200 {
			from := filepath.Join(inbox(dir), fmt.Sprintf("msg%04d.wav", i%30))
			_ = os.Rename(from, filepath.Join(inbox(dir), fmt.Sprintf("other%04d.wav", i)))
		}
	})
	for range 4 {
		wg.Go(func() {
			for id := range ids {
				_, _ = s.Messages("")
				err := s.Delete("anna", id)
				if err == nil {
					mu.Lock()
					done[id]++
					mu.Unlock()
				} else if !errors.Is(err, mailbox.ErrItem) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, m := range messages(t, s, "anna") {
		if done[m.ID] > 0 {
			t.Errorf("%s is listed and deleted", m.Name)
		}
	}
	deleted, err := s.Deleted("anna")
	if err != nil || len(deleted) != len(done) || len(deleted)+len(messages(t, s, "anna")) != 30 {
		t.Errorf("%d deleted, %d in the trash, %d left, %v", len(done), len(deleted), len(messages(t, s, "anna")), err)
	}
	for _, m := range deleted {
		if done[m.ID] != 1 || !strings.HasSuffix(m.Name, ".wav") {
			t.Errorf("%s was deleted %d times", m.Name, done[m.ID])
		}
	}
}
