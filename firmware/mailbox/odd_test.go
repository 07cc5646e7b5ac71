package mailbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/mailbox"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMailboxThatCanNotBeReadHidesNoOther(t *testing.T) {
	tests := []struct {
		name string
		harm func(t *testing.T, dir string) // of bert's mailbox
		told string
	}{
		{"a file in the place of the mailbox", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "bert")))
			must(t, os.WriteFile(filepath.Join(dir, "bert"), nil, 0o600))
		}, ""}, // a file is nobody's mailbox
		{"a file in the place of the messages", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "bert/messages")))
			must(t, os.WriteFile(filepath.Join(dir, "bert/messages"), nil, 0o600))
		}, "mailbox of bert: its messages can't be read"},
		{"a pipe in the place of the messages", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "bert/messages")))
			must(t, syscall.Mkfifo(filepath.Join(dir, "bert/messages"), 0o600))
		}, "mailbox of bert: its messages can't be read"},
		{"links in a circle", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "bert/messages")))
			must(t, os.Symlink("messages", filepath.Join(dir, "bert/messages")))
		}, "mailbox of bert: its messages can't be read"},
		{"a link that leads out", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "bert/messages")))
			must(t, os.Symlink("/", filepath.Join(dir, "bert/messages")))
		}, "mailbox of bert: its messages can't be read"},
		{"lost+found", func(t *testing.T, dir string) { must(t, os.Mkdir(filepath.Join(dir, "lost+found"), 0)) }, ""},
		{"a directory of whatever name", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(filepath.Join(dir, "a b\n/messages"), 0o700))
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := store(t)
			put(t, dir, "ok.wav", spoken(t, 1, 1))
			tt.harm(t, dir)
			if _, err := s.Messages("bert"); err != nil && !errors.Is(err, mailbox.ErrMailbox) || err == nil && tt.told != "" {
				t.Errorf("bert's messages: %v", err)
			}
			if got := names(messages(t, s, "")); !slices.Equal(got, []string{"anna/ok.wav"}) {
				t.Errorf("listed %v", got)
			}
			if _, _, err := s.Message("", strings.Repeat("a", 24)); !errors.Is(err, mailbox.ErrItem) {
				t.Errorf("an unknown item: %v", err)
			}
			f, _, err := s.Message("", idOf(t, s, "ok.wav"))
			must(t, err)
			f.Close()
			got := strings.Join(s.Faults(), "\n")
			if !strings.Contains(got, tt.told) || tt.told == "" && got != "" {
				t.Errorf("faults %q, want %q", got, tt.told)
			}
		})
	}
}

func TestAnOddFileHidesNoMessage(t *testing.T) {
	s, dir := store(t)
	in := inbox(dir)
	odd := "line\nbreak \x1b[2J \xff\xfe.wav"
	put(t, dir, odd, spoken(t, 1, 1))
	put(t, dir, strings.Repeat("n", 251)+".wav", spoken(t, 1, 2))
	put(t, dir, "-rf.wav", spoken(t, 1, 3))
	must(t, os.Symlink("nowhere", filepath.Join(in, "dangling.wav")))
	must(t, os.Symlink("loop.wav", filepath.Join(in, "loop.wav")))
	must(t, os.Symlink("/dev/zero", filepath.Join(in, "zero.wav")))
	must(t, os.Mkdir(filepath.Join(in, "folder.wav"), 0))
	must(t, syscall.Mkfifo(filepath.Join(in, "pipe.wav"), 0o600))
	must(t, syscall.Mknod(filepath.Join(in, "socket.wav"), syscall.S_IFSOCK|0o600, 0))
	huge := put(t, dir, "huge.wav", []byte("RIFF"))
	must(t, os.Truncate(huge, 1<<40))
	start := time.Now()
	list := messages(t, s, "anna")
	if len(list) != 4 || time.Since(start) > 20*time.Second {
		t.Errorf("listed in %v: %q", time.Since(start), names(list))
	}
	for _, m := range list {
		if huge := m.Name == "huge.wav"; huge != (m.Fault != "") {
			t.Errorf("%q: fault %q", m.Name, m.Fault)
		}
		if m.Name == odd && utf8.ValidString(m.Name) {
			t.Error("the name has changed")
		}
	}
	for _, m := range list { // the longest name fits into the trash, too
		must(t, s.Delete("anna", m.ID))
		if _, err := s.Restore("anna", m.ID); err != nil {
			t.Errorf("%q: %v", m.Name, err)
		}
	}
	if again := messages(t, s, "anna"); len(again) != 4 {
		t.Errorf("restored %q", names(again))
	}
}

