package audio

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
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
	bytes               int // a second
	extra               []byte
	order               binary.ByteOrder
}

func parseFormat(b []byte, order binary.ByteOrder) *wavFormat {
	word := func(i int) int { return int(order.Uint16(b[i:])) }
	f := &wavFormat{tag: word(0), channels: word(2), rate: int(order.Uint32(b[4:])), block: word(12), order: order}
	f.bytes = int(order.Uint32(b[8:]))
	if len(b) >= 16 {
		f.bits = word(14)
	}
	if len(b) > 18 {
		f.extra = b[18:]
	}
	if f.tag == tagExtensible && len(f.extra) >= 8 {
		f.tag = int(order.Uint16(f.extra[6:])) // the GUID begins with it
	}
	return f
}

func (f *wavFormat) source(r *bufio.Reader, length, fact int64) (*source, error) {
	switch f.tag {
	case tagPCM, tagFloat, tagALaw, tagMuLaw:
		e, ok := f.encoding(r)
		if !ok {
			return nil, fmt.Errorf("%w: WAV of %d bits, format %d", ErrFormat, f.bits, f.tag)
		}
		if f.order == binary.BigEndian {
			e = bigEndian(e)
		}
		return &source{rate: f.rate, length: length / int64(e.bytes*f.channels), read: pcmReader(r, e, f.channels)}, nil
	case tagIMAADPCM, tagMSADPCM:
		return f.adpcm(r, length, fact)
	case tagGSM:
		return f.gsm(r, length, fact)
	case tagMP3:
		return newMP3(r)
	}
	return nil, demuxer("wav", fmt.Sprintf("WAV of format %#04x", f.tag))
}

// encoding is how the samples are written. G.711 has eight bits whatever the header says;
// where it says nothing of linear samples, the size of a block does, and where it says what
// neither the block nor the bytes of a second agree with, those do.
func (f *wavFormat) encoding(r *bufio.Reader) (encoding, bool) {
	bits, each := f.bits, f.block/f.channels
	if bits == 0 || f.block == each*f.channels && f.bytes == f.rate*f.block && (bits+7)/8 != each {
		bits = 8 * each
	}
	switch {
	case f.tag == tagMuLaw:
		return encMuLaw, true
	case f.tag == tagALaw:
		return encALaw, true
	case f.tag == tagFloat && bits == 64:
		return encF64, true
	case f.tag == tagFloat && (bits == 32 || each == 4):
		return encF32, true
	case f.tag == tagPCM && bits > 16 && f.block == 4*f.channels && f.valid() <= 24:
		some, _ := r.Peek(1 << 12)
		return f.in32(some), true
	case f.tag == tagPCM && bits >= 1 && bits <= 32: // fewer bits are the upper ones of whole bytes
		return []encoding{encU8, encS16, encS24, encS32}[(bits-1)/8], true
	}
	return encoding{}, false
}

// valid is how many bits of a sample are used.
func (f *wavFormat) valid() int {
	if len(f.extra) >= 2 {
		if v := int(f.order.Uint16(f.extra)); v > 0 {
			return min(v, f.bits)
		}
	}
	return f.bits
}

// in32 tells how samples of 24 bits stand in four bytes, by some of them: as WAV wants it in
// the upper three, in the lower three with their sign extended, or as floating-point numbers
// of that range (Cool Edit's, as ffmpeg reads every such file).
func (f *wavFormat) in32(b []byte) encoding {
	lower, float, used := true, true, false
	for ; len(b) >= 4; b = b[4:] {
		v := f.order.Uint32(b)
		lower = lower && int32(v) == int32(v<<8)>>8
		x := math.Abs(float64(math.Float32frombits(v)))
		float = float && (x == 0 || x > 1e-3 && x < 1<<25)
		used = used || v != 0
	}
	switch {
	case used && float:
		return encF24
	case used && lower:
		return encS24In32
	}
	return encS32
}

func (f *wavFormat) adpcm(r *bufio.Reader, length, fact int64) (*source, error) {
	header := 4 * f.channels
	decode := imaBlock(f.channels)
	if f.tag == tagMSADPCM {
		header = 7 * f.channels
		decode = msBlock(f.channels, f.msCoefs())
	}
	if f.bits != 4 && f.bits != 0 && f.bits != 16 { // 16: that of what comes out
		return nil, demuxer("wav", fmt.Sprintf("ADPCM of %d bits", f.bits))
	}
	if f.block < header {
		return nil, fmt.Errorf("%w: ADPCM in blocks of %d bytes", ErrBroken, f.block)
	}
	perBlock := 1 + (f.block-header)/(4*f.channels)*8 // whatever the header says it is
	if f.tag == tagMSADPCM {
		perBlock = 2 + (f.block-header)*2/f.channels
	}
	frames := length / int64(f.block) * int64(perBlock)
	if rest := length % int64(f.block); rest >= int64(header) {
		frames += (rest-int64(header))*2/int64(f.channels) + 1
	}
	frames = inLastBlock(fact, frames, perBlock)
	return &source{rate: f.rate, length: frames, read: blockReader(r, f.block, perBlock, f.channels, frames, decode)}, nil
}

// inLastBlock is a file's count of its frames where that ends in the last block, whose rest
// is padding; another count is wrong.
func inLastBlock(fact, frames int64, perBlock int) int64 {
	if fact <= max(0, frames-int64(perBlock)) || fact > frames {
		return frames
	}
	return fact
}

// msCoefs are the predictors that a file brings, and the standard ones where it does not.
func (f *wavFormat) msCoefs() [][2]int {
	if len(f.extra) < 4 {
		return msCoefs
	}
	n := int(f.order.Uint16(f.extra[2:]))
	if n == 0 || n > 256 || len(f.extra) < 4+4*n {
		return msCoefs
	}
	coefs := make([][2]int, n)
	for i := range coefs {
		b := f.extra[4+4*i:]
		coefs[i] = [2]int{int(int16(f.order.Uint16(b))), int(int16(f.order.Uint16(b[2:])))}
	}
	return coefs
}
