package at_test

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"hookswitch/hal/at"
	"hookswitch/hal/at/attest"
)

// FuzzChat feeds a Chat whatever a broken modem may send. What it makes of it must not
// depend on how it was cut.
func FuzzChat(f *testing.F) {
	paths, _ := filepath.Glob("testdata/transcripts/*.txt")
	for _, path := range paths {
		steps, err := attest.Load(path)
		if err != nil {
			f.Fatal(err)
		}
		var said []byte
		for _, s := range steps {
			if !s.Host {
				said = append(said, s.Bytes...)
			}
		}
		f.Add(said, 7)
	}
	f.Add([]byte("\r\nCONNECT\r\r\n\x10\x1a\x10\x10\x10"), 1)
	f.Fuzz(func(t *testing.T, said []byte, split int) {
		said = said[:min(len(said), 1<<12)]
		whole := hearAll(t, said, len(said)+1)
		if cut := hearAll(t, said, 1+abs(split)%64); !slices.Equal(whole, cut) {
			t.Errorf("whole: %q\ncut: %q", whole, cut)
		}
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

// hearAll notes everything that a Chat makes of bytes that follow the start of a recording.
func hearAll(t *testing.T, said []byte, size int) (heard []string) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		chat := at.NewChat(near, at.Config{
			URC:   func(line string) { heard = append(heard, "urc "+line) },
			Event: func(code byte) { heard = append(heard, "event "+string(code)) },
		})
		go func() {
			_, _ = chat.Connect(t.Context(), "AT+VRX", func(p []byte) { heard = append(heard, "sound "+string(p)) }, nil)
		}()
		_, _ = io.ReadFull(far, make([]byte, len("AT+VRX\r")))
		for part := range slices.Chunk(said, size) {
			_, _ = far.Write(part)
		}
		synctest.Wait()
		_ = chat.Close()
		_ = far.Close()
	})
	return join(heard)
}

// join makes one of sounds in a row.
func join(heard []string) []string {
	var out []string
	for _, h := range heard {
		last := len(out) - 1
		if last >= 0 && bytes.HasPrefix([]byte(h), []byte("sound ")) && bytes.HasPrefix([]byte(out[last]), []byte("sound ")) {
			out[last] += h[len("sound "):]
			continue
		}
		out = append(out, h)
	}
	return out
}

// FuzzShield: what is shielded, cut anywhere and unshielded, is what it was.
func FuzzShield(f *testing.F) {
	for n := range 9 {
		f.Add(bytes.Repeat([]byte{at.DLE}, n))
	}
	f.Add([]byte{0x80, at.DLE, at.ETX, at.DLE, at.SUB, 0x0d, 0x11, 0x13})
	f.Fuzz(func(t *testing.T, data []byte) {
		shielded := at.Shield(nil, data)
		var u at.Unshielder
		var got []byte
		for _, b := range shielded {
			d, n, code, isCode := u.Next(b)
			if isCode {
				t.Fatalf("data %x turned into code %x", data, code)
			}
			got = append(got, bytes.Repeat([]byte{d}, n)...)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("got %x, want %x", got, data)
		}
	})
}