func TestTemporaryNamesAreNotListed(t *testing.T) {
	s, dir := store(t)
	for _, name := range []string{
		"m.wav.filepart", "m.wav.crdownload", "m.wav.partial", "m.wav.part", "m.wav.PART", "m.wav.tmp", ".m.wav.A1b2C3",
		"m.wav~", "~$m.wav", ".~lock.m.wav#", ".#m.wav", "#m.wav#", "Thumbs.db", "desktop.ini", ".DS_Store", "._m.wav",
		"m.wav.download", "m.wav.opdownload", "m.wav.aria2", "m.wav.!ut", ".m.wav.swp", "m.wav.swp", ".goutputstream-XY",
		"~syncthing~m.wav.tmp", ".syncthing.m.wav.tmp", "m.wav.lock", ".in.m.wav.", "m.wav.in.", ".nfs000000001", "m.wav:Zone.Identifier",
		".pureftpd-upload.1", ".fuse_hidden1", "m.wav.upload", "m.wav.incomplete",
	} {
		put(t, dir, name, spoken(t, 1, 1))
	}
	if list := messages(t, s, "anna"); len(list) != 0 {
		t.Errorf("listed %v", names(list))
	}
	for _, name := range []string{"part.wav", "tmp.wav", "a.b.c", "noext", "download.mp3", "~home.wav", "lock.wav"} {
		put(t, dir, name, spoken(t, 1, 1))
	}
	if list := messages(t, s, "anna"); len(list) != 7 {
		t.Errorf("listed %v", names(list))
	}
}

// streaming is a WAV file with the lengths that ffmpeg gives one that goes into a pipe.
func streaming(wav []byte) []byte {
	wav = slices.Clone(wav)
	copy(wav[4:], "\xff\xff\xff\xff")
	copy(wav[40:], "\xff\xff\xff\xff")
	return wav
}

