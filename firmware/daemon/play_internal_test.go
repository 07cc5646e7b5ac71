package daemon

import (
	"bytes"
	"context"
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
	"hookswitch/firmware/dialing"
	"hookswitch/soap"
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
	path := filepath.Join(data, "mailbox", localUser, "messages", name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour) // a file that is not whole is not taken for one that is being copied
	if err := errors.Join(write(f), f.Close(), os.Chtimes(path, old, old)); err != nil {
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
	if _, err := d.soap.play(t.Context(), localUser, broken, "5550102"); !errors.Is(err, audio.ErrBroken) {
		t.Fatalf("a broken message: got %v, want %v", err, audio.ErrBroken)
	}
	if _, err := d.soap.play(t.Context(), localUser, whole, "5550102"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.soap.play(t.Context(), localUser, broken, "5550102"); !errors.Is(err, call.ErrUserBusy) {
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
			if info, err := d.soap.play(t.Context(), localUser, item, "5550102"); err == nil {
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
	// One decoding takes seven times that, so fifty take 350. Regular expressions that read the
	// number take forty under the race detector, where a sync.Pool keeps little.
	if used := after.TotalAlloc - before.TotalAlloc; used > 100*decoded {
		t.Errorf("fifty plays at once took %d times the memory of the decoded message", used/decoded)
	}
}

func TestAClientThatHasGoneMakesNoTelephoneRing(t *testing.T) {
	d, item, _ := playing(t, "short.wav", func(w io.Writer) error { return audio.WriteWAV(w, make(audio.Clip, audio.Rate)) })
	e := d.soap
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := e.PlayOnPhone(gone, localUser, item, "5550102"); !errors.Is(err, context.Canceled) {
		t.Errorf("gone before the message was decoded: got %v", err)
	}
	gone, leave = context.WithCancel(t.Context())
	_, err := e.start(gone, call.Request{User: localUser, Dial: "5550102", Item: item}, func(*call.Request) error {
		leave()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("gone while the message was decoded: got %v", err)
	}
	if calls := d.calls.Calls(); len(calls) > 0 {
		t.Errorf("there are calls: %+v", calls)
	}
}

func TestAUserOverQuotaHasNothingOpenedOrDecoded(t *testing.T) {
	d, broken, whole := playing(t, "broken.wav", func(w io.Writer) error {
		_, err := io.WriteString(w, "RIFF")
		return err
	})
	cfg := *d.cfg
	cfg.Data, cfg.Dialing.CallsPerHour = t.TempDir(), 1
	if err := os.CopyFS(filepath.Join(cfg.Data, "mailbox"), os.DirFS(filepath.Join(d.cfg.Data, "mailbox"))); err != nil {
		t.Fatal(err)
	}
	limited, err := Open(Options{Out: io.Discard, configuration: &cfg})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = limited.Close() })
	info, err := limited.soap.play(t.Context(), localUser, whole, "5550102")
	if err != nil {
		t.Fatal(err)
	}
	if err := limited.calls.Disconnect(t.Context(), info.ID); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if _, err := limited.soap.play(t.Context(), localUser, broken, "5550102"); !errors.Is(err, dialing.ErrQuota) {
			t.Fatalf("got %v, want %v", err, dialing.ErrQuota)
		}
	}
}

func TestAMessageThatCantBePlayedSaysWhyAndRingsNobody(t *testing.T) {
	long := func(w io.Writer) error { return audio.WriteWAV(w, make(audio.Clip, 11*60*audio.Rate)) }
	for _, test := range []struct {
		name  string
		write func(io.Writer) error
		want  string
	}{
		{"long.wav", long, "The message can't be played: too long: 11 min of at most 10 min."},
		{"raw.alaw", func(w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte("no sound"), 1000))
			return err
		}, "The message can't be played: not a format this board plays: text."},
	} {
		d, item, _ := playing(t, test.name, test.write)
		_, err := d.soap.PlayOnPhone(t.Context(), localUser, item, "5550102")
		var own *unplayable
		if !errors.Is(err, soap.ErrAudio) || !errors.As(err, &own) || own.Sentence() != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		if calls := d.calls.Calls(); len(calls) > 0 {
			t.Errorf("%s: somebody was rung: %+v", test.name, calls)
		}
	}
}
