package flac

import "fmt"

// frame is one being decoded.
type frame struct {
	bits
	block    int // samples
	channels int
	stereo   int // how two channels are coded, RFC 9639 §9.1.3
	depth    int // bits of a sample
}

const (
	independent = iota
	leftSide
	sideRight
	midSide
)

// decode decodes the frame at the start of its bits into d.ready: RFC 9639 §9.
func (f *frame) decode(d *Decoder) error {
	if err := f.header(d); err != nil {
		return err
	}
	for c := range f.channels {
		depth := f.depth
		if f.stereo == leftSide && c == 1 || f.stereo == sideRight && c == 0 || f.stereo == midSide && c == 1 {
			depth++
		}
		if cap(d.channels[c]) < f.block {
			d.channels[c] = make([]int32, f.block)
		}
		d.channels[c] = d.channels[c][:f.block]
		if err := f.subframe(d.channels[c], depth); err != nil {
			return err
		}
	}
	f.pos = (f.pos + 7) &^ 7
	end := f.pos / 8
	f.pos += 16
	if f.pos > 8*(len(f.b)-spare) {
		return nil // more is to come, then this is done again
	}
	if crc16(f.b[:end]) != uint16(f.b[end])<<8|uint16(f.b[end+1]) {
		return fmt.Errorf("%w: checksum", ErrBroken)
	}
	if cap(d.mono) < f.block {
		d.mono = make([]float32, f.block)
	}
	d.ready = d.mono[:f.block]
	f.mix(d.ready, &d.channels)
	return nil
}

func (f *frame) header(d *Decoder) error {
	const sync = 0x3ffe
	if f.take(14) != sync || f.take(1) != 0 {
		return fmt.Errorf("%w: no frame where one should be", ErrBroken)
	}
	f.take(1) // whether blocks are of one size
	block, rate := int(f.take(4)), int(f.take(4))
	channels, depth := int(f.take(4)), int(f.take(3))
	f.take(1)
	if !f.number() {
		return fmt.Errorf("%w: frame number", ErrBroken)
	}
	switch {
	case block == 1:
		f.block = 192
	case block >= 2 && block <= 5:
		f.block = 144 << block
	case block == 6:
		f.block = int(f.take(8)) + 1
	case block == 7:
		f.block = int(f.take(16)) + 1
	case block >= 8:
		f.block = 1 << block
	}
	f.take([16]int{12: 8, 13: 16, 14: 16}[rate]) // the file has one rate: the stream information's
	end := f.pos / 8
	if end >= len(f.b)-spare || crc8(f.b[:end]) != byte(f.take(8)) {
		f.block = 0
		return fmt.Errorf("%w: frame header", ErrBroken)
	}
	f.depth = [8]int{d.Bits, 8, 12, 0, 16, 20, 24, 32}[depth]
	f.channels = 2
	switch {
	case channels < 8:
		f.channels = channels + 1
	case channels <= 10:
		f.stereo = channels - 7
	}
	if f.block == 0 || f.block > maxBlock || f.depth != d.Bits || channels > 10 || f.channels != d.Channels {
		f.block = 0
		return fmt.Errorf("%w: frame header", ErrBroken)
	}
	return nil
}

// number skips a number in the manner of UTF-8, of up to 7 bytes.
func (f *frame) number() bool {
	first := f.take(8)
	for bit := uint64(0x40); first&0x80 != 0 && first&bit != 0; bit >>= 1 {
		if f.take(2) != 2 {
			return false
		}
		f.take(6)
	}
	return true
}

// mix makes mono.
func (f *frame) mix(mono []float32, channels *[8][]int32) {
	scale := 1 / float32(uint64(1)<<(f.depth-1))
	a, b := channels[0], channels[1]
	switch f.stereo {
	case leftSide:
		for i := range mono {
			mono[i] = (float32(a[i]) - float32(b[i])/2) * scale
		}
	case sideRight:
		for i := range mono {
			mono[i] = (float32(b[i]) + float32(a[i])/2) * scale
		}
	case midSide: // the middle has lost its last bit, which is that of the side
		for i := range mono {
			mono[i] = (float32(a[i]) + float32(b[i]&1)/2) * scale
		}
	default:
		scale /= float32(f.channels)
		for i := range mono {
			sum := float32(0)
			for c := range f.channels {
				sum += float32(channels[c][i])
			}
			mono[i] = sum * scale
		}
	}
}

// crcTable is of x^16 + x^15 + x^2 + 1.
var crcTable = func() (t [256]uint16) {
	for i := range t {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x8005
			}
		}
		t[i] = crc
	}
	return t
}()

func crc16(b []byte) (crc uint16) {
	for _, c := range b {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^c]
	}
	return crc
}

// crc8 is of x^8 + x^2 + x + 1. Headers are short.
func crc8(b []byte) (crc byte) {
	for _, c := range b {
		crc ^= c
		for range 8 {
			carry := crc & 0x80
			crc <<= 1
			if carry != 0 {
				crc ^= 0x07
			}
		}
	}
	return crc
}
