package mailbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// An item id names a message by its content, not by its file: voice-mail systems renumber
// their files, copies and restored backups have other inodes, and what replaces a file is
// another message. It is made of the mailbox, the fingerprint of the content and, where a
// mailbox has the same content more than once, a number that the index keeps. So it stays the same when a file is
// renamed, when it comes back from a backup, after a restart, and without the index.

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// idBytes of a hash make an id of 24 characters, which is base64 too, as entryId has to be
// (MS-OXWUMS 2.2.4.9).
const idBytes = 15

const (
	// A file of up to wholeSize bytes is hashed whole: eight seconds of 16-bit sound. Of a
	// longer one pieces of pieceSize bytes are, spread evenly from its first to its last byte,
	// and its size: reading all of a mailbox would take a slow card many minutes.
	wholeSize = pieces * pieceSize
	pieceSize = 16 << 10
	pieces    = 8
)

// fingerprint tells one content from another; the zero one is of no file.
type fingerprint [16]byte

// fingerprintOf reads the fingerprint of a file of size bytes.
func fingerprintOf(f io.ReaderAt, size int64) (fingerprint, error) {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(size)))
	offsets := []int64{0}
	length := size
	if size > wholeSize {
		length = pieceSize
		for i := int64(1); i < pieces; i++ {
			offsets = append(offsets, (size-pieceSize)/(pieces-1)*i)
		}
		offsets[pieces-1] = size - pieceSize
	}
	for _, offset := range offsets {
		n, err := io.Copy(h, io.NewSectionReader(f, offset, length))
		if err == nil && n < length {
			err = io.ErrUnexpectedEOF // it was cut meanwhile
		}
		if err != nil {
			return fingerprint{}, err
		}
	}
	return fingerprint(h.Sum(nil)[:len(fingerprint{})]), nil
}

// itemID is the id of a message with that content in a user's mailbox. number is 0, but for
// the second one of the same content and those that follow.
func itemID(user string, content fingerprint, number uint32) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%x\x00%d", user, content, number))
	return idEncoding.EncodeToString(sum[:idBytes])
}

func validID(id string) bool {
	return len(id) == idEncoding.EncodedLen(idBytes) && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// numberFor is the number to begin with for one more message of the same content, which does
// not depend on the order in which they are seen.
func numberFor(name string, modified int64) uint32 {
	return crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %s", modified, name))
}