func TestAMessageIsOfferedWhenItIsWhole(t *testing.T) {
	whole := spoken(t, 12, 1)
	hour := func(sign time.Duration) time.Time { return time.Now().Add(sign * time.Hour) }
	tests := []struct {
		name    string
		content []byte
		when    time.Time // of the last change; the zero one is now
		writer  bool      // has it open
		want    string    // the fault
	}{
		{"a whole one, just there", whole, time.Time{}, false, ""},
		{"a whole one with a time that has not come", whole, hour(1), false, ""},
		{"a whole one without a clock", whole, time.Unix(0, 0), false, ""},
		{"half of one, just there", whole[:len(whole)/2], time.Time{}, false, "still being written"},
		{"half of one with a time that has not come", whole[:len(whole)/2], hour(1), false, "still being written"},
		{"half of one since an hour", whole[:len(whole)/2], hour(-1), false, ""},
		{"a part of a header", whole[:20], time.Time{}, false, "still being written"},
		{"a part of a header since an hour", whole[:20], hour(-1), false, "damaged"},
		{"nothing yet", nil, time.Time{}, false, "still being written"},
		{"nothing since an hour", nil, hour(-1), false, "damaged"},
		{"a whole one that somebody has open for writing", whole, time.Time{}, true, "still being written"},
		{"half of one that somebody has had open for an hour", whole[:len(whole)/2], hour(-1), true, "still being written"},
		{"an AU file of which half is there", []byte(".snd\x00\x00\x00\x18\x00\x00\x40\x00\x00\x00\x00\x01\x00\x00\x1f\x40\x00\x00\x00\x01" + strings.Repeat("x", 8000)), time.Time{}, false, "still being written"},
		{"a WAV file of a program that writes into a pipe", streaming(whole), time.Time{}, false, ""},
		{"what is no sound", []byte("<html>"), time.Time{}, false, "not a format"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, dir := store(t)
			path := put(t, dir, "a.wav", tt.content)
			if !tt.when.IsZero() {
				must(t, os.Chtimes(path, tt.when, tt.when))
			}
			var writer *os.File
			if tt.writer {
				var err error
				writer, err = os.OpenFile(path, os.O_WRONLY, 0)
				must(t, err)
				defer writer.Close()
			}
			for range 2 {
				m := messages(t, s, "anna")[0]
				if !strings.Contains(m.Fault, tt.want) || tt.want == "" && m.Fault != "" {
					t.Errorf("fault %q, want %q", m.Fault, tt.want)
				}
				f, _, err := s.Message("anna", m.ID)
				if err == nil {
					f.Close()
				}
				if unfinished := strings.Contains(tt.want, "written"); errors.Is(err, mailbox.ErrUnfinished) != unfinished {
					t.Errorf("opened: %v", err)
				}
				s = restart(t, s, dir)
			}
			if writer != nil {
				must(t, errors.Join(writer.Truncate(0), writer.Close(), os.WriteFile(path, whole, 0o600)))
				if m := messages(t, s, "anna")[0]; m.Fault != "" || m.DurationMS != 12000 {
					t.Errorf("written: %+v", m)
				}
			}
		})
	}
}

// Bare GSM has no header that tells its length: only that it grows tells that more may come.
func TestAFileThatHasGrownIsOfferedWhenItHasBeenLeftAlone(t *testing.T) {
	frame := append([]byte{0xd0}, make([]byte, 32)...)
	s, dir := store(t)
	path := put(t, dir, "a.gsm", bytes.Repeat(frame, 100))
	if m := messages(t, s, "anna")[0]; m.Fault != "" || m.DurationMS != 2000 {
		t.Errorf("at first %+v", m)
	}
	put(t, dir, "a.gsm", bytes.Repeat(frame, 200))
	for range 2 {
		m := messages(t, s, "anna")[0]
		if m.Fault != "still being written" {
			t.Errorf("grown %+v", m)
		}
		if _, _, err := s.Message("anna", m.ID); !errors.Is(err, mailbox.ErrUnfinished) {
			t.Errorf("opened: %v", err)
		}
	}
	old := time.Now().Add(-time.Minute)
	must(t, os.Chtimes(path, old, old))
	if m := messages(t, s, "anna")[0]; m.Fault != "" || m.DurationMS != 4000 {
		t.Errorf("left alone %+v", m)
	}
}

func TestWhatIsMissingOfAMessageIsListed(t *testing.T) {
	s, dir := store(t)
	whole := spoken(t, 12, 1)
	path := put(t, dir, "a.wav", whole[:44+8*audio.Rate])
	old := time.Now().Add(-time.Minute)
	must(t, os.Chtimes(path, old, old))
	for range 2 {
		if m := messages(t, s, "anna")[0]; m.Fault != "" || m.DurationMS != 4000 || !strings.Contains(m.Incomplete, "4 of 12 s") {
			t.Errorf("got %+v", m)
		}
		s = restart(t, s, dir)
	}
}

