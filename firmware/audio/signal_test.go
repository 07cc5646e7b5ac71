package audio_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// wav is a PCM file of 16 bits.
func wav(rate, channels int, samples []int16) []byte {
	return wavOf(1, channels, rate, 16, nil, pcm(samples))
}

func pcm(samples []int16) []byte {
	b := make([]byte, 0, 2*len(samples))
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// wavOf is a file with any format chunk.
func wavOf(tag, channels, rate, bits int, extra, data []byte) []byte {
	le := binary.LittleEndian
	b := append([]byte{}, "RIFF"...)
	b = le.AppendUint32(b, uint32(4+8+16+len(extra)+8+len(data)))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, uint32(16+len(extra)))
	b = le.AppendUint16(b, uint16(tag))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	b = le.AppendUint16(b, uint16(bits))
	b = append(b, extra...)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

// sine is a second or so of a sine wave of half the full scale.
func sine(rate int, hz float64, d time.Duration) []int16 {
	s := make([]int16, int(d.Seconds()*float64(rate)))
	for i := range s {
		s[i] = int16(math.Round(16000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return s
}

func decode(t testing.TB, file []byte) audio.Clip {
	t.Helper()
	c, err := audio.Decode(bytes.NewReader(file), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rms in dB below that of sine.
func dB(c audio.Clip) float64 {
	sum := 0.0
	for _, s := range c {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10((sum+1e-9)/float64(len(c))/(16000*16000/2))
}

// dBm0 is the level of c.
func dBm0(c audio.Clip) float64 { return dB(c) + 20*math.Log10(16000.0/32767) + 3.17 }

// snr compares c with what it should be, in dB.
func snr(want, c audio.Clip) float64 {
	signal, noise := 1e-9, 1e-9
	for i := range min(len(want), len(c)) {
		a, b := float64(want[i]), float64(c[i])
		signal += a * a
		noise += (a - b) * (a - b)
	}
	return 10 * math.Log10(signal/noise)
}

// noisy adds white noise of a level to a copy of c.
func noisy(c audio.Clip, dBm0 float64) audio.Clip {
	r := rand.New(rand.NewPCG(1, 2))
	a := 32767 / math.Sqrt2 * math.Pow(10, (dBm0-3.17)/20)
	out := make(audio.Clip, len(c))
	for i, s := range c {
		out[i] = int16(math.Max(-32768, math.Min(32767, math.Round(float64(s)+a*r.NormFloat64()))))
	}
	return out
}

func silence(d time.Duration) audio.Clip { return make(audio.Clip, int(d.Seconds()*audio.Rate)) }

func join(clips ...audio.Clip) (c audio.Clip) {
	for _, clip := range clips {
		c = append(c, clip...)
	}
	return c
}
