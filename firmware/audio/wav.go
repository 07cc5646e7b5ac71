package audio

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Format tags of WAV files (Microsoft's mmreg.h).
const (
	tagPCM        = 0x0001
	tagMSADPCM    = 0x0002
	tagFloat      = 0x0003
	tagALaw       = 0x0006
	tagMuLaw      = 0x0007
	tagIMAADPCM   = 0x0011
	tagGSM        = 0x0031
	tagMP3        = 0x0055
	tagExtensible = 0xfffe
)

// wavFormat is the fmt chunk.
type wavFormat struct {
	tag, channels, bits int
	rate                int
	block               int // bytes that belong together
	extra               []byte
}

// openWAV reads the chunks before the samples.
func openWAV(r io.ReadSeeker, size int64) (*source, error) {
	w := wavReader{r: r, size: size, fact: -1}
	if err := w.header(); err != nil {
		return nil, err
	}
	for range 1000 { // chunks
		id, length, err := w.chunk()
		if err != nil {
			return nil, err
		}
		if id == "data" {
			return w.data(length)
		}
		if err := w.read(id, length); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: WAV with too many chunks", ErrBroken)
}

type wavReader struct {
	r    io.ReadSeeker
	size int64 // of the file
	pos  int64
	riff uint32 // the file's own idea of its size

	format *wavFormat
	fact   int64 // frames, of a compressed format; -1 unknown
}

func (w *wavReader) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(w.r, b); err != nil {
		return nil, fmt.Errorf("%w: WAV header cut short", ErrBroken)
	}
	w.pos += int64(n)
	return b, nil
}

func (w *wavReader) header() error {
	b, err := w.bytes(12)
	if err != nil {
		return err
	}
	if string(b[8:]) != "WAVE" {
		return fmt.Errorf("%w: RIFF, but not WAV", ErrFormat)
	}
	w.riff = binary.LittleEndian.Uint32(b[4:])
	return nil
}

func (w *wavReader) chunk() (id string, length uint32, err error) {
	b, err := w.bytes(8)
	if err != nil {
		return "", 0, err
	}
	return string(b[:4]), binary.LittleEndian.Uint32(b[4:]), nil
}

// read takes what is of use from a chunk, and goes to the next.
func (w *wavReader) read(id string, length uint32) error {
	end := w.pos + int64(length) + int64(length%2)
	if end > w.size {
		return fmt.Errorf("%w: WAV header cut short", ErrBroken)
	}
	switch {
	case id == "fmt " && (length < 14 || length > 4096):
		return fmt.Errorf("%w: format chunk of %d bytes", ErrBroken, length)
	case id == "fmt ":
		b, err := w.bytes(int(length))
		if err != nil {
			return err
		}
		w.format = parseFormat(b)
	case id == "fact" && length >= 4:
		b, err := w.bytes(4)
		if err != nil {
			return err
		}
		w.fact = int64(binary.LittleEndian.Uint32(b))
	}
	_, err := w.r.Seek(end, io.SeekStart)
	w.pos = end
	return err
}

func parseFormat(b []byte) *wavFormat {
	word := func(i int) int { return int(binary.LittleEndian.Uint16(b[i:])) }
	f := &wavFormat{tag: word(0), channels: word(2), rate: int(binary.LittleEndian.Uint32(b[4:])), block: word(12)}
	if len(b) >= 16 {
		f.bits = word(14)
	}
	if len(b) > 18 {
		f.extra = b[18:]
	}
	if f.tag == tagExtensible && len(f.extra) >= 8 {
		f.tag = int(binary.LittleEndian.Uint16(f.extra[6:])) // the GUID begins with it
	}
	return f
}

// data makes the source of the samples, which begin here.
func (w *wavReader) data(claimed uint32) (*source, error) {
	f := w.format
	switch {
	case f == nil:
		return nil, fmt.Errorf("%w: WAV without a format chunk", ErrBroken)
	case f.channels < 1 || f.channels > most:
		return nil, fmt.Errorf("%w: %d channels", ErrBroken, f.channels)
	case f.rate < minRate || f.rate > maxRate:
		return nil, fmt.Errorf("%w: %d samples a second", ErrBroken, f.rate)
	}
	length := w.size - w.pos
	whole := int64(claimed) <= length && !w.unfinished(claimed)
	if whole {
		length = int64(claimed)
	}
	r := bufio.NewReaderSize(io.LimitReader(w.r, length), 1<<16)
	s, err := f.source(r, length, w.fact)
	if err == nil && !whole && s.length >= 0 && duration(s.length, s.rate) < shortest {
		return nil, fmt.Errorf("%w: WAV that claims %d bytes of sound and has %d", ErrBroken, claimed, length)
	}
	return s, err
}

// unfinished says whether no sound is claimed because nobody came to fill in the header,
// which then does not count what follows.
func (w *wavReader) unfinished(claimed uint32) bool {
	return claimed == 0 && int64(w.riff)+8 < w.size
}

func (f *wavFormat) source(r *bufio.Reader, length, fact int64) (*source, error) {
	switch f.tag {
	case tagPCM, tagFloat, tagALaw, tagMuLaw:
		e, ok := f.encoding()
		if !ok {
			return nil, fmt.Errorf("%w: WAV of %d bits, format %d", ErrFormat, f.bits, f.tag)
		}
		return &source{f.rate, length / int64(e.bytes*f.channels), pcmReader(r, e, f.channels)}, nil
	case tagIMAADPCM, tagMSADPCM:
		return f.adpcm(r, length, fact)
	case tagGSM:
		return f.gsm(r, length, fact)
	case tagMP3:
		return newMP3(r, -1)
	}
	return nil, fmt.Errorf("%w: WAV of format %#04x; convert it first, with ffmpeg -i FILE -c:a pcm_s16le NEW.wav", ErrFormat, f.tag)
}

func (f *wavFormat) encoding() (encoding, bool) {
	switch {
	case f.tag == tagMuLaw && f.bits == 8:
		return encMuLaw, true
	case f.tag == tagALaw && f.bits == 8:
		return encALaw, true
	case f.tag == tagFloat && f.bits == 32:
		return encF32, true
	case f.tag == tagFloat && f.bits == 64:
		return encF64, true
	case f.tag == tagPCM && f.bits >= 1 && f.bits <= 32: // fewer bits are the upper ones of whole bytes
		return []encoding{encU8, encS16, encS24, encS32}[(f.bits-1)/8], true
	}
	return encoding{}, false
}

func (f *wavFormat) adpcm(r *bufio.Reader, length, fact int64) (*source, error) {
	header := 4 * f.channels
	decode := imaBlock(f.channels)
	perBlock := 1 + (f.block-header)/(4*f.channels)*8
	if f.tag == tagMSADPCM {
		header = 7 * f.channels
		decode = msBlock(f.channels, f.msCoefs())
		perBlock = 2 + (f.block-header)*2/f.channels
	}
	if f.bits != 4 {
		return nil, fmt.Errorf("%w: ADPCM of %d bits", ErrFormat, f.bits)
	}
	if f.block < header {
		return nil, fmt.Errorf("%w: ADPCM in blocks of %d bytes", ErrBroken, f.block)
	}
	frames := length / int64(f.block) * int64(perBlock)
	if rest := length % int64(f.block); rest >= int64(header) {
		frames += (rest-int64(header))*2/int64(f.channels) + 1
	}
	if fact > 0 && fact < frames {
		frames = fact
	}
	return &source{f.rate, frames, blockReader(r, f.block, perBlock, f.channels, frames, decode)}, nil
}

// msCoefs are the predictors that a file brings, and the standard ones where it does not.
func (f *wavFormat) msCoefs() [][2]int {
	if len(f.extra) < 4 {
		return msCoefs
	}
	n := int(binary.LittleEndian.Uint16(f.extra[2:]))
	if n == 0 || n > 256 || len(f.extra) < 4+4*n {
		return msCoefs
	}
	coefs := make([][2]int, n)
	for i := range coefs {
		b := f.extra[4+4*i:]
		coefs[i] = [2]int{int(int16(binary.LittleEndian.Uint16(b))), int(int16(binary.LittleEndian.Uint16(b[2:])))}
	}
	return coefs
}

// WriteWAV writes c as a 16-bit PCM WAV file.
func WriteWAV(w io.Writer, c Clip) error {
	const header = 44
	b := make([]byte, 0, header+2*len(c))
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(header-8+2*len(c)))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, tagPCM)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, Rate)
	b = le.AppendUint32(b, 2*Rate)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(2*len(c)))
	data := b[header : header+2*len(c)]
	for i, s := range c {
		le.PutUint16(data[2*i:], uint16(s))
	}
	if _, err := w.Write(b[:cap(b)]); err != nil {
		return fmt.Errorf("audio: write WAV: %w", err)
	}
	return nil
}
