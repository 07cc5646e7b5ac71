package sim

import "time"

// loop is an analogue subscriber line as the exchange sees it.
//
//	            current        first digit          number complete
//	idle ────────────► inviting ──────────► collecting ──────────► talking
//	    ◄─────────────────── no current for hookRelease ──────────────────
//	    ◄── ringingIn ◄── somebody calls;  current: talking
type loop struct {
	l *Line
	x *Exchange

	state  loopState
	in     time.Duration // line time in the state
	idle   time.Duration // line time since the last digit
	digits []byte
	call   *call
	mute   [frameSamples]int16
	out    [frameSamples]int16
	hummed [frameSamples]int16

	seized bool      // current flows, or would but for our own break
	lost   time.Time // when it stopped
	pulses int       // breaks of a digit that is being pulse-dialled
	pulsed time.Time // the last of them

	caller *Caller
	rings  int
	burst  bool // a ring burst begins with this frame
}

type loopState int

const (
	onHook loopState = iota
	inviting
	collecting
	talking
	interrupted // the exchange breaks the loop
	ringingIn
)

const (
	dialToneAfter  = 200 * time.Millisecond
	interDigit     = 4 * time.Second        // a number that nobody has is complete after this
	hookRelease    = 300 * time.Millisecond // a longer break is on-hook, a shorter one a flash or a pulse
	shortestPulse  = 20 * time.Millisecond
	longestPulse   = 150 * time.Millisecond
	pulseDigitOver = 300 * time.Millisecond
)

func (lp *loop) enter(s loopState) { lp.state, lp.in, lp.idle = s, 0, 0 }

// current takes an edge of the loop current that the subscriber has made.
func (lp *loop) current(on bool, at time.Time) {
	if on == lp.seized {
		return
	}
	lp.seized = on
	if !on {
		lp.lost = at
		return
	}
	switch d := lp.line(at.Sub(lp.lost)); {
	case lp.state == onHook:
		lp.digits = lp.digits[:0]
		lp.enter(inviting)
	case lp.state == ringingIn:
		lp.caller = nil
		lp.call.enter(up)
		lp.l.setHeard(lp.call.heard)
		lp.enter(talking)
	case (lp.state == inviting || lp.state == collecting) && d >= shortestPulse && d <= longestPulse:
		lp.pulses++
		lp.pulsed = at
	}
}

// line is real time d as line time.
func (lp *loop) line(d time.Duration) time.Duration {
	return time.Duration(float64(d) * lp.x.opt.Speed)
}

// digit takes a dialled digit.
func (lp *loop) digit(d byte) {
	if lp.state != inviting && lp.state != collecting {
		return
	}
	lp.digits = append(lp.digits, d)
	lp.enter(collecting)
	if _, known := lp.x.farEnd(string(lp.digits)); known {
		lp.connect()
	}
}

func (lp *loop) connect() {
	lp.call = newCall(lp.x, string(lp.digits))
	lp.l.setHeard(lp.call.heard)
	lp.enter(talking)
}

// ring begins a call to this line.
func (lp *loop) ring(from Caller) {
	if lp.state != onHook || lp.seized {
		return // busy
	}
	lp.caller, lp.rings = &from, 0
	lp.call = newCall(lp.x, "")
	lp.call.number, lp.call.end = from.Number, from.End
	lp.enter(ringingIn)
}

// clear takes the call down.
func (lp *loop) clear() {
	if lp.call != nil && lp.state != ringingIn {
		lp.l.keep(lp.call)
	}
	lp.call, lp.caller, lp.pulses = nil, nil, 0
	lp.l.setLine(false, false)
	if lp.state != onHook {
		lp.enter(onHook)
	}
}

// frame moves the line on by a frame.
func (lp *loop) frame(said []int16) ([]int16, sound) {
	lp.in, lp.idle = lp.in+frameTime, lp.idle+frameTime
	lp.burst = false
	switch {
	case lp.state == ringingIn:
		lp.ringFrame()
		return lp.mute[:], sound{}
	case lp.state == onHook:
		return lp.mute[:], sound{}
	case !lp.seized:
		if lp.line(time.Since(lp.lost)) >= hookRelease {
			lp.clear()
		} else if lp.call != nil {
			lp.call.frame(lp.mute[:])
		}
		return lp.mute[:], sound{}
	}
	if lp.pulses > 0 && lp.line(time.Since(lp.pulsed)) >= pulseDigitOver {
		n := lp.pulses % 10
		lp.pulses = 0
		lp.digit('0' + byte(n))
	}
	heard, what := lp.sounds(said)
	if lp.l.faults().Hum {
		lp.hummed = hum(heard, samplesIn(lp.in))
		heard = lp.hummed[:]
	}
	return heard, what
}

// hum adds to a frame what a mains of 50 Hz does to an unbalanced line: -30 dBm0, of which a
// telephone hears the harmonics.
func hum(heard []int16, n int) (out [frameSamples]int16) {
	copy(out[:], heard)
	for i, hz := range []float64{50, 100, 150, 250, 350} {
		addSines(out[:], n, amplitude(-30-5*float64(i)), []float64{hz})
	}
	return out
}

// sounds is a frame of a line with current.
func (lp *loop) sounds(said []int16) ([]int16, sound) {
	switch lp.state {
	case inviting:
		if lp.in > dialToneAfter && lp.pulses == 0 && !lp.l.faults().NoDialTone {
			lp.out = [frameSamples]int16{}
			if n := samplesIn(lp.in - dialToneAfter); n < len(lp.x.tones.Announces) {
				copy(lp.out[:], lp.x.tones.Announces[n:])
				return lp.out[:], sound{kind: voices}
			}
			lp.x.tones.Dial.add(lp.out[:], samplesIn(lp.in), toneLevel)
			return lp.out[:], sound{kind: dialTone}
		}
	case collecting:
		if lp.idle >= interDigit {
			lp.connect()
		}
	case talking:
		if lp.call.phase == released && lp.call.in() >= releaseSilence+releaseTone {
			lp.l.keep(lp.call)
			lp.call = nil
			lp.l.setLine(true, false)
			lp.enter(interrupted)
			break
		}
		return lp.call.frame(said)
	case interrupted:
		if lp.in >= releaseBreak {
			lp.l.setLine(false, false)
			lp.enter(inviting)
		}
	}
	return lp.mute[:], sound{}
}

// ringFrame is a frame of ringing current, in the cadence of the ringback.
func (lp *loop) ringFrame() {
	t, ring := lp.in-frameTime, lp.x.tones.Ringback
	if t%ring.period() < frameTime {
		lp.burst = true
		lp.rings++
		if lp.caller.GiveUp > 0 && lp.rings > lp.caller.GiveUp {
			lp.burst = false
			lp.clear()
			return
		}
	}
	lp.l.setLine(false, ring.segment(t).Hz != nil)
}
