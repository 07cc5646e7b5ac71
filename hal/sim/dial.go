package sim

import (
	"strings"
	"time"
)

// dialer works through a dial string (V.250 §6.3.1) and then waits for what comes of it.
type dialer struct {
	steps    []dialStep
	in       time.Duration // line time in the first step
	started  time.Duration
	dialled  time.Duration // when the last digit was out
	complete bool
	stay     bool // the string ends in a semicolon: back to commands after the digits
}

type dialStep struct {
	kind byte // w: dial tone, b: blind, d: key, p: pulses, ',': pause, @: quiet answer, !: flash
	key  byte
	d    time.Duration // how long it takes; for w and @ at the most
}

const (
	abortGuard   = 125 * time.Millisecond // V.250 §5.6.1
	dialToneWait = 5 * time.Second
	pulseTime    = 100 * time.Millisecond
	pulseGap     = 700 * time.Millisecond
	flashTime    = 500 * time.Millisecond
	quietAnswer  = 5 * time.Second
	twiceAfter   = 500 * time.Millisecond
)

// dial is ATD.
func (v *voiceModem) dial(text string) result {
	d := dialer{started: v.now}
	text, d.stay = strings.CutSuffix(strings.TrimSpace(text), ";")
	if x := v.s[22]; v.loop.state != talking {
		if x == 2 || x == 4 {
			d.steps = append(d.steps, dialStep{kind: 'w', d: dialToneWait})
		} else {
			d.steps = append(d.steps, dialStep{kind: 'b', d: time.Duration(v.s[6]) * time.Second})
		}
	}
	d.steps = append(d.steps, v.dialSteps(text)...)
	v.mu.Lock()
	open := v.wired && !v.contact
	v.mu.Unlock()
	if open {
		v.contradict("ATD with the hook relay open")
	}
	if v.loop.state == onHook || v.loop.state == ringingIn {
		v.seize()
	}
	v.vls, v.mode, v.dialer = max(v.vls, 1), dialling, d
	if after := v.faults().NoCarrier; after > 0 {
		v.after(after, false, v.cut)
	}
	return later
}

// dialSteps reads the characters of a dial string; those that mean nothing are ignored, as
// V.250 has it.
func (v *voiceModem) dialSteps(text string) (steps []dialStep) {
	pulse := false
	on := time.Duration(v.s[11]) * time.Millisecond
	for _, c := range []byte(strings.ToUpper(text)) {
		switch {
		case c == 'P':
			pulse = true
		case c == 'T':
			pulse = false
		case c == 'W':
			steps = append(steps, dialStep{kind: 'w', d: dialToneWait})
		case c == ',':
			steps = append(steps, dialStep{kind: ',', d: time.Duration(v.s[8]) * time.Second})
		case c == '@':
			steps = append(steps, dialStep{kind: '@', d: time.Duration(v.s[7]) * time.Second})
		case c == '!':
			steps = append(steps, dialStep{kind: '!', d: flashTime})
		case pulse && isDigit(c):
			n := time.Duration(c - '0')
			if n == 0 {
				n = 10
			}
			steps = append(steps, dialStep{kind: 'p', key: c, d: n*pulseTime + pulseGap})
		case !pulse && keyTones(c) != nil:
			steps = append(steps, dialStep{kind: 'd', key: c, d: 2 * on})
		}
	}
	return steps
}

// cut is the fault of a call that ends early.
func (v *voiceModem) cut() {
	wasDialling := v.mode == dialling
	if v.mode == streaming && v.stream.rx {
		v.event(etx)
	}
	v.hangUp()
	if wasDialling {
		v.final(noCarrier)
	} else {
		v.code(noCarrier)
	}
}

