package mailbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// trashed opens a store whose user anna has deleted the messages of some names.
func trashed(t *testing.T, dir string, names ...string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Make("anna"); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		throw(t, s, name)
	}
	return s
}

// throw deletes a message of that name.
func throw(t *testing.T, s *Store, name string) {
	t.Helper()
	path := filepath.Join(s.dir, "anna", messagesDir, name)
	if err := os.WriteFile(path, []byte("of "+name), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0)); err != nil { // a board without a clock
		t.Fatal(err)
	}
	list, err := s.Messages("anna")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := s.Delete("anna", list[0].ID); err != nil {
		t.Fatal(err)
	}
}

func deleted(t *testing.T, s *Store) (names string) {
	t.Helper()
	list, err := s.Deleted("anna")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		names += fmt.Sprintf("%s %d ", m.Name, m.KeptDays)
	}
	return strings.TrimSpace(names)
}

// live lets a store that is closed be older.
func live(t *testing.T, dir string, more time.Duration) {
	t.Helper()
	path := filepath.Join(dir, ageFile)
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := unsealed(string(line))
	age, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, sealed([]byte(strconv.Itoa(age+int(more/time.Minute)))), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDeletedMessagesAreKeptFor30DaysOfTheBoardsLife(t *testing.T) {
	dir := t.TempDir()
	for run, want := range []string{"a.wav 30", "a.wav 20", "a.wav 10", "a.wav 1"} {
		synctest.Test(t, func(t *testing.T) { // each begins at the same time: the clock jumps back
			s := trashed(t, dir)
			if run == 0 {
				throw(t, s, "a.wav")
			}
			if got := deleted(t, s); got != want {
				t.Errorf("run %d: %q, want %q", run, got, want)
			}
			time.Sleep(keepEvery + time.Second)
			synctest.Wait()
			if got := deleted(t, s); (got == "") != (run == 3) {
				t.Errorf("run %d: %q", run, got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
		live(t, dir, 10*24*time.Hour)
	}
}

func TestALostAgeOfTheStoreEmptiesNothing(t *testing.T) {
	for name, text := range map[string]string{"gone": "", "zeros": "\x00\x00\x00\x00", "far off": "12345678 99999999", "text": "soon\n"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(trashed(t, dir, "a.wav").Close())
			live(t, dir, 29*24*time.Hour)
			path := filepath.Join(dir, ageFile)
			must(os.WriteFile(path, []byte(text), 0o600))
			if text == "" {
				must(os.Remove(path))
			}
			must(trashed(t, dir).Close())
			live(t, dir, 29*24*time.Hour)
			s := trashed(t, dir)
			defer s.Close()
			if err := s.emptyTrash(); err != nil || deleted(t, s) != "a.wav 1" {
				t.Errorf("got %q, %v", deleted(t, s), err)
			}
		})
	}
}

func TestTheOldestDeletedMessagesGoWhenThereIsNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := trashed(t, t.TempDir(), "b.wav")
		defer s.Close()
		room := uint64(littleRoom)
		s.room = func(string) uint64 { room += littleRoom / 4; return room - littleRoom/4 }
		for _, name := range []string{"c.wav", "a.wav"} {
			time.Sleep(time.Minute)
			throw(t, s, name)
		}
		if err := s.emptyTrash(); err != nil || deleted(t, s) != "a.wav 30 b.wav 30 c.wav 30" {
			t.Errorf("with room: %q, %v", deleted(t, s), err)
		}
		room = littleRoom / 2
		if err := s.emptyTrash(); err != nil {
			t.Error(err)
		}
		if got := deleted(t, s); got != "a.wav 30" {
			t.Errorf("without room: %q", got)
		}
		if n := roomOn("/nowhere"); n < littleRoom {
			t.Errorf("a file system that does not tell has room for %d bytes", n)
		}
	})
}

// What is found after the move is another message: Asterisk has renumbered in between.
func TestAMessageThatTookThePlaceOfTheDeletedOneIsPutBack(t *testing.T) {
	s := trashed(t, t.TempDir())
	defer s.Close()
	in := filepath.Join(s.dir, "anna", messagesDir)
	for _, name := range []string{"msg0000.wav", "msg0001.wav"} {
		if err := os.WriteFile(filepath.Join(in, name), []byte("of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Messages("anna")
	if err != nil {
		t.Fatal(err)
	}
	id := list[0].ID
	b, e, f, err := s.locate("anna", messagesDir, id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first, second := filepath.Join(in, e.name), filepath.Join(in, list[1].Name)
	if err := errors.Join(os.Remove(first), os.Rename(second, first)); err != nil {
		t.Fatal(err)
	}
	if err := s.throwAway(b, e, f, id); !errors.Is(err, ErrItem) {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(first); err != nil || string(text) != "of "+list[1].Name {
		t.Errorf("the other message is not back: %q, %v", text, err)
	}
	if got := deleted(t, s); got != "" {
		t.Errorf("in the trash: %s", got)
	}
}

func TestWhatAnEarlierVersionDeletedCanBeRestored(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "anna", deletedDir)
	if err := os.MkdirAll(old, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.wav", "a (1).wav", ".hidden", strings.Repeat("n", 250) + ".wav"} {
		if err := os.WriteFile(filepath.Join(old, name), []byte("deleted"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := trashed(t, dir)
	s.adopt()
	list, err := s.Deleted("anna")
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, m := range list {
		if _, err := s.Restore("anna", m.ID); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := s.Messages("anna"); err != nil || len(left) != 3 {
		t.Errorf("restored %v, %v", left, err)
	}
}
