// Package flac decodes FLAC (RFC 9639) to mono.
package flac

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrBroken means that the file, or the frame that was to be read, is damaged.
var ErrBroken = errors.New("flac: damaged")

const (
	signature = "fLaC"

	maxBlock = 65535
	maxFrame = maxBlock*8*4 + 64 // bytes: all channels, verbatim, and the headers

	maxHeader = 16 // bytes of a frame's
)

// Decoder decodes one file.
type Decoder struct {
	Rate     int
	Channels int
	Bits     int   // of a sample
	Length   int64 // in samples, 0 where nobody knew when the file was written

	// Until the samples are read or counted, what was found by then:
	Missing int64 // samples that Length promises and no frame holds; at the end
	Damaged bool  // frames were skipped, or the last one is cut short

	r        io.Reader
	given    int64 // samples
	skipped  bool  // what stood before the next frame was none
	rest     io.Reader
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
	if _, err := io.ReadFull(br, magic); err != nil || string(magic) != signature {
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

// Read fills p with samples, the mean of the channels, full scale at 1. A damaged frame is
// left out; io.EOF ends the file, or comes where another begins, which Rest gives.
func (d *Decoder) Read(p []float32) (int, error) {
	if len(d.ready) == 0 {
		block, err := d.next(false)
		if err != nil {
			return 0, d.end(err)
		}
		d.given += block
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// Count goes to the end as Read does, and returns the number of samples. It decodes only
// frames whose checksum does not tell.
func (d *Decoder) Count() int64 {
	for {
		block, err := d.next(true)
		if err != nil {
			_ = d.end(err)
			return d.given
		}
		d.given += block
	}
}

func (d *Decoder) end(err error) error {
	if err == io.EOF && d.Length > 0 {
		d.Missing = max(0, d.Length-d.given)
	}
	return err
}

// Rest is another file that begins where this one ends, nil where none does.
func (d *Decoder) Rest() io.Reader { return d.rest }

// next goes to the next frame, decodes it or only looks at its checksum, and returns its
// length in samples.
func (d *Decoder) next(look bool) (block int64, err error) {
	const enough = 1 << 16 // bytes, of most frames
	if len(d.buf) < enough && !d.atEnd {
		if err := d.fill(enough); err != nil {
			return 0, err
		}
	}
	for {
		have := len(d.buf) - spare
		if have == 0 && d.atEnd {
			return 0, io.EOF
		}
		if look {
			if block, size := d.checked(); size > 0 {
				d.take(size)
				return block, nil
			}
		}
		f := frame{bits: bits{b: d.buf}}
		err := f.decode(d)
		switch {
		case f.pos > 8*have && !d.atEnd && have < maxFrame: // it goes on
			if err := d.fill(min(2*have, maxFrame)); err != nil {
				return 0, err
			}
			continue
		case err == nil && f.pos <= 8*have:
			d.take(f.pos / 8)
			return int64(f.block), nil
		case err == nil || f.pos > 8*have && f.block > 0:
			d.Damaged = true // cut short, unless another frame is found in it
		}
		if err := d.resync(); err != nil {
			return 0, err
		}
	}
}

// take goes on behind a frame.
func (d *Decoder) take(size int) {
	d.Damaged = d.Damaged || d.skipped
	d.skipped = false
	d.buf = d.buf[size:]
}

// checked returns the length of the frame at hand, where another follows and the checksum of
// what is between is right; 0 where decoding has to tell.
func (d *Decoder) checked() (block int64, size int) {
	b := d.buf[:len(d.buf)-spare]
	f := frame{bits: bits{b: d.buf}}
	if f.header(d) != nil {
		return 0, 0
	}
	crc := uint16(0)
	for i, c := range b {
		if crc == 0 && c == 0xff && i > 0 && len(d.buf)-i > maxHeader+spare {
			next := frame{bits: bits{b: d.buf[i:]}}
			if next.header(d) == nil {
				return int64(f.block), i
			}
		}
		crc = crc<<8 ^ crcTable[byte(crc>>8)^c]
	}
	return 0, 0
}

// resync skips to what may be the next frame, or another file.
func (d *Decoder) resync() error {
	if !bytes.HasPrefix(d.buf, []byte(signature)) {
		d.skipped = true
	}
	for from := 1; ; from = 0 {
		b := d.buf[:len(d.buf)-spare]
		for i := 0; i < len(b)-maxHeader || d.atEnd && i < len(b); i++ {
			switch {
			case b[i] == 0xff && i >= from:
				f := frame{bits: bits{b: d.buf[i:]}}
				if f.header(d) != nil {
					continue
				}
				d.buf = d.buf[i:]
				return nil
			case b[i] == 'f' && bytes.HasPrefix(b[i:], []byte(signature)):
				d.rest = io.MultiReader(bytes.NewReader(bytes.Clone(b[i:])), d.r)
				d.buf, d.atEnd = make([]byte, spare), true
				return io.EOF
			}
		}
		if d.atEnd {
			d.buf = d.buf[len(b):]
			return io.EOF
		}
		d.buf = d.buf[max(0, len(b)-maxHeader):]
		if err := d.fill(1 << 16); err != nil {
			return err
		}
	}
}

// fill reads until there are that many bytes, or all.
func (d *Decoder) fill(want int) error {
	have := len(d.buf) - spare
	if len(d.store) < want+spare {
		d.store = make([]byte, max(want, min(2*want, 1<<18))+spare)
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
