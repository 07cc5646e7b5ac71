package audio

import (
	"fmt"
	"io"

	"hookswitch/firmware/audio/flac"
)

func openFLAC(r io.Reader) (*source, error) {
	d, err := flac.New(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	s := &source{rate: d.Rate, length: -1}
	s.read = func(p []float32) (int, error) {
		n, err := d.Read(p)
		for i := range p[:n] {
			p[i] *= 32768
		}
		s.missing, s.damaged = d.Missing, d.Damaged
		return n, err
	}
	s.count = func() int64 {
		n := d.Count()
		s.missing, s.damaged = d.Missing, d.Damaged
		return n
	}
	s.next = func() (*source, error) {
		if rest := d.Rest(); rest != nil {
			return openFLAC(rest)
		}
		return nil, io.EOF
	}
	return s, nil
}
