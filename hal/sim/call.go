package sim

import (
	"math"
	"sync"
	"time"
)

// phase of a call as the exchange sees it.
//
//	routing ─► ringing ─► up ─► released
//	        ─► engaged
//	        ─► intercepted
type phase int

const (
	routing     phase = iota // the number is complete, the far end is being looked for
	ringing                  // the far end rings
	engaged                  // busy tone
	intercepted              // special information tone
	up                       // the far end has answered
	released                 // the far end has hung up
)

// postDialDelay is from the last digit to the first ringback.
const postDialDelay = 500 * time.Millisecond

// An analogue exchange leaves the caller in silence for a while when the called party has
// hung up, then sends busy tone, then interrupts the loop and starts anew with dial tone.
const (
	releaseSilence = 3500 * time.Millisecond
	releaseTone    = 4 * time.Second
	releaseBreak   = 500 * time.Millisecond
)

// sound is what the caller hears, as its kind; key is the one that the far end presses.
type sound struct {
	kind soundKind
	key  byte
}

type soundKind int

const (
	quiet soundKind = iota
	dialTone
	ringback
	busyTone
	reorderTone
	sitTone
	voices
)

// call is a call in the network, moved on by a frame at a time by the line that made it.
type call struct {
	tones  *Tones
	number string
	end    FarEnd
	heard  *recording

	phase phase
	at    time.Duration // line time since the number was complete
	since time.Duration // when the phase began
	out   [frameSamples]int16
	upFor time.Duration // how long it was up
}

// newCall sets up a call to a number.
func newCall(x *Exchange, number string) *call {
	end, _ := x.farEnd(number)
	return &call{tones: x.tones, number: number, end: end, heard: &recording{}}
}

func (c *call) enter(p phase) { c.phase, c.since = p, c.at }

// in is how long the phase has lasted.
func (c *call) in() time.Duration { return c.at - c.since }

// frame moves the call on by a frame: the far end hears what the caller says, the caller
// hears what is returned, until the next call of frame.
func (c *call) frame(said []int16) ([]int16, sound) {
	c.step()
	c.out = [frameSamples]int16{}
	in := c.in()
	if c.phase == up {
		c.heard.add(said)
		c.upFor = in + frameTime
	}
	c.at += frameTime
	switch c.phase {
	case ringing:
		if !c.end.Silent {
			return c.tone(c.tones.Ringback, ringback, in)
		}
	case engaged:
		return c.tone(c.tones.Busy, busyTone, in)
	case intercepted:
		return c.tone(c.tones.Intercept, sitTone, in)
	case up:
		return c.farEndSays(in)
	case released:
		if in >= releaseSilence {
			return c.tone(c.tones.Busy, busyTone, in-releaseSilence)
		}
	}
	return c.out[:], sound{}
}

// step enters the phase that is due.
func (c *call) step() {
	in := c.in()
	switch {
	case c.phase == routing && in >= postDialDelay:
		switch {
		case c.end.Busy:
			c.enter(engaged)
		case c.end.Unobtainable:
			c.enter(intercepted)
		case c.end.Rings == 0:
			c.enter(up)
		default:
			c.enter(ringing)
		}
	case c.phase == ringing && c.end.Rings >= 0 && in >= c.tones.Ringback.burst(c.end.Rings):
		c.enter(up)
	case c.phase == up && c.end.HangUp > 0 && in >= c.end.HangUp:
		c.enter(released)
	}
}

// tone is a frame of a call-progress tone.
func (c *call) tone(t Tone, kind soundKind, in time.Duration) ([]int16, sound) {
	t.add(c.out[:], samplesIn(in), toneLevel)
	if t.segment(in+frameTime/2).Hz == nil {
		kind = quiet
	}
	return c.out[:], sound{kind: kind}
}

func samplesIn(d time.Duration) int { return int(d * rate / time.Second) }

// farEndSays is a frame of what the far end says and presses.
func (c *call) farEndSays(in time.Duration) ([]int16, sound) {
	var what sound
	if n := samplesIn(in); n < len(c.end.Says) {
		copy(c.out[:], c.end.Says[n:])
		what.kind = voices
	}
	if c.end.EchoDelay > 0 {
		c.heard.echo(c.out[:], samplesIn(c.end.EchoDelay), math.Pow(10, -c.end.EchoLoss/20))
	}
	if key, start := c.end.pressed(in); key != 0 {
		addSines(c.out[:], samplesIn(in-start), amplitude(keyLevel), keyTones(key))
		what.key = key
	}
	return c.out[:], what
}

// recording is what a far end has heard.
type recording struct {
	mu      sync.Mutex // guards samples
	samples []int16
}

// longest is how much a recording holds.
const longest = rate * 60 * 60

func (r *recording) add(s []int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.samples)+len(s) <= longest {
		r.samples = append(r.samples, s...)
	}
}

// echo mixes into out what was heard so many samples ago.
func (r *recording) echo(out []int16, ago int, gain float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from := len(r.samples) - len(out) - ago
	for i := range out {
		if n := from + i; n >= 0 && n < len(r.samples) {
			out[i] = clip(float64(out[i]) + gain*float64(r.samples[n]))
		}
	}
}

func (r *recording) copy() []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int16(nil), r.samples...)
}
