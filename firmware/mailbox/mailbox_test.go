package mailbox_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/mailbox"
	"hookswitch/firmware/username"
)

// store is a store with mailboxes for anna and bert, and its directory.
func store(t *testing.T) (*mailbox.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mailbox")
	s, err := mailbox.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, user := range []string{"anna", "bert"} {
		if err := s.Make(user); err != nil {
			t.Fatal(err)
		}
	}
	return s, dir
}

// restart closes a store, and opens its directory again.
func restart(t *testing.T, s *mailbox.Store, dir string) *mailbox.Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := mailbox.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// drop puts a message of so many seconds into a mailbox, as old as age.
func drop(t *testing.T, dir, user, name string, seconds int, age time.Duration) {
	t.Helper()
	path := filepath.Join(dir, user, "messages", name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := audio.WriteWAV(f, make(audio.Clip, seconds*audio.Rate)); err != nil {
		t.Fatal(err)
	}
	when := time.Now().Add(-age)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
}

func messages(t *testing.T, s *mailbox.Store, user string) []mailbox.Message {
	t.Helper()
	list, err := s.Messages(user)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func names(list []mailbox.Message) (names []string) {
	for _, m := range list {
		names = append(names, m.Mailbox+"/"+m.Name)
	}
	return names
}

var hostileUsers = []string{
	"", ".", "..", "../bert", "anna/../bert", "/etc", "anna/messages", "anna\x00", "anna\nb", "-rf", ".hidden",
	"a b", "a\\b", "a:b", strings.Repeat("x", 65), "anna\xff", "\u202eanna", "a*", "~root",
}

func TestNamesThatAreNoUsersAreRefusedEverywhere(t *testing.T) {
	s, dir := store(t)
	drop(t, dir, "anna", "a.wav", 1, 0)
	id := messages(t, s, "anna")[0].ID
	for _, user := range hostileUsers {
		if username.Check(user) == nil {
			t.Errorf("Check(%q) = nil", user)
		}
		if err := s.Make(user); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("Make(%q) = %v", user, err)
		}
		if _, err := s.Settings(user); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("Settings(%q) = %v", user, err)
		}
		if err := s.ChangeSettings(user, func(set *mailbox.Settings) { set.OOF = true }); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("ChangeSettings(%q) = %v", user, err)
		}
		if err := s.ResetPIN(user, func(string) error { return nil }); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("ResetPIN(%q) = %v", user, err)
		}
		if _, err := s.Greeting(user, "NormalCustom"); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("Greeting(%q) = %v", user, err)
		}
		if err := s.SetGreeting(user, "NormalCustom", func(io.Writer) error { return nil }); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("SetGreeting(%q) = %v", user, err)
		}
		if s.CheckPIN(user, "123456") {
			t.Errorf("CheckPIN(%q)", user)
		}
		if user == "" {
			continue // every mailbox
		}
		if _, err := s.Messages(user); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("Messages(%q) = %v", user, err)
		}
		if _, _, err := s.Message(user, id); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("Message(%q) = %v", user, err)
		}
		if err := s.Delete(user, id); !errors.Is(err, mailbox.ErrUser) {
			t.Errorf("Delete(%q) = %v", user, err)
		}
	}
	for _, user := range []string{"anna", "anna@example.com", "a", "Jörg", "anna.b-c_d+e", "1", "李"} {
		if err := username.Check(user); err != nil {
			t.Errorf("Check(%q) = %v", user, err)
		}
	}
}

func TestSettingsAreKept(t *testing.T) {
	s, dir := store(t)
	got, err := s.Settings("anna")
	if want := (mailbox.Settings{MissedCallNotification: true}); err != nil || got != want {
		t.Errorf("at first %+v, %v", got, err)
	}
	want := mailbox.Settings{OOF: true, DialString: "2077", AccessFolder: "AAAA"}
	if err := s.ChangeSettings("anna", func(set *mailbox.Settings) { *set = want }); err != nil {
		t.Fatal(err)
	}
	if got, err := restart(t, s, dir).Settings("anna"); err != nil || got != want {
		t.Errorf("after a restart %+v, %v, want %+v", got, err, want)
	}
	if got, err := s.Settings("bert"); err != nil || got.OOF {
		t.Errorf("bert's %+v, %v", got, err)
	}
}

func TestConcurrentChangesOfSettingsAreAllKept(t *testing.T) {
	s, _ := store(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := s.ChangeSettings("anna", func(set *mailbox.Settings) { set.DialString += "1" }); err != nil {
				t.Error(err)
			}
			_, _ = s.Messages("")
		})
	}
	wg.Wait()
	if got, err := s.Settings("anna"); err != nil || got.DialString != strings.Repeat("1", 20) {
		t.Errorf("dial string %q, %v", got.DialString, err)
	}
}

