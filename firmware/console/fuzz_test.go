package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"
)

// keys is a port that sends some bytes and is gone.
type keys struct {
	io.Reader
	shown bytes.Buffer
}

func (k *keys) Write(b []byte) (int, error) { return k.shown.Write(b) }
func (k *keys) Close() error                { return nil }

// FuzzKeys types whatever there is: the line that is read has no control characters and is
// no longer than it may be, and what is shown is text a terminal can't be harmed by.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{
		"status\r", "a\bb\x7f\x15\x17\x1b[A\x1b[D\x1b[C\x1b[H\x1b[3~\x01\x05\r\n", "\x1b[999999999999999999Z\r", "\x00\xff\xc3\x28\r", "co\t\t\r",
		strings.Repeat("x", 2000) + "\r", strings.Repeat("\x1b[A", 50) + "\n", "é€😀\b\b\r", "\x1bO\x1bOA\x1b\x1b\x1b\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, typed []byte) {
		synctest.Test(t, func(t *testing.T) {
			port := &keys{Reader: bytes.NewReader(typed)}
			s := &session{keys: newKeyboard(), out: &printer{w: port}, columns: columns}
			done := make(chan struct{})
			go func() { s.keys.read(port); close(done) }()
			defer func() { close(s.keys.stop); <-done }()
			for {
				text, err := s.readLine(context.Background(), line{prompt: "> ", history: &s.history, complete: func(before string) []string {
					return []string{"config", "confirm", "calls"}
				}})
				if errors.Is(err, errGone) {
					break
				}
				if n := utf8.RuneCountInString(text); n > maxLine {
					t.Fatalf("a line of %d characters", n)
				}
				if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == del }) {
					t.Fatalf("control characters in %q", text)
				}
			}
			for _, r := range port.shown.String() {
				if r < ' ' && !strings.ContainsRune("\r\n\b\a", r) || r == del {
					t.Fatalf("shown: %q", port.shown.String())
				}
			}
		})
	})
}

// FuzzBackup reads whatever calls itself a backup: nothing of it is elsewhere, or larger,
// than what we make.
func FuzzBackup(f *testing.F) {
	f.Add([]byte("nonsense"))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := unpack(data)
		if err != nil {
			return
		}
		total := 0
		for name, content := range files {
			total += len(content)
			if strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") {
				t.Fatalf("a file called %q", name)
			}
		}
		if total > maxBackup {
			t.Fatalf("%d bytes", total)
		}
	})
}

// FuzzEdit changes a file in ways that may not exist.
func FuzzEdit(f *testing.F) {
	f.Add("a\nb\nc", "+1", "text")
	f.Add("a", "-1", "")
	f.Add("", "99999999999999999999", "x")
	f.Add("token_hash = [\n\"a\", # b\n'c' ]\nsim_pin = \"\"\"\n1\"\"\" # x", "1", "y")
	f.Fuzz(func(t *testing.T, text, word, rest string) {
		if word == "" {
			return
		}
		lines := strings.Split(text, "\n")
		before := strings.Join(lines, "\n")
		changed, err := change(lines, word, rest)
		if strings.Join(lines, "\n") != before {
			t.Fatal("the lines that were given have changed")
		}
		if d := len(changed) - len(lines); d < -1 || d > 1 || err != nil && d != 0 {
			t.Fatalf("%d lines more (%v)", d, err)
		}
		if strings.Count(unmask(mask(text), lines), "\n") != strings.Count(text, "\n") {
			t.Fatal("masking changes the number of lines")
		}
	})
}
