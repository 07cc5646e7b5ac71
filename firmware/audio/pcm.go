package audio

import (
	"encoding/binary"
	"io"
	"math"
)

// encoding is how a sample is written.
type encoding struct {
	bytes   int
	convert func(to []float32, from []byte) // full scale is 32768
}

var (
	encMuLaw = encoding{1, func(to []float32, from []byte) { lookUp(&muLaw, to, from) }}
	encALaw  = encoding{1, func(to []float32, from []byte) { lookUp(&aLaw, to, from) }}
	encU8    = encoding{1, func(to []float32, from []byte) {
		for i := range to {
			to[i] = float32(int(from[i])-128) * 256
		}
	}}
	encS8 = encoding{1, func(to []float32, from []byte) {
		for i := range to {
			to[i] = float32(int8(from[i])) * 256
		}
	}}
	encS16 = encoding{2, func(to []float32, from []byte) {
		for i := range to {
			to[i] = float32(int16(binary.LittleEndian.Uint16(from[2*i:])))
		}
	}}
	encS24 = encoding{3, func(to []float32, from []byte) {
		for i := range to {
			b := from[3*i : 3*i+3]
			to[i] = float32(int32(b[0])<<8|int32(b[1])<<16|int32(b[2])<<24) / (1 << 16)
		}
	}}
	encS32 = encoding{4, func(to []float32, from []byte) {
		for i := range to {
			to[i] = float32(int32(binary.LittleEndian.Uint32(from[4*i:]))) / (1 << 16)
		}
	}}
	encS24In32 = encoding{4, func(to []float32, from []byte) {
		for i := range to {
			to[i] = float32(int32(binary.LittleEndian.Uint32(from[4*i:]))) / (1 << 8)
		}
	}}
	encF24 = encoding{4, func(to []float32, from []byte) {
		for i := range to {
			to[i] = sane(float64(math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))) / (1 << 23))
		}
	}}
	encF32 = encoding{4, func(to []float32, from []byte) {
		for i := range to {
			to[i] = sane(float64(math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))))
		}
	}}
	encF64 = encoding{8, func(to []float32, from []byte) {
		for i := range to {
			to[i] = sane(math.Float64frombits(binary.LittleEndian.Uint64(from[8*i:])))
		}
	}}
)

func lookUp(table *[256]float32, to []float32, from []byte) {
	for i := range to {
		to[i] = table[from[i]]
	}
}

// sane scales a float sample; what is no number, or far beyond full scale, must not reach
// the filters.
func sane(s float64) float32 {
	if s != s {
		return 0
	}
	return float32(max(-4, min(4, s)) * 32768)
}

// bigEndian is e with its bytes in the other order.
func bigEndian(e encoding) encoding {
	return encoding{e.bytes, func(to []float32, from []byte) {
		for i := 0; i+e.bytes <= len(from); i += e.bytes {
			for a, b := i, i+e.bytes-1; a < b; a, b = a+1, b-1 {
				from[a], from[b] = from[b], from[a]
			}
		}
		e.convert(to, from)
	}}
}

// pcmReader reads frames of interleaved channels from r, to its end.
func pcmReader(r io.Reader, e encoding, channels int) func([]float32) (int, error) {
	const frames = 2048
	raw := make([]byte, frames*channels*e.bytes)
	samples := make([]float32, frames*channels)
	return func(p []float32) (int, error) {
		p = p[:min(len(p), frames)]
		n, err := io.ReadFull(r, raw[:len(p)*channels*e.bytes])
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		n /= channels * e.bytes
		if channels == 1 {
			e.convert(p[:n], raw[:n*e.bytes])
			return n, err
		}
		e.convert(samples[:n*channels], raw[:n*channels*e.bytes])
		mix(p[:n], samples, channels)
		return n, err
	}
}

// mix makes mono of frames of interleaved channels: their mean.
func mix(mono, frames []float32, channels int) {
	if channels == 2 {
		for i := range mono {
			mono[i] = (frames[2*i] + frames[2*i+1]) / 2
		}
		return
	}
	for i := range mono {
		sum := float32(0)
		for _, s := range frames[i*channels:][:channels] {
			sum += s
		}
		mono[i] = sum / float32(channels)
	}
}

// blockReader reads blocks of size bytes from r, each of which decode turns into at most
// perBlock frames of interleaved channels, and ends after length frames. decode returns no
// frames where a block is too short to hold any.
func blockReader(r io.Reader, size, perBlock, channels int, length int64, decode func(frames []int16, block []byte) int) func([]float32) (int, error) {
	raw := make([]byte, size)
	decoded := make([]int16, perBlock*channels)
	samples := make([]float32, perBlock*channels)
	mono := samples // of one channel
	if channels > 1 {
		mono = make([]float32, perBlock)
	}
	var ready []float32
	return func(p []float32) (n int, err error) {
		for n < len(p) {
			if len(ready) == 0 {
				got, _ := io.ReadFull(r, raw)
				frames := min(int64(decode(decoded, raw[:got])), length)
				if frames == 0 {
					return n, io.EOF
				}
				length -= frames
				ready = mono[:frames]
				for i, s := range decoded {
					samples[i] = float32(s)
				}
				if channels > 1 {
					mix(ready, samples, channels)
				}
			}
			k := copy(p[n:], ready)
			ready = ready[k:]
			n += k
		}
		return n, nil
	}
}
