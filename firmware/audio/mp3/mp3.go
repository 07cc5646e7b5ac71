// Package mp3 decodes MPEG audio layer III (ISO 11172-3, ISO 13818-3, and the unofficial
// MPEG 2.5 below them) for a telephone: mixed to mono, and at the lowest rate of 8000 Hz or
// more that is the file's divided by 1, 2 or 4. What lies above is not even taken out of
// the Huffman code, which makes it several times faster than a decoder for music.
//
//	header.go    frame headers, and the encoder's own in the first frame
//	side.go      what a frame says about its granules: side information, scale factors
//	huffman.go   spectral lines as integers; tables.go: their codes
//	spectrum.go  integers to a mono spectrum
//	hybrid.go    spectrum to subband samples (IMDCT)
//	synth.go     subband samples to sound, at a fraction of the rate
package mp3

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// ErrNoFrame means that no layer III frame was found where one had to be.
var ErrNoFrame = errors.New("mp3: no frame")

// Decoder decodes one file, or several that stand one behind the other, as long as the sample
// rate stays the same.
type Decoder struct {
	// What was found so far:
	Missing int64 // samples that an encoder's tag promises and that are not there
	Damaged bool  // frames are damaged, or something stands between them

	r       *bufio.Reader
	first   header
	divide  int // the file's rate by ours
	changed bool

	main    []byte // main data: what earlier frames left over, and this frame's
	old     int    // how much of main is left over
	tagged  tagged
	held    []float32 // what may be the encoder's padding
	ready   []float32
	granule granule
	hybrid  hybrid
	synth   synth
	pcm     [2 * 576]float32
}

// tagged is what belongs together: frames behind an encoder's tag, up to the next tag.
type tagged struct {
	frames   int64 // so far
	promised int64 // by the tag; 0 unknown
	skip     int   // samples of ours at the start that are the encoder's delay
	left     int64 // samples of ours until the encoder's padding, -1 unknown
}

// New reads to the first frame of r.
func New(r io.Reader) (*Decoder, error) {
	return newDecoder(bufio.NewReaderSize(r, 1<<14))
}

func newDecoder(r *bufio.Reader) (*Decoder, error) {
	d := &Decoder{r: r, tagged: tagged{left: -1}}
	b, h, err := d.next()
	if err != nil {
		return nil, err
	}
	d.first, d.divide = h, h.divide()
	d.Damaged = false // there is no sound before the first frame
	info, _ := h.info(b)
	d.hybrid.init(32 / d.divide)
	d.synth.init(d.divide, info.delay%d.divide)
	return d, nil
}

// begin begins a part with its tag. It leaves out what the encoder says it has added.
func (d *Decoder) begin(info info) {
	d.endTagged()
	d.tagged = tagged{promised: info.frames, skip: info.delay / d.divide, left: -1}
	if info.frames > 0 && info.delay > 0 {
		d.tagged.left = max(0, info.frames*int64(d.first.samples())-int64(info.delay+info.padding)) / int64(d.divide)
	}
	d.old = 0
}

// endTagged drops the padding and notes how many frames are missing. A frame more or less is
// how encoders count.
func (d *Decoder) endTagged() {
	d.held = d.held[:0]
	if short := d.tagged.promised - d.tagged.frames; short > 2 {
		d.Missing += short * int64(d.first.samples()) / int64(d.divide)
	}
	d.tagged.promised = 0
}

// Rate is the sample rate of what Read gives, in Hz.
func (d *Decoder) Rate() int { return d.first.rate / d.divide }

