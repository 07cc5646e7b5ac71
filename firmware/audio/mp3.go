package audio

import (
	"fmt"
	"io"

	"hookswitch/firmware/audio/mp3"
)

func openMP3(r io.ReadSeeker) (*source, error) {
	length, _, err := mp3.Length(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	return newMP3(r, length)
}

func newMP3(r io.Reader, length int64) (*source, error) {
	d, err := mp3.New(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return &source{d.Rate(), length, func(p []float32) (int, error) {
		n, err := d.Read(p)
		for i := range p[:n] {
			p[i] *= 32768
		}
		return n, err
	}}, nil
}