// ls is every file below dir but the messages, with its size.
func ls(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWhatCanNotBeWrittenLosesNothing(t *testing.T) {
	s, dir := store(t)
	if err := s.SetGreeting("anna", "OofCustom", func(w io.Writer) error { return audio.WriteWAV(w, make(audio.Clip, 800)) }); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := s.SetGreeting("anna", "OofCustom", func(w io.Writer) error {
		if _, err := w.Write([]byte("half of the n")); err != nil {
			t.Error(err)
		}
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "oof.wav of anna not stored") {
		t.Errorf("SetGreeting = %v", err)
	}
	f, err := s.Greeting("anna", "OofCustom")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || len(b) != 44+1600 {
		t.Errorf("greeting of %d bytes, %v", len(b), err)
	}
	// The new file can be written, but not take the place of the old one.
	if err := os.MkdirAll(filepath.Join(dir, "bert/greetings/oof.wav/x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.SetGreeting("bert", "OofCustom", func(w io.Writer) error { return nil }); err == nil {
		t.Error("a greeting was stored over a directory")
	}
	if got := ls(t, dir); !slices.Equal(got, []string{"anna/greetings/oof.wav"}) {
		t.Errorf("files left: %v", got)
	}
}

func TestAStoreOnADirectoryThatCanNotBeMadeSaysSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := mailbox.Open(filepath.Join(file, "mailbox"))
	if err == nil {
		t.Fatal("Open: no error")
	}
	defer s.Close()
	if _, err := s.Messages(""); err == nil {
		t.Error("Messages: no error")
	}
	if err := s.Make("anna"); err == nil {
		t.Error("Make: no error")
	}
}

func TestWhatAPowerFailureLeftIsClearedAway(t *testing.T) {
	s, dir := store(t)
	if err := s.ChangeSettings("anna", func(set *mailbox.Settings) { set.OOF = true }); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".settings.json81234", ".pin.json1", ".oof.wav99", ".profile", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, "anna", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Make("anna"); err != nil {
		t.Fatal(err)
	}
	if got := ls(t, dir); !slices.Equal(got, []string{"anna/.profile", "anna/notes.txt", "anna/settings.json"}) {
		t.Errorf("files left: %v", got)
	}
}

func TestGreetings(t *testing.T) {
	s, _ := store(t)
	for _, kind := range []string{"NormalCustom", "OofCustom"} {
		if _, err := s.Greeting("anna", kind); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s at first: %v", kind, err)
		}
		for seconds := 1; seconds <= 2; seconds++ {
			if err := s.SetGreeting("anna", kind, func(w io.Writer) error { return audio.WriteWAV(w, make(audio.Clip, seconds*audio.Rate)) }); err != nil {
				t.Fatal(err)
			}
			f, err := s.Greeting("anna", kind)
			if err != nil {
				t.Fatal(err)
			}
			if d, err := audio.Describe(f, ""); err != nil || d.Duration != time.Duration(seconds)*time.Second {
				t.Errorf("%s: %v, %v", kind, d, err)
			}
			f.Close()
		}
	}
	for range 2 {
		if err := s.DeleteGreeting("anna", "NormalCustom"); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Greeting("anna", "NormalCustom"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: %v", err)
	}
	if f, err := s.Greeting("anna", "OofCustom"); err != nil {
		t.Errorf("the other one: %v", err)
	} else {
		f.Close()
	}
	if err := s.DeleteGreeting("nobody", "OofCustom"); err != nil {
		t.Error(err)
	}
	for _, kind := range []string{"", "normal", "../pin", "NormalCustom/../../pin"} {
		if _, err := s.Greeting("anna", kind); !errors.Is(err, mailbox.ErrItem) {
			t.Errorf("Greeting(%q) = %v", kind, err)
		}
		if err := s.SetGreeting("anna", kind, nil); !errors.Is(err, mailbox.ErrItem) {
			t.Errorf("SetGreeting(%q) = %v", kind, err)
		}
		if err := s.DeleteGreeting("anna", kind); !errors.Is(err, mailbox.ErrItem) {
			t.Errorf("DeleteGreeting(%q) = %v", kind, err)
		}
	}
}

// resetPIN gives anna a new PIN, which arrives.
func resetPIN(s *mailbox.Store) (pin string, err error) {
	err = s.ResetPIN("anna", func(digits string) error { pin = digits; return nil })
	return pin, err
}

func TestPINs(t *testing.T) {
	s, dir := store(t)
	if s.CheckPIN("anna", "") || s.CheckPIN("anna", "123456") {
		t.Error("a PIN before there is one")
	}
	first, err := resetPIN(s)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9]{6,}$`).MatchString(first) {
		t.Errorf("PIN %q", first)
	}
	if !s.CheckPIN("anna", first) || s.CheckPIN("anna", first+"0") || s.CheckPIN("bert", first) {
		t.Error("the PIN is not anna's alone")
	}
	second, err := resetPIN(s)
	if err != nil {
		t.Fatal(err)
	}
	if second == first || s.CheckPIN("anna", first) || !s.CheckPIN("anna", second) {
		t.Error("the old PIN is not void, or the new one is")
	}
	lost := errors.New("no mail today")
	if err := s.ResetPIN("anna", func(string) error { return lost }); !errors.Is(err, lost) || !s.CheckPIN("anna", second) {
		t.Errorf("a PIN that did not arrive is in force: %v", err)
	}
	for _, file := range ls(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || strings.Contains(string(b), second) {
			t.Errorf("%s holds the PIN, %v", file, err)
		}
	}
}

func TestAPINIsVoidAfterTooManyWrongOnesInARow(t *testing.T) {
	s, dir := store(t)
	pin, err := resetPIN(s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "anna/pin.json")
	failures := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(b), `"failures": `+from) {
			t.Fatalf("%s: %s, %v; want %s failures", path, b, err, from)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(b), `"failures": `+from, `"failures": `+to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s.CheckPIN("anna", "x") {
		t.Error("a wrong PIN is right")
	}
	failures("1", "14")
	if !s.CheckPIN("anna", pin) {
		t.Error("void after 14")
	}
	failures("0", "14") // in a row: the right one begins anew
	if s.CheckPIN("anna", "x") {
		t.Error("a wrong PIN is right")
	}
	failures("15", "15")
	s = restart(t, s, dir) // it forgets nothing
	if s.CheckPIN("anna", pin) {
		t.Error("not void after 15")
	}
	if pin, err = resetPIN(s); err != nil || !s.CheckPIN("anna", pin) {
		t.Errorf("a new one is void too: %v", err)
	}
}
