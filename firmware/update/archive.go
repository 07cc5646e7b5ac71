package update

import (
	"bufio"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An archive is three lines and the compressed slot:
//
//	hookswitch update 1
//	{"board":"rpi-arm64","version":"…","built":…,"size":…,"sha256":"…"}
//	base64 of the Ed25519 signature over the two lines above
//	gzip of the slot's file system
const (
	magic    = "hookswitch update 1\n"
	maxLine  = 4096
	maxSlot  = 256 << 20
	maxInput = maxSlot // a slot that does not compress at all is no archive of ours
)

// WriteArchive writes a signed archive of a slot's file system. r gives the Board, Version
// and Built of the manifest; size and hash are the slot's.
func WriteArchive(w io.Writer, r Release, slot []byte, key ed25519.PrivateKey) error {
	sum := sha256.Sum256(slot)
	line, err := json.Marshal(Manifest{r, int64(len(slot)), hex.EncodeToString(sum[:])})
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	signed := magic + string(line) + "\n"
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(signed)))
	if _, err := io.WriteString(w, signed+signature+"\n"); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if _, err := z.Write(slot); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return z.Close()
}

// open reads the head of an archive and returns its manifest, signed with key, and the
// slot's bytes, not yet compared with it.
func open(archive io.Reader, key ed25519.PublicKey) (Manifest, io.Reader, error) {
	var m Manifest
	in := bufio.NewReaderSize(io.LimitReader(archive, maxInput), maxLine)
	var lines [3][]byte
	for i := range lines {
		b, err := in.ReadSlice('\n')
		if err != nil {
			return m, nil, fmt.Errorf("%w: head", ErrCorrupt)
		}
		lines[i] = append([]byte(nil), b...)
	}
	if string(lines[0]) != magic {
		return m, nil, fmt.Errorf("%w: not an update archive", ErrCorrupt)
	}
	signature, err := base64.StdEncoding.DecodeString(string(lines[2][:len(lines[2])-1]))
	if err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, append(lines[0], lines[1]...), signature) {
		return m, nil, ErrSignature
	}
	if err := json.Unmarshal(lines[1], &m); err != nil || m.Size <= 0 || m.Size > maxSlot {
		return m, nil, fmt.Errorf("%w: manifest", ErrCorrupt)
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return m, nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return m, z, nil
}

// Verify reads a whole archive and says what it is. It fails with ErrCorrupt or
// ErrSignature; whether the board takes it is for Release to say.
func Verify(archive io.Reader, key ed25519.PublicKey) (Manifest, error) {
	m, slot, err := open(archive, key)
	if err != nil {
		return m, err
	}
	return m, copySlot(io.Discard, slot, m)
}

// copySlot copies exactly what the manifest promises, or fails with ErrCorrupt (the
// archive) or another error (the writer).
func copySlot(w io.Writer, slot io.Reader, m Manifest) error {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), corruptReader{io.LimitReader(slot, m.Size+1)})
	if err != nil {
		return err
	}
	if n != m.Size || hex.EncodeToString(hash.Sum(nil)) != m.SHA256 {
		return fmt.Errorf("%w: contents", ErrCorrupt)
	}
	return nil
}

// corruptReader makes what goes wrong in reading an archive ErrCorrupt, so that it can be
// told from what goes wrong in writing the card.
type corruptReader struct{ r io.Reader }

func (c corruptReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return n, err
}