// Read fills p with samples, full scale at 1, and returns how many. io.EOF ends the file, or
// the part of it that has this rate; a damaged frame is silence.
func (d *Decoder) Read(p []float32) (int, error) {
	for len(d.ready) == 0 {
		b, h, err := d.frame()
		if err != nil {
			return 0, io.EOF
		}
		d.ready = d.trim(d.decode(b, h))
		_, _ = d.r.Discard(h.size)
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// Count goes to the end as Read does, without decoding, and returns the number of samples.
func (d *Decoder) Count() (samples int64) {
	for {
		_, h, err := d.frame()
		if err != nil {
			return samples
		}
		samples += int64(len(d.trim(d.pcm[:h.samples()/d.divide])))
		_, _ = d.r.Discard(h.size)
	}
}

// Next is what follows where the rate changes; ErrNoFrame where nothing does.
func (d *Decoder) Next() (*Decoder, error) {
	if !d.changed {
		return nil, ErrNoFrame
	}
	return newDecoder(d.r)
}

// frame finds the next frame that has sound.
func (d *Decoder) frame() ([]byte, header, error) {
	for {
		b, h, err := d.next()
		if err != nil {
			d.endTagged()
			return nil, header{}, err
		}
		info, ok := h.info(b)
		if !ok {
			d.tagged.frames++
			return b, h, nil
		}
		d.begin(info)
		_, _ = d.r.Discard(h.size)
	}
}

// trim leaves out delay and padding. What the tag's count says is padding is held back until
// the part ends there: where more frames come than were promised, the count is wrong.
func (d *Decoder) trim(sound []float32) []float32 {
	p := &d.tagged
	n := min(p.skip, len(sound))
	p.skip -= n
	sound = sound[n:]
	if p.left < 0 {
		return sound
	}
	if p.frames > p.promised {
		p.left = -1
		d.held = append(d.held, sound...)
		sound, d.held = d.held, nil
		return sound
	}
	n = int(min(int64(len(sound)), p.left))
	p.left -= int64(n)
	d.held = append(d.held, sound[n:]...)
	return sound[:n]
}

// next finds the next frame, which it leaves in r.
func (d *Decoder) next() ([]byte, header, error) {
	for skipped := 0; ; {
		b, err := d.r.Peek(4)
		if err != nil {
			return nil, header{}, ErrNoFrame
		}
		if n := d.tag(b); n > 0 {
			_, _ = d.r.Discard(n)
			continue
		}
		if h, ok := parseHeader(b); ok && d.fits(h, skipped > 0) {
			if d.changed {
				return nil, header{}, ErrNoFrame
			}
			d.Damaged = d.Damaged || skipped > 0
			if b, err := d.r.Peek(h.size); err == nil {
				return b, h, nil
			}
			d.Damaged = true // cut short by the file's end
			return nil, header{}, ErrNoFrame
		}
		_, _ = d.r.Discard(1)
		skipped++
	}
}

// fits reports whether h goes on with the stream. A first frame, one behind something else
// and one of another rate must be followed by one of its kind.
func (d *Decoder) fits(h header, found bool) bool {
	if h.rate == d.first.rate && !found {
		return true
	}
	b, err := d.r.Peek(h.size + 4)
	if err != nil {
		return errors.Is(err, io.EOF) && len(b) == h.size && h.rate == d.first.rate
	}
	next, ok := parseHeader(b[h.size:])
	if !ok || next.rate != h.rate {
		return false
	}
	d.changed = d.first.size > 0 && h.rate != d.first.rate
	return true
}

// tag is the length of a tag that begins here: ID3v1, ID3v2 and APE's stand between files
// that somebody has joined.
func (d *Decoder) tag(b []byte) int {
	switch {
	case string(b[:3]) == "TAG":
		return 128
	case string(b[:3]) == "ID3":
		if b, err := d.r.Peek(10); err == nil && b[3] < 5 && b[6]|b[7]|b[8]|b[9] < 0x80 {
			return tagSize(b)
		}
	case string(b) == "APET":
		if b, err := d.r.Peek(32); err == nil && string(b[:8]) == "APETAGEX" {
			const isHeader = 0x20
			if size := int(binary.LittleEndian.Uint32(b[12:])); b[23]&isHeader != 0 && size < 1<<24 {
				return 32 + size
			}
			return 32
		}
	}
	return 0
}

// tagSize is how long the ID3v2 tag is that b begins with: http://id3.org/id3v2.4.0-structure §3.1.
func tagSize(b []byte) int {
	size := 10 + (int(b[6]&0x7f)<<21 | int(b[7]&0x7f)<<14 | int(b[8]&0x7f)<<7 | int(b[9]&0x7f))
	if b[5]&0x10 != 0 {
		size += 10 // a footer
	}
	return size
}

// decode decodes a frame.
func (d *Decoder) decode(b []byte, h header) []float32 {
	sound := d.pcm[:h.samples()/d.divide]
	side, at, ok := parseSide(b, h)
	d.Damaged = d.Damaged || !ok
	// The main data may begin in the frames before: the bit reservoir, §2.4.2.7.
	d.main = append(d.main[:d.old], b[at:]...)
	from := d.old - side.begin
	ok = ok && from >= 0
	d.granule.begin(d.main, max(0, from))
	for i := range h.granules() {
		out := sound[i*576/d.divide:][:576/d.divide]
		ok = ok && d.granule.read(h, &side, i, d.hybrid.bands)
		if !ok {
			d.granule.silence()
		}
		d.hybrid.transform(&d.granule)
		d.synth.write(out, &d.hybrid.out)
	}
	const reservoir = 511
	d.old = copy(d.main, d.main[max(0, len(d.main)-reservoir):])
	return sound
}
