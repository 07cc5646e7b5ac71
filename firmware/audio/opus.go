package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/pion/opus"
)

const (
	opusRate   = 48000 // Hz, of Opus's clock
	opusPacket = 5760  // samples, 120 ms: the longest
	// opusBytes is the longest packet of sound; RFC 7845 §6 lets a player refuse longer ones.
	opusBytes = 61440
)

// openOgg opens Opus in Ogg, RFC 7845, and what is chained to it.
func openOgg(r io.Reader, head []byte) (*source, error) {
	if !bytes.Contains(head, []byte("OpusHead")) {
		return nil, demuxer("ogg", "Ogg, but not Opus")
	}
	s := &source{rate: opusRate, length: -1}
	o := &opusReader{s: s, ogg: newOggReader(r)}
	s.read, s.count = o.read, o.count
	for o.link == nil {
		if err := o.page(); err != nil {
			return nil, fmt.Errorf("%w: Opus header", ErrBroken)
		}
		if o.refused != nil {
			return nil, o.refused
		}
	}
	return s, nil
}

// opusReader reads one Opus stream after the other.
type opusReader struct {
	s       *source
	ogg     *oggReader
	look    bool // only at the packets' lengths
	link    *opusLink
	refused error // why a stream can't be read

	packets [][]byte // of this page, whole
	partial []byte   // a packet that goes on in the next page
	long    bool     // it has become too long: its rest is passed over

	give  int       // samples of this page up to where the sound may end
	held  []float32 // what is behind that, in case the next page goes on
	ready []float32
	pcm   [opusPacket]float32
}

// opusLink is a logical stream: a link of the chain, RFC 3533 §4.
type opusLink struct {
	serial  uint32
	seq     uint32
	headers int // left to be read
	streams []opus.Decoder
	coupled int
	gain    float32

	skip  int   // samples at the start that are not played: RFC 7845 §4.2
	at    int64 // samples of its packets so far
	base  int64 // the granule position at which they begin
	begun bool
}

func (o *opusReader) read(p []float32) (n int, err error) {
	for len(o.ready) == 0 {
		if err := o.advance(); err != nil {
			return 0, err
		}
	}
	n = copy(p, o.ready)
	o.ready = o.ready[n:]
	return n, nil
}

func (o *opusReader) count() (n int64) {
	o.look = true
	for o.advance() == nil {
		n += int64(len(o.ready))
		o.ready = nil
	}
	return n
}

// advance decodes the next packet.
func (o *opusReader) advance() error {
	for len(o.packets) == 0 {
		if err := o.page(); err != nil {
			return err
		}
		if len(o.packets) > 0 && len(o.held) > 0 { // it was not the end
			o.ready = append(o.ready[:0], o.held...)
			o.held = o.held[:0]
			return nil
		}
	}
	packet := o.packets[0]
	o.packets = o.packets[1:]
	l := o.link
	n := packetSamples(packet)
	if n > opusPacket {
		o.s.damaged = true
		return nil
	}
	sound := o.pcm[:n]
	if !o.look && !l.decode(sound, packet) {
		clear(sound)
		o.s.damaged = o.s.damaged || len(packet) > 2 // shorter ones mean that nothing was sent
	}
	skipped := min(n, l.skip)
	l.skip -= skipped
	given := max(skipped, min(n, o.give))
	o.give -= n
	o.ready = append(o.ready[:0], sound[skipped:given]...)
	o.held = append(o.held, sound[given:]...)
	return nil
}

// decode decodes a packet to mono. False where it can't be.
func (l *opusLink) decode(sound []float32, packet []byte) (ok bool) {
	defer func() {
		if recover() != nil { // no file may stop the board
			ok = false
		}
	}()
	var one [opusPacket]float32
	var mixed []float32
	channels := len(l.streams) + l.coupled
	for i := range l.streams {
		this := packet
		if i < len(l.streams)-1 {
			if this, packet = splitPacket(packet); this == nil {
				return false
			}
		}
		n, err := l.streams[i].DecodeToFloat32(this, one[:])
		if err != nil || n != len(sound) {
			return false
		}
		weight := l.gain / float32(channels)
		if i < l.coupled {
			weight *= 2
		}
		if mixed == nil {
			mixed = sound
			clear(mixed)
		}
		for j := range mixed {
			mixed[j] += weight * one[j]
		}
	}
	return true
}

