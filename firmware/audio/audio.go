// Package audio turns any voice message into what a telephone line carries, 8000 Hz
// mono, and hears what a telephone line says: keys, tones, silence.
//
// It plays WAV (PCM of 8 to 32 bits, float, G.711, GSM 06.10 in both packings, IMA and MS
// ADPCM, MP3), AU, bare GSM 06.10, MP3 (MPEG 1, 2 and 2.5), FLAC and Opus in Ogg, at 4 to
// 192 kHz and of up to eight channels.
//
//	decode.go    a message of any format → Clip; open.go: which one; wav.go and the others, a format each
//	resample.go  any rate → 8000 Hz
//	level.go     any loudness → a telephone line's
//	player.go    a message under the control of keys; stretch.go: slower and faster
//	keys.go      push-button keys in received audio
//	progress.go  dial tone, ringback, busy … in received audio; plan.go: each country's
//	silence.go   how long nobody has spoken; trim.go: recordings without their ends
//	prompts.go   what the board itself says
package audio

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Rate is the sample rate of a telephone line, in Hz.
const Rate = 8000

// Errors of Decode, Describe and Load. Any other is of reading the file, and may pass.
var (
	ErrFormat = errors.New("audio: not a format this board plays")
	ErrBroken = errors.New("audio: damaged file")
	ErrLimit  = errors.New("audio: too long")
)

// TooLong is the ErrLimit of a message whose length is known.
type TooLong struct{ Length, Limit time.Duration }

func (e TooLong) Error() string {
	return fmt.Sprintf("too long: %s of at most %s", Seconds(e.Length), Seconds(e.Limit))
}

// Unwrap makes it an ErrLimit.
func (e TooLong) Unwrap() error { return ErrLimit }

// Seconds writes a time for people: "4 s", "1 min", "10 min 30 s".
func Seconds(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	if d < time.Second { // not nothing, nor rounded to a whole one
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s%60 == 0:
		return fmt.Sprintf("%d min", s/60)
	}
	return fmt.Sprintf("%d min %d s", s/60, s%60)
}

// Portion writes how much of something there is: "4 of 12 s", "2.7 of 3.2 s", "50 s of 2 min".
func Portion(part, whole time.Duration) string {
	switch p, w := part.Seconds(), whole.Seconds(); {
	case w >= 59.5:
		return Seconds(part) + " of " + Seconds(whole)
	case math.Round(p) == math.Round(w) || p > 0 && p < 1:
		return fmt.Sprintf("%.1f of %.1f s", p, w)
	default:
		return fmt.Sprintf("%.0f of %.0f s", p, w)
	}
}

// Clip is sound at Rate, mono, 16-bit.
type Clip []int16

// Duration of the clip.
func (c Clip) Duration() time.Duration { return time.Duration(len(c)) * time.Second / Rate }
