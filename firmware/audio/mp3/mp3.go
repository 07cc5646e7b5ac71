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
	"errors"
	"io"
)

// ErrNoFrame means that no layer III frame was found where one had to be.
var ErrNoFrame = errors.New("mp3: no frame")

const maxJunk = 128 << 10 // bytes between frames

// Decoder decodes one file.
type Decoder struct {
	r      *bufio.Reader
	first  header
	divide int // the file's rate by ours

	main    []byte // main data: what earlier frames left over, and this frame's
	old     int    // how much of main is left over
	skip    int    // samples of ours at the start that are the encoder's delay
	left    int64  // samples of ours until the encoder's padding, -1 unknown
	ready   []float32
	granule granule
	hybrid  hybrid
	synth   synth
	pcm     [2 * 576]float32
}

// New reads to the first frame of r.
func New(r io.Reader) (*Decoder, error) {
	d := &Decoder{r: bufio.NewReaderSize(r, 1<<14), left: -1}
	if err := d.skipTags(); err != nil {
		return nil, err
	}
	b, h, err := d.next()
	if err != nil {
		return nil, err
	}
	d.first, d.divide = h, h.divide()
	info, ok := h.info(b)
	if ok {
		_, _ = d.r.Discard(h.size)
		d.setDelay(info)
	}
	d.hybrid.init(32 / d.divide)
	d.synth.init(d.divide, info.delay%d.divide)
	return d, nil
}

// setDelay leaves out what the encoder says it has added.
func (d *Decoder) setDelay(info info) {
	d.skip = info.delay / d.divide
	if info.frames > 0 && info.delay > 0 {
		d.left = max(0, info.frames*int64(d.first.samples())-int64(info.delay+info.padding)) / int64(d.divide)
	}
}

// Rate is the sample rate of what Read gives, in Hz.
func (d *Decoder) Rate() int { return d.first.rate / d.divide }

// Read fills p with samples, full scale at 1, and returns how many. io.EOF ends the file;
// a damaged frame is silence.
func (d *Decoder) Read(p []float32) (int, error) {
	for len(d.ready) == 0 {
		if d.left == 0 {
			return 0, io.EOF
		}
		b, h, err := d.next()
		if err != nil {
			return 0, io.EOF
		}
		d.ready = d.decode(b, h)
		_, _ = d.r.Discard(h.size)
		n := min(d.skip, len(d.ready))
		d.skip -= n
		d.ready = d.ready[n:]
		if d.left >= 0 {
			d.ready = d.ready[:min(int64(len(d.ready)), d.left)]
			d.left -= int64(len(d.ready))
		}
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// next finds the next frame, which it leaves in r. A frame cut short by the file's end
// is none.
func (d *Decoder) next() ([]byte, header, error) {
	for range maxJunk {
		b, err := d.r.Peek(4)
		if err != nil {
			return nil, header{}, ErrNoFrame
		}
		if h, ok := parseHeader(b); ok && d.fits(h) {
			if b, err := d.r.Peek(h.size); err == nil {
				return b, h, nil
			}
		}
		_, _ = d.r.Discard(1)
	}
	return nil, header{}, ErrNoFrame
}

// fits says whether h goes on with the stream. A first frame must be followed by another.
func (d *Decoder) fits(h header) bool {
	if d.first.size > 0 {
		return h.rate == d.first.rate
	}
	b, err := d.r.Peek(h.size + 4)
	if err != nil {
		return errors.Is(err, io.EOF) && len(b) == h.size
	}
	next, ok := parseHeader(b[h.size:])
	return ok && next.rate == h.rate
}

// skipTags skips ID3v2 tags, http://id3.org/id3v2.4.0-structure §3.1.
func (d *Decoder) skipTags() error {
	for {
		b, err := d.r.Peek(10)
		if err != nil || string(b[:3]) != "ID3" {
			return nil
		}
		size := int(b[6]&0x7f)<<21 | int(b[7]&0x7f)<<14 | int(b[8]&0x7f)<<7 | int(b[9]&0x7f)
		if b[5]&0x10 != 0 {
			size += 10 // a footer
		}
		if _, err := d.r.Discard(10 + size); err != nil {
			return ErrNoFrame
		}
	}
}

// decode decodes a frame.
func (d *Decoder) decode(b []byte, h header) []float32 {
	sound := d.pcm[:h.samples()/d.divide]
	side, at, ok := parseSide(b, h)
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

// Length is how many samples a file has and at what rate Read would give them.
func Length(r io.Reader) (samples int64, rate int, err error) {
	d, err := New(r)
	if err != nil {
		return 0, 0, err
	}
	n := int64(0)
	for {
		_, h, err := d.next()
		if err != nil {
			break
		}
		n += int64(h.samples() / d.divide)
		_, _ = d.r.Discard(h.size)
	}
	n = max(0, n-int64(d.skip))
	if d.left >= 0 {
		n = min(n, d.left)
	}
	return n, d.Rate(), nil
}