// page takes the packets of the stream's next page.
func (o *opusReader) page() error {
	o.packets = o.packets[:0]
	p, lost, err := o.ogg.page()
	if err != nil {
		o.s.damaged = o.s.damaged || lost
		return io.EOF
	}
	if p.begins() && bytes.HasPrefix(p.body, []byte("OpusHead")) && (o.link == nil || o.link.begun || o.link.headers == 0) {
		o.link, o.refused = newOpusLink(p)
		o.s.damaged = o.s.damaged || o.refused != nil
		o.partial, o.long, o.held = nil, false, o.held[:0]
		return nil
	}
	l := o.link
	if l == nil || p.serial != l.serial {
		return nil // another stream, beside this one or in its place
	}
	lost = lost || p.seq != l.seq+1
	l.seq = p.seq
	o.collect(p, lost)
	if l.headers > 0 {
		return nil
	}
	o.place(p, lost)
	return nil
}

// collect puts the packets together that end in this page.
func (o *opusReader) collect(p oggPage, lost bool) {
	l := o.link
	body := p.body
	if lost || !p.continues() {
		o.partial, o.long = nil, false
	}
	orphan := p.continues() && o.partial == nil && !o.long // its beginning was lost
	for i, size := range p.sizes {
		if !orphan && !o.long {
			o.partial = append(o.partial, body[:size]...)
			if o.long = len(o.partial) > opusBytes; o.long {
				o.partial = nil
			}
		}
		body = body[size:]
		if size == 255 {
			if i == len(p.sizes)-1 && o.partial == nil && !o.long && !orphan {
				o.partial = []byte{}
			}
			continue
		}
		switch {
		case l.headers > 0 && !orphan:
			l.headers--
		case orphan || o.long:
			o.s.damaged = true
		default:
			o.packets = append(o.packets, o.partial)
		}
		orphan, o.long, o.partial = false, false, nil
	}
}

// place compares a page's packets with its granule position, which counts samples: what is
// missing before it, and where the sound ends in it. A position that is wrong by more than
// the page is a wrong count, and ends nothing.
func (o *opusReader) place(p oggPage, lost bool) {
	l, n := o.link, int64(0)
	for _, packet := range o.packets {
		n += int64(packetSamples(packet))
	}
	o.s.damaged = o.s.damaged || lost
	o.give = int(n)
	if n == 0 || p.granule < 0 {
		l.at += n
		return
	}
	ahead := p.granule - l.base - l.at - n // of what was counted
	switch {
	case !l.begun && ahead > 0: // it was cut out of a longer one
		l.base += ahead
	case lost && ahead > 0 && ahead < int64(longest.Seconds())*opusRate:
		o.s.missing += ahead
		l.base += ahead
	case ahead < 0 && -ahead < n:
		o.give = int(n + ahead)
	}
	l.begun = true
	l.at += n
}

func newOpusLink(p oggPage) (*opusLink, error) {
	id := p.body
	if len(id) < 19 || id[8]>>4 != 0 {
		return nil, fmt.Errorf("%w: Opus header", ErrBroken)
	}
	channels, family := int(id[9]), id[18]
	l := &opusLink{serial: p.serial, seq: p.seq, headers: 1, skip: int(binary.LittleEndian.Uint16(id[10:]))}
	streams := 1
	if family != 0 {
		if len(id) < 21+channels {
			return nil, fmt.Errorf("%w: Opus header", ErrBroken)
		}
		streams, l.coupled = int(id[19]), int(id[20])
	} else if channels == 2 {
		l.coupled = 1
	}
	if channels < 1 || channels > most || streams < 1 || streams > channels || l.coupled > streams {
		return nil, fmt.Errorf("%w: Opus of %d channels", ErrBroken, channels)
	}
	l.gain = float32(32768 * math.Pow(10, float64(int16(binary.LittleEndian.Uint16(id[16:])))/(20*256)))
	for range streams {
		d, err := opus.NewDecoderWithOutput(opusRate, 1)
		if err != nil {
			return nil, fmt.Errorf("audio: %w", err)
		}
		l.streams = append(l.streams, d)
	}
	return l, nil
}