func TestTheIndexMayBeDamagedInAnyWay(t *testing.T) {
	tests := []struct {
		name string
		harm func(t *testing.T, index string)
	}{
		{"gone", func(t *testing.T, index string) { must(t, os.Remove(index)) }},
		{"empty", func(t *testing.T, index string) { must(t, os.Truncate(index, 0)) }},
		{"cut", func(t *testing.T, index string) { must(t, os.Truncate(index, 500)) }},
		{"zeros", func(t *testing.T, index string) { must(t, os.WriteFile(index, make([]byte, 4096), 0o600)) }},
		{"one line without an end", func(t *testing.T, index string) {
			must(t, os.WriteFile(index, []byte(strings.Repeat("x", 1<<20)), 0o600))
		}},
		{"a directory", func(t *testing.T, index string) {
			must(t, os.Remove(index))
			must(t, os.MkdirAll(index+"/sub", 0o700))
		}},
		{"a pipe", func(t *testing.T, index string) {
			must(t, os.Remove(index))
			must(t, syscall.Mkfifo(index, 0o600))
		}},
		{"a block of it", func(t *testing.T, index string) {
			b, err := os.ReadFile(index)
			must(t, err)
			copy(b[300:700], make([]byte, 400))
			must(t, os.WriteFile(index, b, 0o600))
		}},
		{"a digit of it", func(t *testing.T, index string) {
			b, err := os.ReadFile(index)
			must(t, err)
			must(t, os.WriteFile(index, []byte(strings.ReplaceAll(string(b), "1000", "9999")), 0o600))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := store(t)
			want := map[string]string{}
			for i := range 8 {
				name := fmt.Sprintf("m%d.wav", i)
				put(t, dir, name, spoken(t, 1, i))
				want[name] = idOf(t, s, name)
			}
			must(t, s.Close())
			index := filepath.Join(dir, "anna/messages.index")
			if info, err := os.Stat(index); err != nil || info.Size() < 1000 {
				t.Fatal("no index", err)
			}
			tt.harm(t, index)
			for range 2 {
				s = restart(t, s, dir)
				for _, m := range messages(t, s, "anna") {
					if m.ID != want[m.Name] || m.DurationMS != 1000 || m.Fault != "" {
						t.Errorf("%+v, want the id %s", m, want[m.Name])
					}
				}
			}
			must(t, s.Close())
			if info, err := os.Lstat(index); err != nil || !info.Mode().IsRegular() || info.Size() < 1000 {
				t.Errorf("the index was not made again: %v", err)
			}
		})
	}
}

func TestAnIndexOfWhatHasNotChangedIsNotWritten(t *testing.T) {
	s, dir := store(t)
	path := put(t, dir, "a.wav", spoken(t, 1, 1))
	open, err := os.OpenFile(put(t, dir, "open.wav", spoken(t, 1, 2)), os.O_WRONLY, 0)
	must(t, err)
	defer open.Close() // it is looked at in each listing
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, old, old))
	index := filepath.Join(dir, "anna/messages.index")
	messages(t, s, "anna")
	s = restart(t, s, dir)
	before, err := os.Stat(index)
	must(t, err)
	for range 3 {
		messages(t, s, "anna")
		messages(t, s, "anna")
		s = restart(t, s, dir)
	}
	if after, err := os.Stat(index); err != nil || !os.SameFile(before, after) {
		t.Errorf("the index was written again: %v", err)
	}
}

func TestAHugeFileHoldsUpNoListing(t *testing.T) {
	s, dir := store(t)
	mp3 := make([]byte, 40<<20) // half an hour of it, whose length is known only when all is read
	for i := 0; i+104 <= len(mp3); i += 104 {
		copy(mp3[i:], "\xff\xf3\x18\xc4") // MPEG 2 layer III, 8 kbit/s, 22050 Hz … and nothing in the frame
	}
	put(t, dir, "huge.mp3", mp3)
	put(t, dir, "small.wav", spoken(t, 1, 1))
	for range 3 {
		start := time.Now()
		list := messages(t, s, "anna")
		if took := time.Since(start); len(list) != 2 || took > 10*time.Second {
			t.Errorf("%d listed in %v", len(list), took)
		}
		for _, m := range list {
			if m.ID == "" || m.Name == "small.wav" && m.DurationMS != 1000 {
				t.Errorf("%+v", m)
			}
		}
	}
}
