package flac_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"hookswitch/firmware/audio/flac"
)

// Whether the sound is right is tested one level up, against another decoder.

func files(t testing.TB) [][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/tiny/*.flac")
	if err != nil || len(names) == 0 {
		t.Fatal("no testdata")
	}
	var all [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// count reads all samples.
func count(b []byte) (n int64, err error) {
	d, err := flac.New(bytes.NewReader(b))
	if err != nil {
		return 0, err
	}
	p := make([]float32, 1000)
	for {
		got, err := d.Read(p)
		n += int64(got)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func TestLengthIsWhatReadGives(t *testing.T) {
	for _, b := range files(t) {
		d, err := flac.New(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := count(b); n != d.Length || err != nil {
			t.Errorf("got %d samples, %v; want %d", n, err, d.Length)
		}
	}
}

func TestAChangedBitIsNoticed(t *testing.T) {
	for _, b := range files(t) {
		whole, err := count(b)
		if err != nil {
			t.Fatal(err)
		}
		for at := len(b) / 2; at < len(b); at += 7 {
			broken := bytes.Clone(b)
			broken[at] ^= 0x10
			// It may also look as if the last frame were cut short.
			if n, err := count(broken); n == whole || err != nil && !errors.Is(err, flac.ErrBroken) {
				t.Errorf("bit in byte %d of %d: %d samples, %v", at, len(b), n, err)
			}
		}
	}
}

func TestHostileMetadata(t *testing.T) {
	good := files(t)[0]
	for name, b := range map[string][]byte{
		"nothing":               nil,
		"a signature":           good[:4],
		"cut":                   good[:20],
		"no stream information": append([]byte("fLaC\x84\x00\x00\x00"), good[42:]...),
		"a block with no end":   append([]byte("fLaC\x02\xff\xff\xff"), good[4:]...),
		"blocks with no end":    append([]byte("fLaC"), bytes.Repeat([]byte{2, 0, 0, 0}, 10000)...),
		"short stream info":     append([]byte("fLaC\x80\x00\x00\x02"), good[8:]...),
		"samples of one bit":    append(append(bytes.Clone(good[:20]), 0, 0), good[22:]...),
	} {
		if _, err := count(b); !errors.Is(err, flac.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range files(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := flac.New(bytes.NewReader(b))
		if err != nil {
			return
		}
		p := make([]float32, 1<<16)
		for range 50 {
			if _, err := d.Read(p); err != nil {
				return
			}
		}
	})
}
