package audio

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// isWAV reports whether b begins as WAV does: Microsoft's, its big-endian form, the 64-bit
// ones of EBU Tech 3306 and ITU-R BS.2088.
func isWAV(b []byte) bool {
	return len(b) >= 12 && string(b[8:12]) == "WAVE" && wavIDs[string(b[:4])]
}

var wavIDs = map[string]bool{"RIFF": true, "RIFX": true, "RF64": true, "BW64": true}

// wavReader reads the chunks of a WAV file.
type wavReader struct {
	r    io.ReadSeeker
	size int64 // of the file
	pos  int64

	order  binary.ByteOrder
	riff   uint32 // the file's own idea of its size
	long   int64  // of the data, of a 64-bit file; -1 unknown
	format *wavFormat
	fact   int64 // frames, of a compressed format; -1 unknown
	lost   bool  // a chunk says that it ends behind the file's end
}

// openWAV reads the chunks before the samples. r stands at the file's start.
func openWAV(r io.ReadSeeker, at, size int64) (*source, error) {
	w := wavReader{r: r, size: size, pos: at, fact: -1, long: -1, order: binary.LittleEndian}
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

func (w *wavReader) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(w.r, b); err != nil {
		return nil, fmt.Errorf("%w: WAV header cut short", ErrBroken)
	}
	w.pos += int64(n)
	return b, nil
}

func (w *wavReader) seek(to int64) error {
	_, err := w.r.Seek(to, io.SeekStart)
	w.pos = to
	return err
}

func (w *wavReader) header() error {
	b, err := w.bytes(12)
	if err != nil {
		return err
	}
	if string(b[8:]) != "WAVE" {
		return fmt.Errorf("%w: RIFF, but not WAV", ErrFormat)
	}
	if string(b[:4]) == "RIFX" {
		w.order = binary.BigEndian
	}
	w.riff = w.order.Uint32(b[4:])
	return nil
}

// chunk reads a chunk's header. Where none is, a chunk before it lied about its size, or
// somebody left out a byte of padding: the next one that we need is looked for.
func (w *wavReader) chunk() (id string, length uint32, err error) {
	at := w.pos
	b, err := w.bytes(8)
	if err == nil && isID(b) && !w.lost {
		return string(b[:4]), w.order.Uint32(b[4:]), nil
	}
	const reach = 1 << 20
	w.lost = false
	from := max(12, at-1)
	if err := w.seek(from); err != nil {
		return "", 0, err
	}
	b = make([]byte, min(reach, max(0, w.size-from)))
	n, _ := io.ReadFull(w.r, b)
	for i := range b[:max(0, n-8)] {
		if id := string(b[i : i+4]); id == "data" && w.format != nil || id == "fmt " && w.format == nil {
			return id, w.order.Uint32(b[i+4:]), w.seek(from + int64(i) + 8)
		}
	}
	return "", 0, fmt.Errorf("%w: WAV header cut short", ErrBroken)
}

