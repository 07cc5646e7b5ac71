package mailbox

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Whatever is in an index, a message has the id of its content, and is what it is.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("00000000 {}\n"))
	f.Add(sealed([]byte(`{"name":"YS53YXY=","stamp":{"inode":1},"content":"00112233445566778899aabbccddeeff","duration_ms":5}`)))
	f.Add(sealed([]byte(`{"name":"YS53YXY=","number":4294967295,"content":"zz","duration_ms":-9223372036854775808}`)))
	f.Add(bytes.Repeat([]byte("x"), 1<<16))
	dir := f.TempDir()
	for _, sub := range []string{"anna/messages", "anna/deleted"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "anna/messages/a.wav"), []byte("a"), 0o600); err != nil {
		f.Fatal(err)
	}
	content, err := fingerprintOf(bytes.NewReader([]byte("a")), 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{messagesDir, deletedDir} {
			if err := os.WriteFile(filepath.Join(dir, "anna", indexName(name)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list, err := s.Messages("anna")
		if err != nil || len(list) != 1 || list[0].Name != "a.wav" || list[0].ID != itemID("anna", content, 0) {
			t.Fatalf("%+v, %v", list, err)
		}
		if list, err := s.Deleted("anna"); err != nil || len(list) != 0 {
			t.Fatalf("deleted %+v, %v", list, err)
		}
	})
}

// What a deleted message was called is told by the name of its file, if that is not too long.
func FuzzTrashName(f *testing.F) {
	f.Add("a.wav", uint32(0), int64(0))
	f.Add("a.b.c\n\xff", uint32(1<<32-1), int64(999_999_999))
	f.Fuzz(func(t *testing.T, name string, number uint32, age int64) {
		age = max(age, -age) % 1_000_000_000
		if name == "" || len(name) > 255 || age < 0 {
			t.Skip()
		}
		e := entry{name: trashName(itemID("anna", fingerprint{1}, number), number, age, name)}
		if !e.readTrashName() || e.id != itemID("anna", fingerprint{1}, number) || e.number != number || len(e.name) > 255 {
			t.Fatalf("%q is of %+v", e.name, e)
		}
		if got := trashNames.FindStringSubmatch(e.name)[4]; len(name) < 200 && got != name {
			t.Fatalf("got %q, want %q", got, name)
		}
	})
}

func FuzzDeclaredLength(f *testing.F) {
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00xxxxxxxx"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xffxxxxxxxx"))
	f.Add([]byte(".snd\xff\xff\xff\xff\xff\xff\xff\xffxxxxxxxxxxxx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := declaredLength(bytes.NewReader(b))
		if more, err2 := declaredLength(bytes.NewReader(append(b, make([]byte, 64)...))); err == nil && err2 == nil && got == whole && more == cutOff {
			t.Fatalf("%d, and %d with more", got, more)
		}
	})
}
