package audio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/tiny/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no testdata/tiny")
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Setenv("PATH", "") // without ffmpeg
	const limit = 3 * time.Second
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := audio.Decode(bytes.NewReader(b), limit)
		switch {
		case err == nil:
			if c.Duration() > limit || len(c) == 0 {
				t.Errorf("%v of sound", c.Duration())
			}
			if d, err := audio.Describe(bytes.NewReader(b), ""); err != nil || (d.Duration-c.Duration()).Abs() > 100*time.Millisecond {
				t.Errorf("decoded %v, but Describe says %v, %v", c.Duration(), d.Duration, err)
			}
		case !errors.Is(err, audio.ErrBroken) && !errors.Is(err, audio.ErrFormat) && !errors.Is(err, audio.ErrLimit):
			t.Errorf("an error of none of our kinds: %v", err)
		}
	})
}

// Every whole file of the seeds is decoded, or the fuzzing starts from nothing.
func TestTinyFilesAreDecoded(t *testing.T) {
	files, err := filepath.Glob("testdata/tiny/*")
	if err != nil || len(files) < 15 {
		t.Fatal("testdata/tiny is not there")
	}
	for _, name := range files {
		if c := decodeFile(t, name); c.Duration() < 100*time.Millisecond || c.Duration() > 600*time.Millisecond {
			t.Errorf("%s: %v of sound", name, c.Duration())
		}
	}
}

// A file cut anywhere is refused, or played as far as it goes; nothing else.
func TestTinyFilesCutAnywhere(t *testing.T) {
	files, err := filepath.Glob("testdata/tiny/*")
	if err != nil {
		t.Fatal(err)
	}
	cuts := 40 // for each doubling of the length, about
	if testing.Short() {
		cuts = 5
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			whole := decode(t, b)
			for n := 0; n < len(b); n += 1 + n/cuts {
				c, err := audio.Decode(bytes.NewReader(b[:n]), time.Minute)
				if err != nil && !errors.Is(err, audio.ErrBroken) && !errors.Is(err, audio.ErrFormat) {
					t.Errorf("cut at %d: %v", n, err)
				}
				if len(c) > len(whole)+1 {
					t.Errorf("cut at %d: %d samples, more than the %d of the whole", n, len(c), len(whole))
				}
			}
		})
	}
}

func samplesOf(b []byte) audio.Clip {
	c := make(audio.Clip, len(b)/2)
	for i := range c {
		c[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return c
}

// FuzzListen gives anything to the detectors, which must not care how it is cut.
func FuzzListen(f *testing.F) {
	for _, c := range []audio.Clip{
		audio.DTMF("1#", 60*time.Millisecond, 40*time.Millisecond),
		audio.Tone([]float64{440, 480}, 300*time.Millisecond, -20),
		audio.Prompt("1"), silence(100 * time.Millisecond), noisy(silence(100*time.Millisecond), 0),
	} {
		f.Add(pcm(c), uint16(100))
	}
	f.Fuzz(func(t *testing.T, b []byte, piece uint16) {
		c := samplesOf(b)
		n := int(piece)%1000 + 1
		if one, cut := hear(c, len(c)+1), hear(c, n); one != cut {
			t.Errorf("keys %q, in pieces of %d %q", one, n, cut)
		}
		one, _ := progress("us", c, len(c)+1)
		if cut, _ := progress("us", c, n); one != cut {
			t.Errorf("progress %q, in pieces of %d %q", one, n, cut)
		}
		var whole, parts audio.Silence
		want := whole.Hear(c)
		var got time.Duration
		for p := range slices.Chunk(c, n) {
			got = parts.Hear(p)
		}
		if got != want && len(c) > 0 {
			t.Errorf("silence %v, in pieces of %d %v", want, n, got)
		}
		if left := audio.Trim(c); len(left) > len(c) {
			t.Errorf("trimmed from %d to %d", len(c), len(left))
		}
		if p := peak(audio.Level(c)); p > 32768 {
			t.Errorf("peak %d", p)
		}
	})
}

// FuzzPlayer presses keys on a player.
func FuzzPlayer(f *testing.F) {
	f.Add([]byte("f.f.b.p..r.s.s.u.e.b.l."))
	f.Fuzz(func(t *testing.T, keys []byte) {
		clip := audio.Prompt(audio.PromptPressOne)
		p := audio.NewPlayer(clip)
		buf := make([]byte, 1601)
		for _, k := range keys[:min(len(keys), 500)] {
			switch k {
			case 'f':
				p.Faster()
			case 's':
				p.Slower()
			case 'b':
				p.Seek(-time.Second)
			case 'n':
				p.Seek(time.Second)
			case 'p':
				p.Pause()
			case 'r':
				p.Resume()
			case 'e':
				p.ToEnd()
			case 'l':
				p.Load(audio.NewMessage(clip))
			case 'u':
				p.Unheard(time.Duration(len(keys)) * 7 * time.Millisecond)
			default:
				n, err := p.Read(buf[:int(k)*6+1])
				if n == 0 && err == nil {
					t.Fatal("Read gives nothing, not even an end")
				}
			}
			if at := p.Position(); at < 0 || at > clip.Duration() {
				t.Fatalf("at %v of %v", at, clip.Duration())
			}
		}
	})
}