// isID reports whether b begins with a chunk's name.
func isID(b []byte) bool {
	for _, c := range b[:4] {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// read takes what is of use from a chunk, and goes to the next.
func (w *wavReader) read(id string, length uint32) error {
	end := w.pos + int64(length) + int64(length%2)
	switch {
	case id == "fmt " && length < 14:
		return fmt.Errorf("%w: format chunk of %d bytes", ErrBroken, length)
	case id == "fmt ":
		b, err := w.bytes(int(min(length, 4096, uint32(max(0, w.size-w.pos)))))
		if err != nil || len(b) < 14 {
			return fmt.Errorf("%w: WAV header cut short", ErrBroken)
		}
		w.format = parseFormat(b, w.order)
	case id == "fact" && length >= 4:
		b, err := w.bytes(4)
		if err != nil {
			return err
		}
		w.fact = int64(w.order.Uint32(b))
	case id == "ds64" && length >= 16: // EBU Tech 3306 §3.2: the sizes of the file and of the data
		b, err := w.bytes(16)
		if err != nil {
			return err
		}
		w.long = int64(w.order.Uint64(b[8:]))
	}
	if w.lost = end > w.size; w.lost {
		end = w.pos
	}
	return w.seek(end)
}

// unknownSize is what programs that write into a pipe give as a size, or more: ffmpeg
// 0xffffffff, sox 0x7ffff000 and a header, arecord 0x80000000. No message is as large.
const unknownSize = 0x7f000000

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
	length := int64(claimed)
	if claimed == 0xffffffff && w.long > 0 {
		length = w.long
	}
	parts, missing, next := w.parts(length)
	there := int64(0)
	for _, p := range parts {
		there += p.size
	}
	r := bufio.NewReaderSize(&partReader{r: w.r, parts: parts}, 1<<16)
	s, err := f.source(r, there, w.fact)
	if err != nil {
		return nil, err
	}
	if missing != 0 && s.length >= 0 && duration(s.length, s.rate) < shortest {
		return nil, fmt.Errorf("%w: WAV that claims %d bytes of sound and has %d", ErrBroken, claimed, there)
	}
	if missing > 0 && s.length > 0 {
		s.missing = int64(float64(s.length) * float64(missing) / float64(there))
	}
	s.damaged = missing > 0 && s.length < 0
	if next > 0 {
		s.next = func() (*source, error) { return openNext(w.r, next) }
	}
	return s, nil
}

// part is a stretch of a file.
type part struct{ at, size int64 }

// parts are where the samples are, from here on: as long as the header says, where chunks
// follow or the file ends, and else as far as the file goes. missing is how much of what it
// says is not there, in bytes, -1 where it does not say. next is where another file begins,
// 0 where none does.
func (w *wavReader) parts(length int64) (parts []part, missing, next int64) {
	rest := w.size - w.pos
	whole := []part{{w.pos, rest}}
	switch {
	case length >= unknownSize || length < 0:
		return whole, -1, 0
	case length > rest:
		return whole, length - rest, 0
	}
	parts = []part{{w.pos, length}}
	more, next, ok := w.chunksFrom(w.pos + length + length%2)
	if !ok && length%2 == 1 {
		more, next, ok = w.chunksFrom(w.pos + length)
	}
	if !ok {
		return whole, -1, 0
	}
	return append(parts, more...), 0, next
}

// trailers are chunks that stand behind the samples of damaged files, too.
const trailers = "LIST list id3  ID3  bext fact cue  smpl inst JUNK junk PAD  afsp iXML _PMX TAG  levl DISP"

// chunksFrom looks at what follows the samples. ok reports whether that is the end of the
// file, or chunks up to there or to another file: next. Samples in further chunks are parts.
func (w *wavReader) chunksFrom(at int64) (parts []part, next int64, ok bool) {
	for range 1000 {
		if w.size-at < 8 {
			return parts, 0, true
		}
		head, _, err := sniffHere(w.r, at, 16)
		if err != nil || len(head) < 8 {
			return nil, 0, false
		}
		id := string(head[:4])
		size := int64(w.order.Uint32(head[4:]))
		end := at + 8 + size
		switch {
		case isWAV(head):
			return parts, at, true
		case begins(head, "TAG"), begins(head, "ID3"), begins(head, "APETAGEX"):
			return parts, 0, true
		case !isID(head):
			return nil, 0, false
		case end > w.size && !strings.Contains(trailers, id):
			return nil, 0, false
		case end > w.size:
			return parts, 0, true
		}
		if id == "data" {
			parts = append(parts, part{at + 8, size})
		}
		if end += size % 2; end < w.size && size%2 == 1 { // some leave out the padding
			if b, _, _ := sniffHere(w.r, end-1, 8); len(b) == 8 && isID(b) && !isID(b[1:]) {
				end--
			}
		}
		at = end
	}
	return nil, 0, false
}

// sniffHere reads a few bytes.
func sniffHere(r io.ReadSeeker, at int64, n int) ([]byte, int64, error) {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return nil, at, err
	}
	b := make([]byte, n)
	n, err := io.ReadFull(r, b)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return b[:n], at, err
}

// partReader reads one part after the other.
type partReader struct {
	r     io.ReadSeeker
	parts []part
	left  int64 // of the part being read
}

func (p *partReader) Read(b []byte) (int, error) {
	for p.left == 0 {
		if len(p.parts) == 0 {
			return 0, io.EOF
		}
		if _, err := p.r.Seek(p.parts[0].at, io.SeekStart); err != nil {
			return 0, err
		}
		p.left, p.parts = p.parts[0].size, p.parts[1:]
	}
	n, err := p.r.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	if err == io.EOF { // the file has become shorter
		p.left, err = 0, nil
	}
	return n, err
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
