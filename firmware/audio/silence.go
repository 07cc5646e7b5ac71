package audio

import (
	"math"
	"math/bits"
	"time"
)

// Silence tells how long it has been quiet on a line. The zero value is ready; it is not
// safe for concurrent use.
type Silence struct {
	part  []int16 // of a frame
	floor float64 // of the line's noise, in dBm0
	loud  uint8   // the latest 8 frames, 1 where there was sound
	quiet int     // frames since the last sound
	began bool
}

// Hear takes what was received next, in pieces of any size, and returns how long it has
// been quiet by then: 0 while there is speech or another sound of at least 60 ms.
func (s *Silence) Hear(samples []int16) time.Duration {
	for len(samples) > 0 {
		n := min(len(samples), frame-len(s.part))
		s.part = append(s.part, samples[:n]...)
		samples = samples[n:]
		if len(s.part) == frame {
			s.hear(dBm0(power(s.part)))
			s.part = s.part[:0]
		}
	}
	return time.Duration(s.quiet*frame) * time.Second / Rate
}

// hear takes the level of a frame. What counts as sound follows the noise of the line, at
// once when that falls and by 3 dB a second when it rises; a click is no sound.
func (s *Silence) hear(level float64) {
	const (
		above    = 12            // dB by which sound exceeds the noise
		least    = -48.0         // dBm0: sound is never quieter
		most     = -32.0         // dBm0: and what is louder is always sound
		floorMin = least - above // dBm0
		rise     = 3.0 / 50      // dB a frame
		recent   = 0b11111       // the latest five frames, of which three make a sound
	)
	if !s.began {
		s.began, s.floor = true, floorMin
	}
	s.floor = math.Max(floorMin, math.Min(s.floor+rise, level))
	s.loud <<= 1
	if level > math.Max(least, math.Min(s.floor+above, most)) {
		s.loud |= 1
	}
	s.quiet++
	if bits.OnesCount8(s.loud&recent) >= 3 {
		s.quiet = 0
	}
}
