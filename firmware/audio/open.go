package audio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"hookswitch/firmware/audio/mp3"
)

// sniffed is how much of a file is looked at to tell what it is.
const sniffed = 64 << 10

// file remembers what went wrong below: the fault of a card or of a network share is none
// of the message's, and may pass. Nor is the end of ctx, after which nothing is read.
type file struct {
	io.ReadSeeker
	ctx context.Context
	err error
}

func (f *file) Read(p []byte) (int, error) {
	if f.ctx.Err() != nil {
		return 0, f.note(context.Cause(f.ctx))
	}
	n, err := f.ReadSeeker.Read(p)
	return n, f.note(err)
}

func (f *file) Seek(to int64, whence int) (int64, error) {
	at, err := f.ReadSeeker.Seek(to, whence)
	return at, f.note(err)
}

func (f *file) note(err error) error {
	if err != nil && err != io.EOF && f.err == nil {
		f.err = fmt.Errorf("audio: the file can't be read: %w", err)
	}
	return err
}

// explain is why err is so.
func (f *file) explain(err error) error {
	if f.err != nil {
		return f.err
	}
	return err
}

// open finds out what r is by its first bytes, behind any ID3v2 tags; where they tell
// nothing, by its name. A converter runs until ctx ends.
func open(ctx context.Context, r io.ReadSeeker, name string) (*source, error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	head, at, err := sniffAt(r, 0, size)
	if err != nil {
		return nil, err
	}
	for tags := 0; begins(head, "ID3") && tags < 100; tags++ {
		behind, next, err := sniffAt(r, at+tagSize(head), size)
		if err != nil {
			return nil, err
		}
		if len(behind) == 0 { // the tag is cut short, or lies about its size
			break
		}
		head, at = behind, next
	}
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	s, err := sniff(r, head, at, size, name)
	if other := (*formatError)(nil); errors.As(err, &other) && len(other.with.args) > 0 {
		if converted, ok, failed := other.with.open(ctx, r); ok {
			s, err = converted, failed
		}
	}
	if err != nil {
		return nil, err
	}
	if s.rate < minRate || s.rate > maxRate {
		return nil, fmt.Errorf("%w: %d samples a second", ErrBroken, s.rate)
	}
	return s, nil
}

// openNext opens another file that begins at a place of r, if one does.
func openNext(r io.ReadSeeker, at int64) (*source, error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	head, at, err := sniffAt(r, at, size)
	if err != nil {
		return nil, err
	}
	if !isWAV(head) && !begins(head, ".snd") {
		return nil, io.EOF
	}
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	return sniff(r, head, at, size, "")
}

func sniffAt(r io.ReadSeeker, at, size int64) (head []byte, where int64, err error) {
	head = make([]byte, max(0, min(size-at, sniffed)))
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return nil, at, err
	}
	n, err := io.ReadFull(r, head)
	if err == io.ErrUnexpectedEOF || err == io.EOF { // the file has become shorter
		err = nil
	}
	return head[:n], at, err
}

// tagSize is how long the ID3v2 tag is that b begins with: http://id3.org/id3v2.4.0-structure §3.1.
func tagSize(b []byte) int64 {
	if len(b) < 10 {
		return int64(len(b))
	}
	size := 10 + (int64(b[6]&0x7f)<<21 | int64(b[7]&0x7f)<<14 | int64(b[8]&0x7f)<<7 | int64(b[9]&0x7f))
	if b[5]&0x10 != 0 {
		size += 10 // a footer
	}
	return size
}

func sniff(r io.ReadSeeker, head []byte, at, size int64, name string) (*source, error) {
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("%w: empty file", ErrBroken)
	case isWAV(head), begins(head, "RIFF"):
		return openWAV(r, at, size)
	case begins(head, ".snd"):
		return openAU(r, at, size)
	case begins(head, "fLaC"):
		return openFLAC(r)
	case begins(head, "OggS"):
		return openOgg(r, head)
	case begins(head, "ID3"), mp3.Sniff(head):
		return openMP3(r, at)
	}
	if ok, err := isGSM(r, head, at, size); err != nil {
		return nil, err
	} else if ok {
		return openGSM(r), nil
	}
	for _, f := range strangers {
		if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return nil, demuxer(f.demuxer, f.what)
		}
	}
	if from := behindHeader(head); from > 0 {
		at += int64(from)
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return nil, err
		}
		return sniff(r, head[from:], at, size, "")
	}
	return openRaw(r, head, at, size, name)
}

// behindHeader is where a file begins that stands behind somebody's own header, a block of
// zeros say; 0 where none does.
func behindHeader(head []byte) int {
	for i := range head {
		switch b := head[i:]; {
		case i == 0:
		case begins(b, "RIFF") && isWAV(b), begins(b, "fLaC\x00\x00\x00\x22"), begins(b, "OggS\x00\x02"):
			return i
		}
	}
	return 0
}

func begins(head []byte, magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }

// strangers are formats that we do not decode.
var strangers = []struct {
	at                   int
	magic, demuxer, what string
}{
	{0, "#!AMR", "amr", "AMR"},
	{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf", "WMA"},
	{4, "ftyp", "mov", "MPEG-4 (AAC)"},
	{0, "FORM", "aiff", "AIFF"},
	{0, "riff\x2e\x91\xcf\x11", "w64", "Wave64"},
	{0, "caff", "caf", "CAF"},
	{0, "\x1a\x45\xdf\xa3", "matroska", "WebM"},
	{0, "\xff\xf1", "aac", "AAC"},
	{0, "\xff\xf9", "aac", "AAC"},
}
