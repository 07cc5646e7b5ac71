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

// rawConvertible are such names of what only the converter reads.
var rawConvertible = map[string][]string{
	".g722": {"-f", "g722"},
	".g726": {"-f", "g726le", "-code_size", "4"}, ".g726-16": {"-f", "g726le", "-code_size", "2"}, ".g726-24": {"-f", "g726le", "-code_size", "3"},
	".g726-32": {"-f", "g726le", "-code_size", "4"}, ".g726-40": {"-f", "g726le", "-code_size", "5"},
}

// mostRough is the roughness of what may still be speech, which has 0.05 to 0.4; noise has 1.
const mostRough = 0.6

// openRaw takes sound without a header for what its name says, if it sounds like that: a
// guess is never played.
func openRaw(r io.ReadSeeker, head []byte, at, size int64, name string) (*source, error) {
	ext := strings.ToLower(path.Ext(name))
	best, roughness := rawFormat{}, mostRough
	for _, f := range rawFormats[ext] {
		if got := f.roughness(head); got < roughness*0.8 || best.rate == 0 && got < roughness {
			best, roughness = f, got
		}
	}
	if isText(head) {
		return nil, fmt.Errorf("%w: text", ErrFormat)
	}
	if args := rawConvertible[ext]; args != nil {
		return nil, &formatError{strings.ToUpper(ext[1:]), convertible{args: args, raw: true}}
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

// isText reports whether b is ASCII.
func isText(b []byte) bool {
	for _, c := range b {
		if c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
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
