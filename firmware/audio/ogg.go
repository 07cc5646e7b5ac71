package audio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/pion/opus"
)

const (
	opusRate   = 48000 // Hz, of Opus's clock
	opusPacket = 5760  // samples, 120 ms: the longest
	oggPage    = 27 + 255 + 255*255
)

// openOgg opens Opus in Ogg, RFC 7845, the first stream of the file.
func openOgg(r io.ReadSeeker, head []byte) (*source, error) {
	if !bytes.Contains(head[:min(len(head), 300)], []byte("OpusHead")) {
		return nil, fmt.Errorf("%w: Ogg, but not Opus; convert it first, with ffmpeg -i FILE FILE.wav", ErrFormat)
	}
	ogg := &oggReader{}
	end, err := ogg.end(r)
	if err != nil {
		return nil, err
	}
	ogg.r = bufio.NewReaderSize(r, 1<<16)
	id, err := ogg.packet()
	if err != nil {
		return nil, fmt.Errorf("%w: Opus: %w", ErrBroken, err)
	}
	if len(id) < 19 || !begins(id, "OpusHead") || id[8]>>4 != 0 {
		return nil, fmt.Errorf("%w: Opus header", ErrBroken)
	}
	if id[18] != 0 {
		return nil, fmt.Errorf("%w: Opus of more than two channels", ErrFormat)
	}
	if _, err := ogg.packet(); err != nil { // tags
		return nil, fmt.Errorf("%w: Opus: %w", ErrBroken, err)
	}
	o := &opusReader{ogg: ogg, skip: int(binary.LittleEndian.Uint16(id[10:]))}
	o.gain = float32(32768 * math.Pow(10, float64(int16(binary.LittleEndian.Uint16(id[16:])))/(20*256)))
	if o.decoder, err = opus.NewDecoderWithOutput(opusRate, 1); err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	o.left = max(0, end-int64(o.skip))
	return &source{opusRate, o.left, o.read}, nil
}

type opusReader struct {
	ogg     *oggReader
	decoder opus.Decoder
	gain    float32
	skip    int   // samples at the start that are not played: RFC 7845 §4.2
	left    int64 // to the end
	pcm     [opusPacket]float32
	ready   []float32
}

func (o *opusReader) read(p []float32) (n int, err error) {
	defer recovered(&err)
	for len(o.ready) == 0 {
		if o.left == 0 {
			return 0, io.EOF
		}
		packet, err := o.ogg.packet()
		if err != nil {
			return 0, err
		}
		got, err := o.decoder.DecodeToFloat32(packet, o.pcm[:])
		if err != nil || got > len(o.pcm) {
			continue // as if it had been lost
		}
		skipped := min(got, o.skip)
		o.skip -= skipped
		o.ready = o.pcm[skipped:got]
		if int64(len(o.ready)) > o.left {
			o.ready = o.ready[:o.left]
		}
		o.left -= int64(len(o.ready))
	}
	n = copy(p, o.ready)
	o.ready = o.ready[n:]
	for i := range p[:n] {
		p[i] *= o.gain
	}
	return n, nil
}

// oggReader takes the packets of one stream out of Ogg pages, RFC 3533 §6.
type oggReader struct {
	r       *bufio.Reader
	serial  uint32
	began   bool
	sizes   []byte // lacing values of this page that are left
	partial []byte // a packet that goes on in the next page
}

// packet returns the next packet; it is good until the next call.
func (o *oggReader) packet() ([]byte, error) {
	const longest = 61440 // bytes; RFC 7845 §6 lets a player refuse longer ones
	o.partial = o.partial[:0]
	for {
		for len(o.sizes) > 0 {
			size := o.sizes[0]
			o.sizes = o.sizes[1:]
			if len(o.partial)+int(size) > longest {
				return nil, errors.New("packet too long")
			}
			from := len(o.partial)
			o.partial = append(o.partial, make([]byte, size)...)
			if _, err := io.ReadFull(o.r, o.partial[from:]); err != nil {
				return nil, io.EOF
			}
			if size < 255 {
				return o.partial, nil
			}
		}
		if err := o.page(); err != nil {
			return nil, err
		}
	}
}

// page reads the header of the stream's next page.
func (o *oggReader) page() error {
	var head [27]byte
	if _, err := io.ReadFull(o.r, head[:]); err != nil {
		return io.EOF
	}
	if !begins(head[:], "OggS") || head[4] != 0 {
		return errors.New("no Ogg page where one should be")
	}
	serial := binary.LittleEndian.Uint32(head[14:])
	if o.began && serial != o.serial {
		return io.EOF // another stream, chained or beside this one
	}
	o.began, o.serial = true, serial
	o.sizes = make([]byte, head[26])
	if _, err := io.ReadFull(o.r, o.sizes); err != nil {
		return io.EOF
	}
	return nil
}

// end is the last page's granule position, the number of samples; r is left at its start.
func (o *oggReader) end(r io.ReadSeeker) (int64, error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = r.Seek(max(0, size-oggPage), io.SeekStart)
	}
	if err != nil {
		return 0, fmt.Errorf("audio: %w", err)
	}
	tail, err := io.ReadAll(io.LimitReader(r, oggPage))
	if err == nil {
		_, err = r.Seek(0, io.SeekStart)
	}
	if err != nil {
		return 0, fmt.Errorf("audio: %w", err)
	}
	for at := bytes.LastIndex(tail, []byte("OggS")); at >= 0; at = bytes.LastIndex(tail[:at], []byte("OggS")) {
		if len(tail) >= at+14 {
			if end := int64(binary.LittleEndian.Uint64(tail[at+6:])); end >= 0 { // -1: no packet ends there
				return end, nil
			}
		}
	}
	return 0, fmt.Errorf("%w: Ogg without a page", ErrBroken)
}