// abort takes characters during a dial: any one aborts it, but for the first 125 ms.
func (v *voiceModem) abort(b []byte) (int, bool) {
	v.log.add('>', b[:1], false)
	if v.now-v.dialer.started < abortGuard || v.faults().Unheed {
		return 1, true
	}
	if b[0] > ' ' && b[0] < 0x7f {
		v.contradict("character %q during a pending ATD: it aborts the call", b[0])
	}
	v.hangUp()
	v.final(noCarrier)
	if v.faults().Twice {
		v.after(twiceAfter, true, func() { v.code(noCarrier) })
	}
	return 1, true
}

// dialFrame is a frame of dialling.
func (v *voiceModem) dialFrame() {
	d := &v.dialer
	for len(d.steps) > 0 {
		s := d.steps[0]
		if d.in == 0 {
			v.beginStep(s)
		}
		if !v.stepOver(s) {
			d.in += frameTime
			return
		}
		if v.mode != dialling {
			return
		}
		d.steps, d.in = d.steps[1:], 0
	}
	if !d.complete {
		d.complete, d.dialled = true, v.now
		if d.stay {
			v.mode = idle
			v.done(ok)
			return
		}
	}
	if r := v.progress(); r != later {
		if r != ok && string(r) != v.p.Answered {
			v.hangUp()
		}
		v.mode = idle
		v.done(r)
	}
}

func (v *voiceModem) beginStep(s dialStep) {
	switch s.kind {
	case 'd':
		v.beeper.key(s.key, s.d/2)
		v.dialledDigit(s.key)
	case '!':
		v.setModem(false)
		v.loopEdges()
	}
}

// dialledDigit gives a digit to the exchange.
func (v *voiceModem) dialledDigit(key byte) {
	v.mu.Lock()
	flows, cut := v.seizedLocked(), v.fault.NoLoop
	v.mu.Unlock()
	if flows {
		v.loop.digit(key)
	} else if !cut {
		v.contradict("digits dialled without loop current")
	}
}

// stepOver says that a step has been done; it may end the dial.
func (v *voiceModem) stepOver(s dialStep) bool {
	in := v.dialer.in
	switch s.kind {
	case 'w':
		if v.ear.invited(v.now) {
			return true
		}
		if in >= s.d {
			v.hangUp()
			v.final(noDialTone)
			return true
		}
		return false
	case '@':
		if v.ear.kind == quiet && v.ear.rang && v.now-v.ear.ringEnd >= quietAnswer {
			return true
		}
		if in >= s.d {
			v.hangUp()
			v.final(noAnswer)
			return true
		}
		return false
	}
	if in < s.d {
		return false
	}
	switch s.kind {
	case 'p':
		v.dialledDigit(s.key)
	case '!':
		v.setModem(true)
		v.loopEdges()
	}
	return true
}

// progress is what has become of a dialled call; later while that is open.
func (v *voiceModem) progress() result {
	e, in := &v.ear, v.now-v.dialer.dialled
	detectsBusy := v.s[22] >= 3
	switch {
	case detectsBusy && e.busy > busySure: // two whole bursts
		return busy
	case e.sits > sitSure: // two whole ones
		return noCarrier
	case v.class == 8 && v.supposeAnswered(in):
		return result(v.answered())
	case in >= time.Duration(v.s[7])*time.Second:
		if e.rang && v.now-e.ringEnd < v.x.tones.Ringback.period() {
			return noAnswer
		}
		return noCarrier
	}
	return later
}

// supposeAnswered is V.253's answer supervision by ringback (§10.2.4, §10.2.5): it has been
// heard and then has not for +VRA, or it never came in +VRN.
func (v *voiceModem) supposeAnswered(in time.Duration) bool {
	gone := time.Duration(v.param("+VRA")) * 100 * time.Millisecond
	never := time.Duration(v.param("+VRN")) * time.Second
	e := &v.ear
	if e.rang {
		return gone == 0 || e.kind != ringback && e.busy == 0 && v.now-e.ringEnd >= gone
	}
	return in >= never && e.busy == 0 && e.sits == 0
}
