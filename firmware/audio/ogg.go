package audio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// oggReader takes pages out of an Ogg file, RFC 3533 §6, also out of a damaged one.
type oggReader struct {
	r *bufio.Reader
}

const maxOggPage = 27 + 255 + 255*255

func newOggReader(r io.Reader) *oggReader {
	return &oggReader{bufio.NewReaderSize(r, 2*maxOggPage)}
}

// oggPage is a page; its bytes are good until the next is read.
type oggPage struct {
	flags   byte
	granule int64
	serial  uint32
	seq     uint32
	sizes   []byte // lacing values
	body    []byte
}

func (p oggPage) continues() bool { return p.flags&1 != 0 } // its first packet is another page's last
func (p oggPage) begins() bool    { return p.flags&2 != 0 } // a logical stream

// page returns the next whole page. lost means that something before it was none: where the
// file ends with an error, that its last page is cut short.
func (o *oggReader) page() (p oggPage, lost bool, err error) {
	cut := false
	for {
		head, err := o.r.Peek(27)
		if err != nil {
			return p, cut || begins(head, "OggS"), err
		}
		if !begins(head, "OggS") || head[4] != 0 {
			lost = true
			skip := bytes.Index(head[1:], []byte("O"))
			if skip < 0 {
				skip = len(head) - 1
			}
			_, _ = o.r.Discard(skip + 1)
			continue
		}
		head, err = o.r.Peek(27 + int(head[26]))
		if err != nil {
			return p, true, err
		}
		size := len(head)
		for _, s := range head[27:] {
			size += int(s)
		}
		whole, err := o.r.Peek(size)
		if err == nil && oggSumIsRight(whole) {
			_, _ = o.r.Discard(size)
			le := binary.LittleEndian
			return oggPage{
				flags: whole[5], granule: int64(le.Uint64(whole[6:])), serial: le.Uint32(whole[14:]), seq: le.Uint32(whole[18:]),
				sizes: whole[27 : 27+int(whole[26])], body: whole[27+int(whole[26]):],
			}, lost, nil
		}
		lost, cut = true, true
		_, _ = o.r.Discard(4)
	}
}

// oggSumIsRight checks a page. Some programs that write Ogg leave the sum 0.
func oggSumIsRight(page []byte) bool {
	const at = 22
	want := binary.LittleEndian.Uint32(page[at:])
	if want == 0 {
		return true
	}
	sum := uint32(0)
	for i, c := range page {
		if i >= at && i < at+4 {
			c = 0
		}
		sum = sum<<8 ^ oggTable[byte(sum>>24)^c]
	}
	return sum == want
}

// oggTable is of the polynomial 0x04c11db7.
var oggTable = func() (t [256]uint32) {
	for i := range t {
		crc := uint32(i) << 24
		for range 8 {
			carry := crc & (1 << 31)
			crc <<= 1
			if carry != 0 {
				crc ^= 0x04c11db7
			}
		}
		t[i] = crc
	}
	return t
}()
