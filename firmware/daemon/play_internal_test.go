package daemon

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
)

// playing is a simulated board with one more message in the mailbox, its id, and that of
// another.
func playing(t *testing.T, name string, write func(io.Writer) error) (d *Daemon, item, other string) {
	t.Helper()
	data := t.TempDir()
	d, err := Open(Options{Data: data, Listen: "127.0.0.1:0", Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	f, err := os.Create(filepath.Join(data, "mailbox", localUser, "messages", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	list, err := d.store.Messages(localUser)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Name == name {
			item = m.ID
		} else {
			other = m.ID
		}
	}
	return d, item, other
}

func TestAPlayThatIsRefusedAnywayDoesNotDecodeTheMessage(t *testing.T) {
	d, broken, whole := playing(t, "broken.wav", func(w io.Writer) error {
		_, err := io.WriteString(w, "RIFF")
		return err
	})
	if _, err := d.play(localUser, broken, "5550102"); !errors.Is(err, audio.ErrBroken) {
		t.Fatalf("a broken message: got %v, want %v", err, audio.ErrBroken)
	}
	if _, err := d.play(localUser, whole, "5550102"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.play(localUser, broken, "5550102"); !errors.Is(err, call.ErrUserBusy) {
		t.Errorf("a broken message during a call: got %v, want %v", err, call.ErrUserBusy)
	}
}

func TestFiftyPlaysAtOnceDecodeTheMessageOnceOrTwice(t *testing.T) {
	const length = time.Minute
	d, item, _ := playing(t, "long.wav", func(w io.Writer) error {
		return audio.WriteWAV(w, make(audio.Clip, int(length.Seconds())*audio.Rate))
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ids := make(chan string, 50)
	var wg sync.WaitGroup
	for range cap(ids) {
		wg.Go(func() {
			if info, err := d.play(localUser, item, "5550102"); err == nil {
				ids <- info.ID
			} else if !errors.Is(err, call.ErrUserBusy) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	runtime.ReadMemStats(&after)
	close(ids)
	first := <-ids
	for id := range ids {
		if id != first {
			t.Errorf("two calls: %s and %s", first, id)
		}
	}
	const decoded = uint64(length/time.Second) * audio.Rate * 2
	if used := after.TotalAlloc - before.TotalAlloc; used > 30*decoded {
		t.Errorf("fifty plays at once took %d times the memory of the decoded message", used/decoded)
	}
}
