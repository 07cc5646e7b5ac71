package audio

import (
	"io"
)

func isMP3(b []byte) bool                                  { return false }
func openMP3(r io.ReadSeeker, size int64) (*source, error) { return nil, ErrFormat }
func newMP3(r io.Reader, length int64) (*source, error)    { return nil, ErrFormat }
