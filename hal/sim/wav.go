package sim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// keep writes what a far end has heard to <time>-<line>-<number>.wav, whole or not at all,
// and points latest-<line>.wav at it.
func keep(dir, line, number string, samples []int16) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("sim: recording: %w", err)
	}
	base := time.Now().Format("20060102-150405.000") + "-" + fileName(line) + "-" + fileName(number)
	path := filepath.Join(dir, base+".wav")
	for n := 2; exists(path); n++ {
		path = filepath.Join(dir, fmt.Sprintf("%s-%d.wav", base, n))
	}
	if err := renameio.WriteFile(path, wav(samples), 0o644); err != nil {
		return fmt.Errorf("sim: recording: %w", err)
	}
	latest := filepath.Join(dir, "latest-"+fileName(line)+".wav")
	if err := renameio.Symlink(filepath.Base(path), latest); err != nil {
		return fmt.Errorf("sim: recording: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// fileName leaves of s what is harmless in the name of a file.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '_':
			return r
		}
		return -1
	}, s[:min(len(s), 40)])
}

// wav is 16-bit mono PCM at 8000 Hz as a RIFF file.
func wav(samples []int16) []byte {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a Buffer never fails
	b.WriteString("RIFF")
	put(uint32(36 + 2*len(samples)))
	b.WriteString("WAVEfmt ")
	put(uint32(16))
	put([]uint16{1, 1})           // PCM, mono
	put([]uint32{rate, 2 * rate}) // samples and bytes a second
	put([]uint16{2, 16})          // bytes a frame, bits a sample
	b.WriteString("data")
	put(uint32(2 * len(samples)))
	put(samples)
	return b.Bytes()
}
