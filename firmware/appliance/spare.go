package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"hookswitch/firmware/statefile"
)

// The good configuration is kept a second time, outside every file system: between the
// partition table and the first partition, which starts at 4 MiB. A board that has lost
// its data partition still knows its lines and users from there.
const (
	spareOffset = 2 << 20
	spareSize   = 256 << 10
	spareMagic  = "hookswitch spare configuration 1\n"
)

var errNoSpare = errors.New("no spare configuration")

// packSpare is magic, SHA-256 of the rest, length as ten digits, text.
func packSpare(text []byte) []byte {
	body := fmt.Appendf(nil, "%010d", len(text))
	body = append(body, text...)
	sum := sha256.Sum256(body)
	return append(append([]byte(spareMagic), sum[:]...), body...)
}

// unpackSpare is the inverse of packSpare; what follows the text does not matter.
func unpackSpare(b []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(b, []byte(spareMagic))
	if !ok || len(rest) < sha256.Size+10 {
		return nil, errNoSpare
	}
	sum, body := rest[:sha256.Size], rest[sha256.Size:]
	var size int
	if _, err := fmt.Sscanf(string(body[:10]), "%d", &size); err != nil || size < 0 || size > len(body)-10 {
		return nil, errNoSpare
	}
	if got := sha256.Sum256(body[:10+size]); !bytes.Equal(got[:], sum) {
		return nil, errNoSpare
	}
	return body[10 : 10+size], nil
}

// readSpare returns the spare configuration on a disk.
func readSpare(disk string) ([]byte, error) {
	f, err := os.Open(disk)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, spareSize)
	if _, err := f.ReadAt(b, spareOffset); err != nil && err != io.EOF {
		return nil, err
	}
	return unpackSpare(b)
}

// writeSpare keeps text on a disk. A power cut in the middle leaves none.
func writeSpare(disk string, text []byte) error {
	b := packSpare(text)
	if len(b) > spareSize {
		return fmt.Errorf("spare configuration: %d bytes are too many", len(text))
	}
	if old, err := readSpare(disk); err == nil && bytes.Equal(old, text) {
		return nil
	}
	f, err := os.OpenFile(disk, os.O_WRONLY|os.O_SYNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, spareOffset)
	return errors.Join(err, f.Close())
}

// useSpare gives a board whose data partition is gone the configuration that it last
// served with.
func useSpare() {
	text, err := readSpare(disk)
	if err == nil {
		err = statefile.Replace(configFile, text, 0o600)
	}
	if err != nil {
		fault("the configuration is lost: %v", err)
		return
	}
	log.Print("the configuration is the one that the board last served with")
}
