package daemon

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// Key # goes on where the message that plays was in the list, whatever has become of it.
func TestTheNextMessageIsTheOneThatIsListedAfterThis(t *testing.T) {
	for name, change := range map[string]func(d *Daemon, dir, id string) error{
		"nothing happens": func(*Daemon, string, string) error { return nil },
		"it is deleted":   func(d *Daemon, _, id string) error { return d.store.Delete(localUser, id) },
		"it is removed":   func(_ *Daemon, dir, _ string) error { return os.Remove(filepath.Join(dir, "2.wav")) },
		"it is renamed": func(_ *Daemon, dir, _ string) error {
			return os.Rename(filepath.Join(dir, "2.wav"), filepath.Join(dir, "z.wav"))
		},
		"another replaces": func(_ *Daemon, dir, _ string) error {
			return os.Rename(filepath.Join(dir, "1.wav"), filepath.Join(dir, "2.wav"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, _, _ := playing(t, "x.wav", func(w io.Writer) error { return audio.WriteWAV(w, make(audio.Clip, 8000)) })
			dir := filepath.Join(d.cfg.Data, "mailbox", localUser, "messages")
			old, err := filepath.Glob(dir + "/*")
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range old {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			for i, file := range []string{"1.wav", "2.wav", "3.wav"} { // newest first
				var b bytes.Buffer
				path, when := filepath.Join(dir, file), time.Now().Add(-time.Duration(i+1)*time.Hour)
				err := errors.Join(audio.WriteWAV(&b, make(audio.Clip, 8000*(i+1))), os.WriteFile(path, b.Bytes(), 0o600), os.Chtimes(path, when, when))
				if err != nil {
					t.Fatal(err)
				}
			}
			list, err := d.store.Messages(localUser)
			if err != nil || len(list) != 3 {
				t.Fatal(list, err)
			}
			next := d.soap.following(list[1])
			if err := change(d, dir, list[1].ID); err != nil {
				t.Fatal(err)
			}
			r, ok := next()
			if !ok || r.Item != list[2].ID {
				t.Fatalf("next is %q, %v; want %q", r.Item, ok, list[2].ID)
			}
			r.Message.Close()
			if r, ok := next(); ok {
				t.Errorf("after the last comes %q", r.Item)
			}
		})
	}
}
