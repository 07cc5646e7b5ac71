package hook

import "time"

// A ring detector gives pulses at twice the ringing frequency (16⅔ to 50 Hz) through the
// opto-coupler: three edges within 200 ms are ringing, one or two are a glitch. Between
// two bursts a line is silent for up to 4 s (US), so it counts as ringing for 6 s more.
const (
	ringEdges  = 3
	ringWindow = 200 * time.Millisecond
	ringSilent = 6 * time.Second
)

// bells tells ringing from glitches.
type bells struct {
	level bool
	edges [ringEdges]time.Time // the latest ones, oldest first
	last  time.Time            // the latest moment of ringing
}

func (b *bells) ringing() bool { return !b.last.IsZero() && time.Since(b.last) < ringSilent }

// hear takes what the input says now.
func (b *bells) hear(on bool, now time.Time) {
	if on == b.level {
		return
	}
	b.level = on
	copy(b.edges[:], b.edges[1:])
	b.edges[ringEdges-1] = now
	if now.Sub(b.edges[0]) <= ringWindow {
		b.last = now
	}
}
