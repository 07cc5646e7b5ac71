package mailbox_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/mailbox"
)

func TestMessagesAreListedNewestFirst(t *testing.T) {
	s, dir := store(t)
	drop(t, dir, "anna", "old.wav", 3, 2*time.Hour)
	drop(t, dir, "anna", "new.wav", 1, 0)
	drop(t, dir, "bert", "middle.wav", 2, time.Hour)
	for user, want := range map[string][]string{
		"anna":   {"anna/new.wav", "anna/old.wav"},
		"bert":   {"bert/middle.wav"},
		"":       {"anna/new.wav", "bert/middle.wav", "anna/old.wav"},
		"nobody": nil,
	} {
		if got := names(messages(t, s, user)); !slices.Equal(got, want) {
			t.Errorf("Messages(%q) = %v, want %v", user, got, want)
		}
	}
	m := messages(t, s, "anna")[1]
	if m.DurationMS != 3000 || m.Fault != "" || time.Since(m.Modified) < time.Hour {
		t.Errorf("message %+v, want 3000 ms and no fault", m)
	}
}

func TestAnItemsIDIsStableAndItsOwn(t *testing.T) {
	s, dir := store(t)
	seen := map[string]string{}
	for _, user := range []string{"anna", "bert"} {
		for i := range 20 {
			drop(t, dir, user, fmt.Sprintf("m%d.wav", i), 1, 0)
		}
	}
	for _, m := range messages(t, s, "") {
		if !regexp.MustCompile(`^[a-z2-7]{24}$`).MatchString(m.ID) {
			t.Errorf("id %q", m.ID)
		}
		if other, twice := seen[m.ID]; twice {
			t.Errorf("%s and %s have one id", other, m.Name)
		}
		seen[m.ID] = m.Mailbox + "/" + m.Name
	}
	for range 2 {
		s = restart(t, s, dir)
		for _, m := range messages(t, s, "") {
			if seen[m.ID] != m.Mailbox+"/"+m.Name {
				t.Errorf("the id of %s has changed", m.Name)
			}
		}
	}
}

func TestAMessageThatIsDroppedOrChangedIsSeenAtOnce(t *testing.T) {
	s, dir := store(t)
	if list := messages(t, s, "anna"); len(list) != 0 || list == nil {
		t.Fatalf("messages %v, want an empty list", list)
	}
	drop(t, dir, "anna", "a.wav", 1, time.Hour)
	if list := messages(t, s, "anna"); len(list) != 1 || list[0].DurationMS != 1000 {
		t.Fatalf("messages %+v", list)
	}
	drop(t, dir, "anna", "a.wav", 4, 0)
	if list := messages(t, s, "anna"); len(list) != 1 || list[0].DurationMS != 4000 {
		t.Fatalf("messages %+v", list)
	}
	if err := os.Remove(filepath.Join(dir, "anna/messages/a.wav")); err != nil {
		t.Fatal(err)
	}
	if list := messages(t, s, "anna"); len(list) != 0 {
		t.Fatalf("messages %+v", list)
	}
}

