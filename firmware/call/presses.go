package call

import (
	"encoding/binary"
	"io"
	"slices"
	"time"

	"hookswitch/firmware/audio"
)

const (
	// sameKey is how much later one source may tell of a press than the other.
	sameKey = 400 * time.Millisecond
	// echoTime is how long after it was handed to the modem a key in our own sound may be told:
	// a quarter of a second in the modem, 0.4 s to come back, and what the modem takes to tell.
	echoTime = 1200 * time.Millisecond
)

// source is who tells of a key: the modem, by a code or a line, or the sound that it delivers.
type source int

const (
	byModem source = iota
	inSound
)

// presses tells a person's key presses from what else is told as one: our own sound that
// comes back, and a press that both sources tell of. It belongs to the call's goroutine.
type presses struct {
	echo audio.Echo
	hear audio.Keys
	told [inSound + 1][]press // by that source, and not yet by the other
}

type press struct {
	digit byte
	at    time.Time
}

// take reports whether a key that a source tells of is a press not yet known.
func (p *presses) take(digit byte, by source) bool {
	now := time.Now()
	if p.echo.Has(digit, now, echoTime) {
		return false
	}
	old := func(k press) bool { return now.Sub(k.at) >= sameKey }
	for s := range p.told {
		p.told[s] = slices.DeleteFunc(p.told[s], old)
	}
	other := &p.told[byModem+inSound-by]
	same := slices.IndexFunc(*other, func(k press) bool { return k.digit == digit })
	if same >= 0 {
		*other = slices.Delete(*other, same, same+1)
		return false
	}
	p.told[by] = append(p.told[by], press{digit, now})
	return true
}

// listen returns the presses in received sound. A key that is still held has just been
// pressed for a modem that tells of it at its end.
func (p *presses) listen(samples []int16) (pressed []byte) {
	for _, digit := range p.hear.Hear(samples) {
		if p.take(digit, inSound) {
			pressed = append(pressed, digit)
		}
	}
	for i, k := range p.told[inSound] {
		if k.digit == p.hear.Down() {
			p.told[inSound][i].at = time.Now()
		}
	}
	return pressed
}

// sentReader hands sound to the modem, and knows how much it was and what may come back of it.
type sentReader struct {
	r       io.Reader
	echo    *audio.Echo
	n       int
	odd     []byte // of a sample split between two reads
	samples []int16
}

func (s *sentReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += n
	s.odd = append(s.odd, p[:n]...)
	whole := len(s.odd) &^ 1
	s.samples = s.samples[:0]
	for i := 0; i < whole; i += 2 {
		s.samples = append(s.samples, int16(binary.LittleEndian.Uint16(s.odd[i:])))
	}
	s.odd = append(s.odd[:0], s.odd[whole:]...)
	s.echo.Sent(s.samples, time.Now())
	return n, err
}

func (s *sentReader) duration() time.Duration {
	return time.Duration(s.n/2) * time.Second / audio.Rate
}
