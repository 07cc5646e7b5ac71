package audio

import (
	"bufio"
	"fmt"
	"io"

	"github.com/mewkiz/flac"
)

func openFLAC(r io.Reader) (s *source, err error) {
	defer recovered(&err)
	stream, err := flac.New(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("%w: FLAC: %w", ErrBroken, err)
	}
	channels, bits := int(stream.Info.NChannels), stream.Info.BitsPerSample
	if channels < 1 || channels > most || bits < 4 {
		return nil, fmt.Errorf("%w: FLAC with %d channels of %d bits", ErrBroken, channels, bits)
	}
	s = &source{rate: int(stream.Info.SampleRate), length: int64(stream.Info.NSamples)}
	if s.length == 0 {
		s.length = -1 // not known when the file was written
	}
	scale := 32768 / float32(int64(1)<<(bits-1)) / float32(channels)
	var ready []float32
	s.read = func(p []float32) (n int, err error) {
		defer recovered(&err)
		if len(ready) == 0 {
			frame, err := stream.ParseNext()
			if err != nil {
				return 0, err
			}
			if len(frame.Subframes) != channels {
				return 0, fmt.Errorf("%w: FLAC changes its channels", ErrBroken)
			}
			ready = make([]float32, len(frame.Subframes[0].Samples))
			for _, sub := range frame.Subframes {
				for i, v := range sub.Samples[:len(ready)] {
					ready[i] += float32(v) * scale
				}
			}
		}
		n = copy(p, ready)
		ready = ready[n:]
		return n, nil
	}
	return s, nil
}

// recovered makes an error of a library's panic: no file may stop the board.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrBroken, p)
	}
}
