package audio

import (
	"fmt"
	"io"

	"hookswitch/firmware/audio/mp3"
)

// openMP3 opens a file that stands at its first frame, or at a tag that lies about its size.
func openMP3(r io.ReadSeeker, at int64) (*source, error) {
	s, err := newMP3(r)
	if err != nil {
		const tagHeader = 10
		if _, err := r.Seek(at+tagHeader, io.SeekStart); err != nil {
			return nil, err
		}
		return newMP3(r)
	}
	return s, err
}

func newMP3(r io.Reader) (*source, error) {
	d, err := mp3.New(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return mp3Source(d), nil
}

func mp3Source(d *mp3.Decoder) *source {
	s := &source{rate: d.Rate(), length: -1}
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
		next, err := d.Next()
		if err != nil {
			return nil, io.EOF
		}
		return mp3Source(next), nil
	}
	return s
}
