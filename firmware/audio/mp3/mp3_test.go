package mp3_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hookswitch/firmware/audio/mp3"
)

// Whether the sound is right is tested one level up, against another decoder.

func files(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/tiny/*.mp3")
	if err != nil || len(names) == 0 {
		t.Fatal("no testdata")
	}
	all := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = b
	}
	return all
}

func read(t testing.TB, b []byte) []float32 {
	t.Helper()
	d, err := mp3.New(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var all []float32
	for {
		p := make([]float32, 1000)
		n, err := d.Read(p)
		all = append(all, p[:n]...)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCountIsWhatReadGives(t *testing.T) {
	for name, b := range files(t) {
		d, err := mp3.New(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		n := d.Count()
		if got := read(t, b); int64(len(got)) != n {
			t.Errorf("%s: %d samples, Count said %d", name, len(got), n)
		}
		if rate := d.Rate(); rate < 8000 || rate > 12000 {
			t.Errorf("%s: %d Hz", name, rate)
		}
	}
}

func TestJunkBeforeBetweenAndBehindFrames(t *testing.T) {
	for name, b := range files(t) {
		if !mp3.Sniff(b) {
			t.Errorf("%s is not recognised", name)
		}
		want := read(t, b)
		junk := bytes.Repeat([]byte("junk\xff\xff"), 100)
		tagged := append([]byte("ID3\x04\x00\x00\x00\x00\x04\x58"), make([]byte, 4<<7|0x58)...)
		for what, file := range map[string][]byte{
			"a tag before": append(tagged, b...), "junk before": append(bytes.Clone(junk), b...),
			"junk behind": append(bytes.Clone(b), junk...),
		} {
			if got := read(t, file); len(got) != len(want) || diff(got, want) > 0 {
				t.Errorf("%s, %s: the sound is different", name, what)
			}
		}
	}
}

func TestADamagedFrameDoesNotSpoilTheRest(t *testing.T) {
	b := bytes.Repeat(files(t)["untagged.mp3"], 3)
	want := read(t, b)
	broken := bytes.Clone(b)
	at := len(b) / 3
	copy(broken[at+4:at+72], bytes.Repeat([]byte{0x55}, 68))
	got := read(t, broken)
	if len(got) != len(want) {
		t.Fatalf("got %d samples, want %d", len(got), len(want))
	}
	end := len(want) * 2 / 3
	if d := diff(got[end:], want[end:]); d > 1e-3 {
		t.Errorf("the end differs by %g", d)
	}
	for i, s := range got {
		if s != s || math.Abs(float64(s)) > 10 {
			t.Fatalf("sample %d is %g", i, s)
		}
	}
}

func diff(a, b []float32) (most float64) {
	for i := range a {
		most = max(most, math.Abs(float64(a[i]-b[i])))
	}
	return most
}

func TestNoFrames(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "one byte": {0xff}, "text": bytes.Repeat([]byte("no frames here "), 1000),
		"half a frame": files(t)["untagged.mp3"][:50], "all ones": bytes.Repeat([]byte{0xff}, 5000),
		"a tag with no end": []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"),
	} {
		if _, err := mp3.New(bytes.NewReader(b)); !errors.Is(err, mp3.ErrNoFrame) {
			t.Errorf("%s: %v", name, err)
		}
		if mp3.Sniff(b) {
			t.Errorf("%s looks like MP3", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range files(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := mp3.New(bytes.NewReader(b))
		if err != nil {
			return
		}
		p := make([]float32, 4096)
		for range 200 {
			n, err := d.Read(p)
			for _, s := range p[:n] {
				if s != s {
					t.Fatal("not a number")
				}
			}
			if err != nil {
				return
			}
		}
	})
}