func TestAFileThatIsBeingCopiedLosesItsFaultWhenItIsWhole(t *testing.T) {
	s, dir := store(t)
	path := filepath.Join(dir, "anna/messages/copy.wav")
	drop(t, dir, "anna", "copy.wav", 2, 0)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	m := messages(t, s, "anna")[0]
	if m.Fault == "" || m.DurationMS != 0 {
		t.Errorf("a part of a header: %+v", m)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	again := messages(t, s, "anna")[0]
	if again.Fault != "" || again.DurationMS != 2000 {
		t.Errorf("the whole file: %+v", again)
	}
}

func TestWhatIsNoMessageIsNotListedOrSaysWhy(t *testing.T) {
	s, dir := store(t)
	in := filepath.Join(dir, "anna", "messages")
	for _, name := range []string{".hidden.wav", "half.wav.tmp", "half.PART", "half.part"} {
		drop(t, dir, "anna", name, 1, 0)
	}
	if err := os.Mkdir(filepath.Join(in, "folder.wav"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(in, "pipe.wav"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list := messages(t, s, "anna"); len(list) != 0 {
		t.Errorf("listed: %v", names(list))
	}
	for name, content := range map[string]string{"empty.wav": "", "readme.txt": "not a message", "page.wav": "<html>"} {
		if err := os.WriteFile(filepath.Join(in, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := messages(t, s, "anna")
	if len(list) != 3 {
		t.Errorf("listed: %v", names(list))
	}
	for _, m := range list {
		if m.Fault == "" {
			t.Errorf("%s has no fault", m.Name)
		}
	}
}

func TestSymbolicLinksLeadNowhere(t *testing.T) {
	s, dir := store(t)
	drop(t, dir, "bert", "secret.wav", 1, 0)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.MkdirAll(filepath.Join(outside, "messages"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("../../bert/messages/secret.wav", "anna/messages/link.wav")
	link("/etc/passwd", "anna/messages/passwd.wav")
	link(outside, "carl")
	if list := messages(t, s, "anna"); len(list) != 0 {
		t.Errorf("listed: %v", names(list))
	}
	if err := s.ChangeSettings("carl", func(set *mailbox.Settings) { set.OOF = true }); err == nil {
		t.Error("settings were written through a link that leads out")
	}
	if err := os.RemoveAll(filepath.Join(dir, "anna/greetings")); err != nil {
		t.Fatal(err)
	}
	link(outside, "anna/greetings")
	if err := s.SetGreeting("anna", "NormalCustom", func(w io.Writer) error { return nil }); err == nil {
		t.Error("a greeting was written through a link that leads out")
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
		t.Errorf("outside: %v, %v", left, err)
	}
}

func TestAnItemIsOpenedByItsOwnerOrForEverybody(t *testing.T) {
	s, dir := store(t)
	drop(t, dir, "anna", "a.wav", 2, 0)
	want := messages(t, s, "anna")[0]
	for _, user := range []string{"anna", ""} {
		f, got, err := s.Message(user, want.ID)
		if err != nil {
			t.Fatal(err)
		}
		clip, err := audio.Decode(f, time.Minute)
		if err != nil || clip.Duration() != 2*time.Second || !got.Modified.Equal(want.Modified) || got.Name != "a.wav" || got.DurationMS != 2000 || got.Mailbox != "anna" {
			t.Errorf("Message(%q) = %+v, %v of sound, %v", user, got, clip.Duration(), err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, test := range map[string]struct {
		user, id string
		want     error
	}{
		"another user":           {"bert", want.ID, mailbox.ErrItem},
		"a user without mailbox": {"nobody", want.ID, mailbox.ErrItem},
		"an id never given":      {"anna", strings.Repeat("a", 24), mailbox.ErrItem},
		"no id":                  {"anna", "", mailbox.ErrItemID},
		"a short id":             {"anna", want.ID[:23], mailbox.ErrItemID},
		"a long id":              {"anna", want.ID + "a", mailbox.ErrItemID},
		"an id in capitals":      {"anna", strings.ToUpper(want.ID), mailbox.ErrItemID},
		"a file name":            {"anna", "a.wav", mailbox.ErrItemID},
		"a path":                 {"anna", "../../../../../etc/passw", mailbox.ErrItemID},
	} {
		if f, _, err := s.Message(test.user, test.id); !errors.Is(err, test.want) || f != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err := s.Delete(test.user, test.id); !errors.Is(err, test.want) {
			t.Errorf("%s: Delete = %v, want %v", name, err, test.want)
		}
	}
}

func TestDeletedMessagesAreMovedAwayAndNoneIsOverwritten(t *testing.T) {
	s, dir := store(t)
	for seconds := 1; seconds <= 3; seconds++ {
		drop(t, dir, "anna", "a.wav", seconds, 0)
		id := messages(t, s, "anna")[0].ID
		if err := s.Delete("anna", id); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete("anna", id); !errors.Is(err, mailbox.ErrItem) {
			t.Errorf("deleted twice: %v", err)
		}
	}
	if list := messages(t, s, "anna"); len(list) != 0 {
		t.Errorf("messages %v", names(list))
	}
	deleted, err := s.Deleted("anna")
	if err != nil || len(deleted) != 3 {
		t.Errorf("deleted %v, %v", names(deleted), err)
	}
	lengths := map[int64]bool{}
	for _, m := range deleted {
		lengths[m.DurationMS] = true
		if m.Name != "a.wav" || m.KeptDays != 30 || time.Since(m.Deleted) > time.Minute {
			t.Errorf("deleted %+v", m)
		}
	}
	if len(lengths) != 3 {
		t.Errorf("lengths %v", lengths)
	}
}

// Whatever id a client sends, it is refused or opens a message of that user.
func FuzzMessage(f *testing.F) {
	for _, id := range []string{"", "aaaaaaaaaaaaaaaaaaaaaaaa", "../../../etc/passwd", "a.wav", "\x00"} {
		f.Add("anna", id)
		f.Add("../bert", id)
	}
	dir := f.TempDir()
	s, err := mailbox.Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	if err := s.Make("anna"); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "anna/messages/a.wav"), []byte("x"), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, user, id string) {
		file, m, err := s.Message(user, id)
		if err != nil {
			if !errors.Is(err, mailbox.ErrItem) && !errors.Is(err, mailbox.ErrItemID) && !errors.Is(err, mailbox.ErrUser) {
				t.Fatal(err)
			}
			return
		}
		defer file.Close()
		if m.Mailbox != "anna" || m.ID != id || user != "anna" && user != "" {
			t.Fatalf("%q opened %+v", user, m)
		}
	})
}

func TestAMessageThatIsTooLongForACallSaysSo(t *testing.T) {
	dir := t.TempDir()
	s, err := mailbox.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Longest = 5 * time.Second
	if err := s.Make("anna"); err != nil {
		t.Fatal(err)
	}
	for seconds, want := range map[int]string{5: "", 6: "too long: 6 s of at most 5 s"} {
		name := fmt.Sprintf("%d.wav", seconds)
		drop(t, dir, "anna", name, seconds, time.Minute)
		list, err := s.Messages("anna")
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(list, func(m mailbox.Message) bool { return m.Name == name }); i < 0 || list[i].Fault != want {
			t.Errorf("of %d s: %+v, want fault %q", seconds, list, want)
		}
	}
}
