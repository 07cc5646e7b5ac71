// Package audio turns any voice message into what a telephone line carries, 8000 Hz
// mono, and hears what a telephone line says: keys, tones, silence.
package audio

import (
	"errors"
	"io"
	"time"
)

// Rate is the sample rate of a telephone line, in Hz.
const Rate = 8000

// Errors of Decode.
var (
	ErrFormat = errors.New("audio: not a format this board plays")
	ErrBroken = errors.New("audio: damaged file")
	ErrLimit  = errors.New("audio: too long or too large")
)

// Clip is sound at Rate, mono, 16-bit.
type Clip []int16

// Duration of the clip.
func (c Clip) Duration() time.Duration { return time.Duration(len(c)) * time.Second / Rate }

// Decode reads a whole message of whatever supported format (told by its bytes, not by its
// name), resampled to Rate without aliasing. limit bounds the length of the result: a longer
// message is ErrLimit.
func Decode(r io.ReadSeeker, limit time.Duration) (Clip, error) { panic("stub") }

// Probe reads only as much as it needs to tell a message's duration.
func Probe(r io.ReadSeeker) (time.Duration, error) { panic("stub") }

// WriteWAV writes c as a 16-bit PCM WAV file.
func WriteWAV(w io.Writer, c Clip) error { panic("stub") }

// Level returns a copy of c with its speech level at a telephone line's nominal −13 dBm0, without clipping.
func Level(c Clip) Clip { panic("stub") }
