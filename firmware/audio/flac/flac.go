// Package flac decodes FLAC (RFC 9639) to mono.
package flac

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrBroken means that the file, or the frame that was to be read, is damaged.
var ErrBroken = errors.New("flac: damaged")

const (
	maxBlock = 65535
	maxFrame = maxBlock*8*5 + 64 // bytes: all channels, verbatim, and the headers
)

// Decoder decodes one file.
type Decoder struct {
	Rate     int
	Channels int
	Bits     int   // of a sample
	Length   int64 // in samples, 0 where nobody knew when the file was written

	r        io.Reader
	store    []byte
	buf      []byte // of store: read and not yet decoded, with spare bytes behind
	atEnd    bool
	channels [8][]int32
	mono     []float32
	ready    []float32
}

// New reads the metadata of r.
func New(r io.Reader) (*Decoder, error) {
	br := bufio.NewReaderSize(r, 1<<14)
	magic := make([]byte, 4)
	if _, err := io.ReadFull(br, magic); err != nil || string(magic) != "fLaC" {
		return nil, fmt.Errorf("%w: no signature", ErrBroken)
	}
	d := &Decoder{r: br, buf: make([]byte, spare)}
	for last := false; !last; {
		head := make([]byte, 4)
		if _, err := io.ReadFull(br, head); err != nil {
			return nil, fmt.Errorf("%w: metadata cut short", ErrBroken)
		}
		last = head[0]&0x80 != 0
		size := int(binary.BigEndian.Uint32(head) & 0xffffff)
		const streamInfo, infoSize = 0, 34
		if head[0]&0x7f != streamInfo {
			if _, err := br.Discard(size); err != nil {
				return nil, fmt.Errorf("%w: metadata cut short", ErrBroken)
			}
			continue
		}
		info := make([]byte, infoSize)
		if _, err := io.ReadFull(br, info); err != nil || size != infoSize {
			return nil, fmt.Errorf("%w: stream information", ErrBroken)
		}
		d.parse(info)
	}
	if d.Rate == 0 || d.Bits < 4 {
		return nil, fmt.Errorf("%w: stream information", ErrBroken)
	}
	return d, nil
}

// parse takes stream information, RFC 9639 §8.2.
func (d *Decoder) parse(info []byte) {
	v := binary.BigEndian.Uint64(info[10:])
	d.Rate = int(v >> 44)
	d.Channels = int(v>>41&7) + 1
	d.Bits = int(v>>36&31) + 1
	d.Length = int64(v & (1<<36 - 1))
}

// Read fills p with samples, the mean of the channels, full scale at 1. After io.EOF, or
// ErrBroken where a frame was damaged, there are no more.
func (d *Decoder) Read(p []float32) (int, error) {
	if len(d.ready) == 0 {
		if err := d.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// next decodes a frame, of which it learns only then how long it is.
func (d *Decoder) next() error {
	const enough = 1 << 16 // bytes, of most frames
	if len(d.buf) < enough {
		if err := d.fill(enough); err != nil {
			return err
		}
	}
	for {
		f := frame{bits: bits{b: d.buf}}
		err := f.decode(d)
		have := len(d.buf) - spare
		switch {
		case f.pos > 8*have && d.atEnd && have > 0:
			return io.EOF // cut short
		case have == 0 && d.atEnd:
			return io.EOF
		case f.pos > 8*have && have < maxFrame:
			if err := d.fill(2 * len(d.buf)); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		d.buf = d.buf[f.pos/8:]
		return nil
	}
}

// fill reads until there are that many bytes, or all.
func (d *Decoder) fill(want int) error {
	have := len(d.buf) - spare
	if len(d.store) < want+spare {
		d.store = make([]byte, 2*want+spare)
	}
	copy(d.store, d.buf[:have])
	n, err := io.ReadFull(d.r, d.store[have:len(d.store)-spare])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		d.atEnd, err = true, nil
	}
	d.buf = d.store[:have+n+spare]
	clear(d.buf[have+n:])
	return err
}
