package audio_test

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
)

// held is a file that gives the first bytes at once and the others when it is let go.
type held struct {
	*bytes.Reader
	first int64
	let   chan struct{}
	shut  bool
	err   error

	stalled     chan struct{} // closed when a Read waits to be let go; may be nil
	stalledOnce sync.Once
}

func (h *held) Read(p []byte) (int, error) {
	if at := h.Size() - int64(h.Len()); at >= h.first && h.let != nil {
		if h.stalled != nil {
			h.stalledOnce.Do(func() { close(h.stalled) })
		}
		<-h.let
		if h.err != nil {
			return 0, h.err
		}
	}
	return h.Reader.Read(p)
}

func (h *held) Close() error { h.shut = true; return nil }

func plain(b []byte) *held { return &held{Reader: bytes.NewReader(b)} }

func load(t *testing.T, f io.ReadSeekCloser, limit time.Duration) *audio.Message {
	t.Helper()
	m, err := audio.Load(t.Context(), f, "", limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// long is a minute and a half, of which the beginning is quiet.
func long() []int16 {
	s := sine(8000, 440, 90*time.Second)
	for i := range s[:10*audio.Rate] {
		s[i] /= 4
	}
	return s
}

func TestAMessageIsPlayedBeforeAllOfItIsThere(t *testing.T) {
	file := wav(8000, 1, long())
	f := &held{Reader: bytes.NewReader(file), first: 60 * 2 * audio.Rate, let: make(chan struct{}), stalled: make(chan struct{})}
	m := load(t, f, time.Hour)
	if m.Duration() != 90*time.Second {
		t.Errorf("it is told to be of %v", m.Duration())
	}
	m.WaitFor(25 * audio.Rate)
	<-f.stalled // nothing more is decoded while we look
	p := m.Player()
	if got := read(t, p, 20*time.Second); len(got) != 20*audio.Rate || dB(got[12*audio.Rate:]) < -20 {
		t.Fatalf("the beginning is %v of sound", got.Duration())
	}
	p.Seek(time.Hour)
	before := p.Position()
	if got := read(t, p, time.Second); peak(got[100:]) != 0 || p.Position() != before {
		t.Errorf("what is not there yet is not silence: %d, from %v to %v", peak(got[100:]), before, p.Position())
	}
	p.ToEnd()
	read(t, p, time.Second)
	close(f.let)
	m.Close() // stops it
	if got := read(t, p, time.Minute); len(got) > audio.Rate {
		t.Errorf("behind the end there are %v of sound", got.Duration())
	}
	if !f.shut {
		t.Error("the file is still open")
	}
}

func TestALoadedMessageIsWhatLevelMakesOfIt(t *testing.T) {
	clip := audio.Prompt(audio.PromptMessage)
	m := load(t, plain(wav(8000, 1, scaled(clip, 0.3))), time.Hour)
	m.Wait()
	got, want := read(t, m.Player(), time.Minute), audio.Level(scaled(clip, 0.3))
	if len(got) != len(want) || snr(want, got) < 60 {
		t.Errorf("%d samples, %.0f dB from the %d that Level makes", len(got), snr(want, got), len(want))
	}
}

func TestTheLevelOfALongMessageGlides(t *testing.T) {
	m := load(t, plain(wav(8000, 1, scaled(long(), 0.2))), time.Hour)
	m.Wait()
	got := read(t, m.Player(), 2*time.Minute)
	if len(got) != 90*audio.Rate {
		t.Fatalf("%v of sound", got.Duration())
	}
	for at := 11 * audio.Rate; at+audio.Rate <= len(got); at += audio.Rate {
		if l := dBm0(got[at : at+audio.Rate]); l < -14 || l > -11.5 {
			t.Errorf("after %d s it is of %.1f dBm0", at/audio.Rate, l)
		}
	}
	for i := 1; i < len(got); i++ {
		if d := int(got[i]) - int(got[i-1]); d > 6000 || d < -6000 {
			t.Fatalf("it clicks after %v", got[:i].Duration())
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	gone := errors.New("the share is gone")
	good := wav(8000, 1, long())
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(gone)
	for _, test := range []struct {
		name  string
		ctx   context.Context
		file  *held
		limit time.Duration
		want  error
		says  string
	}{
		{"one that is too long", t.Context(), plain(good), time.Minute, audio.ErrLimit, "too long: 1 min 30 s of at most 1 min"},
		{"one without sound", t.Context(), plain(wav(8000, 1, nil)), time.Minute, audio.ErrBroken, ""},
		{"one that is no sound", t.Context(), plain([]byte("Dear Anna, this is no sound at all")), time.Minute, audio.ErrFormat, ""},
		{"what can't be read", t.Context(), &held{Reader: bytes.NewReader(good), let: closed, err: gone}, time.Hour, gone, ""},
		{"for somebody who has gone", ctx, &held{Reader: bytes.NewReader(good), first: 70000, let: closed}, time.Hour, gone, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := audio.Load(test.ctx, test.file, "", test.limit)
			if !errors.Is(err, test.want) || test.says != "" && err.Error() != test.says {
				t.Errorf("got %v, want %v %s", err, test.want, test.says)
			}
			for _, kind := range []error{audio.ErrBroken, audio.ErrFormat, audio.ErrLimit} {
				if test.want == gone && errors.Is(err, kind) {
					t.Errorf("an error that passes is told as one of the message: %v", err)
				}
			}
			if err == nil {
				m.Close()
			} else if !test.file.shut {
				t.Error("the file is still open")
			}
		})
	}
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func TestADiskThatFailsInAMessageIsTold(t *testing.T) {
	gone := errors.New("input/output error")
	f := &held{Reader: bytes.NewReader(wav(8000, 1, long())), first: 80 * 2 * audio.Rate, let: closed, err: gone}
	m := load(t, f, time.Hour)
	m.Wait()
	got := read(t, m.Player(), 2*time.Minute)
	if !errors.Is(m.Err(), gone) || m.Description().Incomplete() == "" {
		t.Errorf("after %v: %v, %q", got.Duration(), m.Err(), m.Description().Incomplete())
	}
}

// A message of half an hour takes 29 MB as what it is, 16 bits 8000 times a second.
func TestHalfAnHourTakesNoMoreThanFortyMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("half an hour, twice")
	}
	for _, name := range halfHours(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			if used := heapOf(t, name); used > 40e6 {
				t.Errorf("it took %d MB", used/1e6)
			}
		})
	}
}

// halfHours are files of half an hour: of half a minute, sixty times.
func halfHours(t testing.TB) (names []string) {
	dir := workDir(t)
	sh(t, dir, "sox speech.wav -r 8000 long.wav repeat 9 && flac --totally-silent long.wav")
	for _, name := range []string{"long.wav", "long.flac"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, dir, name, bytes.Repeat(b, 57))
		names = append(names, filepath.Join(dir, name))
	}
	return names
}

// heapOf is how much the heap grows at most while a message is loaded.
func heapOf(t testing.TB, name string) uint64 {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	watch := &watchedFile{File: f}
	watch.look()
	before := watch.most
	m, err := audio.Load(t.Context(), watch, "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Wait()
	watch.look()
	if d := m.Duration(); d < 29*time.Minute {
		t.Fatalf("%v of sound", d)
	}
	return watch.most - before
}

// watchedFile looks at the heap whenever it is read.
type watchedFile struct {
	*os.File
	n    int
	most uint64
}

func (w *watchedFile) Read(p []byte) (int, error) {
	if w.n++; w.n%16 == 0 {
		w.look()
	}
	return w.File.Read(p)
}

func (w *watchedFile) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.most = max(w.most, m.HeapAlloc)
}
