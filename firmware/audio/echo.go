package audio

import (
	"strings"
	"time"
)

// Echo knows which keys (DTMF) the sound that the board sends may be taken for when it comes
// back: by the hybrid of an analogue line, a module's sidetone, a far end's loudspeaker. The
// zero value is ready; it is not safe for concurrent use.
//
// It hears keys where Keys hears none yet: what is too short, too quiet, too uneven or too
// impure when it is sent may have lost that on its way back.
type Echo struct {
	buf  []float32
	hits [len(digits)]int       // steps in a row in which the key was in the sound
	last [len(digits)]time.Time // when the key was last sent
}

// Sent takes what is sent next, in pieces of any size.
func (e *Echo) Sent(samples []int16, now time.Time) {
	const enough = 2 // steps: a tone of 20 ms
	for _, s := range samples {
		e.buf = append(e.buf, float32(s))
		if len(e.buf) < keyWindow {
			continue
		}
		keys := keysPerhaps(e.buf)
		for i := range e.hits {
			if keys&(1<<i) == 0 {
				e.hits[i] = 0
			} else if e.hits[i]++; e.hits[i] >= enough {
				e.last[i] = now
			}
		}
		e.buf = e.buf[:copy(e.buf, e.buf[keyStep:])]
	}
}

// Has reports whether key was in what was sent within the last d.
func (e *Echo) Has(key byte, now time.Time, d time.Duration) bool {
	i := strings.IndexByte(digits, key)
	return i >= 0 && !e.last[i].IsZero() && now.Sub(e.last[i]) < d
}

// keysPerhaps is the keys that this window of sound might be part of, a bit each.
func keysPerhaps(w []float32) (keys uint16) {
	const (
		faint  = -46  // dBm0
		twist  = 50   // times the power: 17 dB
		purity = 0.45 // of the power is in the two tones
	)
	energy := float64(dot(w, w))
	if dBm0(energy/float64(len(w))) < faint {
		return 0
	}
	var high [len(highGroup)]float64
	for i := range high {
		high[i] = highTones[i].power(w)
	}
	for i := range lowTones {
		low := lowTones[i].power(w)
		for j, h := range high {
			if (low+h)*2/float64(len(w)) >= purity*energy && low <= twist*h && h <= twist*low {
				keys |= 1 << (4*i + j)
			}
		}
	}
	return keys
}
