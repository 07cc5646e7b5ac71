package audio

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"strings"
)

// rawFormats are the names by which telephone systems (Asterisk first) tell sound that has no
// header: what each may be, the likeliest first.
var rawFormats = map[string][]rawFormat{
	".alaw": {{encALaw, Rate}}, ".al": {{encALaw, Rate}}, ".alw": {{encALaw, Rate}},
	".ulaw": {{encMuLaw, Rate}}, ".ul": {{encMuLaw, Rate}}, ".mu": {{encMuLaw, Rate}}, ".ulw": {{encMuLaw, Rate}}, ".mulaw": {{encMuLaw, Rate}},
	".sln": {{encS16, Rate}}, ".sln12": {{encS16, 12000}}, ".sln16": {{encS16, 16000}}, ".sln24": {{encS16, 24000}},
	".sln32": {{encS16, 32000}}, ".sln44": {{encS16, 44100}}, ".sln48": {{encS16, 48000}},
	".pcm": {{encMuLaw, Rate}, {encS16, Rate}, {encALaw, Rate}}, // Asterisk's is µ-law
	".raw": {{encS16, Rate}, {encMuLaw, Rate}, {encALaw, Rate}},
}

type rawFormat struct {
	encoding
	rate int
}

// openRaw takes sound without a header for what its name says, if it sounds like that: a
// guess is never played.
func openRaw(r io.ReadSeeker, head []byte, at, size int64, name string) (*source, error) {
	ext := strings.ToLower(path.Ext(name))
	best, roughness := rawFormat{}, 0.6 // speech has 0.05 to 0.4, noise 1
	for _, f := range rawFormats[ext] {
		if got := f.roughness(head); got < roughness*0.8 || best.rate == 0 && got < roughness {
			best, roughness = f, got
		}
	}
	if best.rate == 0 {
		if rawFormats[ext] != nil {
			return nil, fmt.Errorf("%w: no sound of the kind that %s names; convert it first, with sox", ErrFormat, ext)
		}
		return nil, fmt.Errorf("%w: neither WAV nor MP3, GSM, AU, FLAC or Opus", ErrFormat)
	}
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	return &source{rate: best.rate, length: (size - at) / int64(best.bytes), read: pcmReader(bufio.NewReaderSize(r, 1<<16), best.encoding, 1)}, nil
}

// roughness is how much a sample differs from the one before it, by power: half that of two
// samples that have nothing to do with each other is 1.
func (f rawFormat) roughness(b []byte) float64 {
	samples := make([]float32, len(b)/f.bytes)
	f.convert(samples, b[:len(samples)*f.bytes])
	diff, sum := 0.0, 1.0
	for i := 1; i < len(samples); i++ {
		d, s := float64(samples[i]-samples[i-1]), float64(samples[i])
		diff, sum = diff+d*d, sum+s*s
	}
	return diff / (2 * sum)
}
