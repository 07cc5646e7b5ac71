package audio

import (
	"errors"
	"fmt"
	"io"

	"hookswitch/firmware/audio/flac"
)

func openFLAC(r io.Reader) (*source, error) {
	d, err := flac.New(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	s := &source{d.Rate, d.Length, func(p []float32) (int, error) {
		n, err := d.Read(p)
		for i := range p[:n] {
			p[i] *= 32768
		}
		if errors.Is(err, flac.ErrBroken) {
			err = fmt.Errorf("%w: %w", ErrBroken, err)
		}
		return n, err
	}}
	if s.length == 0 {
		s.length = -1
	}
	return s, nil
}

// recovered makes an error of a library's panic: no file may stop the board.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrBroken, p)
	}
}
