package gsm_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hookswitch/firmware/audio/gsm"
)

// libgsm's own decoder is the reference; what it makes of frames that no encoder makes
// counts as well.
func TestFramesAreDecodedBitByBitAsLibgsmDoes(t *testing.T) {
	speech, err := os.ReadFile("../testdata/tiny/bare.gsm")
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 300*gsm.FrameSize)
	seed := uint32(1)
	for i := range noise {
		seed = seed*1664525 + 1013904223
		noise[i] = byte(seed >> 24)
		if i%gsm.FrameSize == 0 {
			noise[i] = 0xd0 | noise[i]&0xf
		}
	}
	for name, frames := range map[string][]byte{"speech": speech, "noise": noise, "speech after noise": append(bytes.Clone(noise), speech...)} {
		file := filepath.Join(t.TempDir(), "in.gsm")
		if err := os.WriteFile(file, frames, 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := exec.Command("untoast", "-p", "-c", "-l", file).Output()
		if err != nil {
			t.Fatalf("untoast: %v (scripts/setup installs it)", err)
		}
		var d gsm.Decoder
		var out [gsm.Samples]int16
		var got []byte
		for b := frames; len(b) >= gsm.FrameSize; b = b[gsm.FrameSize:] {
			d.Frame(&out, b)
			for _, s := range out {
				got = binary.LittleEndian.AppendUint16(got, uint16(s))
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%s: got %d bytes, want %d", name, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: the first difference is in frame %d, sample %d", name, i/2/gsm.Samples, i/2%gsm.Samples)
				break
			}
		}
	}
}

func TestBlocksHoldTheSameFrames(t *testing.T) {
	frames, err := os.ReadFile("../testdata/tiny/bare.gsm")
	if err != nil {
		t.Fatal(err)
	}
	var one, two gsm.Decoder
	for ; len(frames) >= 2*gsm.FrameSize; frames = frames[2*gsm.FrameSize:] {
		var a, b [gsm.Samples]int16
		one.Frame(&a, frames)
		one.Frame(&b, frames[gsm.FrameSize:])
		var got [2 * gsm.Samples]int16
		two.Block(&got, pack(frames))
		if [gsm.Samples]int16(got[:gsm.Samples]) != a || [gsm.Samples]int16(got[gsm.Samples:]) != b {
			t.Fatal("a block sounds different from its two frames")
		}
	}
}

// fields are the lengths of a frame's parameters.
func fields() []int {
	f := []int{6, 6, 5, 5, 4, 4, 3, 3}
	for range 4 {
		f = append(f, 7, 2, 2, 6, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3)
	}
	return f
}

// pack makes a block, least significant bits first, of two frames.
func pack(frames []byte) []byte {
	block := make([]byte, gsm.BlockSize)
	out := 0
	for f := range 2 {
		in := f*8*gsm.FrameSize + 4
		for _, n := range fields() {
			for i := range n {
				at := in + n - 1 - i
				block[out/8] |= frames[at/8] >> (7 - at%8) & 1 << (out % 8)
				out++
			}
			in += n
		}
	}
	return block
}
