package sim

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// oscillator makes tones without clicks between frames.
type oscillator struct{ n int }

const toneLevel = 3000 // about -20 dBm0 each

func (o *oscillator) tones(freqs ...float64) []int16 {
	out := make([]int16, frameSamples)
	for i := range out {
		v := 0.0
		for _, f := range freqs {
			v += toneLevel * math.Sin(2*math.Pi*f*float64(o.n)/rate)
		}
		out[i] = int16(v)
		o.n++
	}
	return out
}

func (o *oscillator) dtmf(key byte) []int16 {
	i := bytes.IndexByte([]byte("123A456B789C*0#D"), key)
	if i < 0 {
		return make([]int16, frameSamples)
	}
	return o.tones([]float64{697, 770, 852, 941}[i/4], []float64{1209, 1336, 1477, 1633}[i%4])
}

// writeWAV writes 16-bit mono PCM, whole or not at all.
func writeWAV(dir, name string, samples []int16) error {
	var b bytes.Buffer
	b.WriteString("RIFF")
	w := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a Buffer never fails
	w(uint32(36 + 2*len(samples)))
	b.WriteString("WAVEfmt ")
	w(uint32(16))
	w([]uint16{1, 1})
	w([]uint32{rate, 2 * rate})
	w([]uint16{2, 16})
	b.WriteString("data")
	w(uint32(2 * len(samples)))
	w(samples)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644)
}
