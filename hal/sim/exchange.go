// Package sim is a simulated telephone exchange with simulated modems in front of it: the
// test double of the whole telephone side, and the product's demo board.
//
//	host ── AT port ── modem ── hook relay ── line ── exchange ── far end
//
// The modems speak AT, V.253 and 27.007 byte for byte, in memory or behind a real pseudo
// terminal, and carry sound at the pace of a line. Nothing here knows hookswitch's own
// modem package: a program that we did not write may sit at the port.
package sim

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Options of an Exchange; the zero value is a quiet exchange in real time.
type Options struct {
	Dir   string                                 // far-end recordings are kept here as WAV files; "" keeps none
	Speed float64                                // how much faster than real time the line runs; 0 is 1
	Log   *slog.Logger                           // nil is silent
	Trace func(line string, sent bool, b []byte) // every byte of every AT port, sent = by the host; may be nil
	Edge  func(line string, closed bool)         // every edge of every hook relay; may be nil
}

// Exchange is the telephone network: the number plan, ringback, busy tone, far ends.
type Exchange struct {
	opt   Options
	mu    sync.Mutex // guards what follows
	lines []*Line
	calls int // for the names of recordings
}

// New makes an exchange; Close stops it and waits.
func New(opt Options) *Exchange {
	if opt.Speed == 0 {
		opt.Speed = 1
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Exchange{opt: opt}
}

// Close ends every call, stops every goroutine and removes every PTY.
func (x *Exchange) Close() error {
	x.mu.Lock()
	lines := x.lines
	x.lines = nil
	x.mu.Unlock()
	for _, l := range lines {
		l.close()
	}
	return nil
}

// Voice adds a subscriber line with an analogue voice modem (V.253) on it.
func (x *Exchange) Voice(name string) *Line { return x.add(name, false) }

// GSM adds a GSM modem (27.007) with a PCM port.
func (x *Exchange) GSM(name string) *Line { return x.add(name, true) }

func (x *Exchange) add(name string, gsm bool) *Line {
	l := newLine(x, name, gsm)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lines = append(x.lines, l)
	return l
}

// tick is how often the line moves: a frame of 160 samples.
const (
	tick         = 20 * time.Millisecond
	frameSamples = 160
	rate         = 8000
)

// farEnd is one entry of the number plan.
type farEnd struct {
	busy, unobtainable bool
	silent             bool          // no ringback
	rings              int           // answers after so many; -1 never
	hangUp             time.Duration // after the answer; 0 never
	keys               string        // pressed after the answer, one each two seconds
	speaks             bool
}

// numberPlan is by the last seven digits; what is not in it is unobtainable.
var numberPlan = map[string]farEnd{
	"5550100": {rings: 2},
	"5550101": {busy: true},
	"5550102": {rings: -1},
	"5550103": {rings: 1, hangUp: 2 * time.Second},
	"5550104": {rings: 1, keys: "1#"},
	"5550105": {unobtainable: true},
	"5550106": {silent: true, rings: 1},
	"5550107": {rings: 1, speaks: true},
}

func lookUp(number string) farEnd {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
	if end, ok := numberPlan[digits[max(0, len(digits)-7):]]; ok {
		return end
	}
	return farEnd{unobtainable: true}
}

// phase of a call as the exchange sees it.
type phase int

const (
	setUp phase = iota // digits have arrived
	ringing
	isBusy
	intercept // SIT
	up
	over // the far end has hung up
)

// ringback cadence (US): 2 s on, 4 s off.
const (
	setUpTime = 500 * time.Millisecond
	ringOn    = 2 * time.Second
	ringEvery = 6 * time.Second
)

// phoneCall is a call in the network, advanced a frame at a time by the modem that made it.
type phoneCall struct {
	end    farEnd
	number string
	at     time.Duration // line time since the digits arrived
	phase  phase
	since  time.Duration // when the phase began
	heard  []int16       // what the far end hears
	tone   oscillator
}

func newCall(number string) *phoneCall { return &phoneCall{number: number, end: lookUp(number)} }

func (c *phoneCall) enter(p phase) { c.phase, c.since = p, c.at }

// frame moves the call on by 20 ms: the far end hears what we say, we hear what it returns.
func (c *phoneCall) frame(said []int16) (heard []int16) {
	c.at += tick
	in := c.at - c.since
	switch c.phase {
	case setUp:
		if in >= setUpTime {
			switch {
			case c.end.busy:
				c.enter(isBusy)
			case c.end.unobtainable:
				c.enter(intercept)
			default:
				c.enter(ringing)
			}
		}
	case ringing:
		if c.end.rings > 0 && in >= time.Duration(c.end.rings-1)*ringEvery+ringOn {
			c.enter(up)
		} else if !c.end.silent && in%ringEvery < ringOn {
			return c.tone.tones(440, 480)
		}
	case isBusy:
		if in%time.Second < 500*time.Millisecond {
			return c.tone.tones(480, 620)
		}
	case intercept:
		return c.tone.tones([]float64{950, 1400, 1800}[int(in/(330*time.Millisecond))%3])
	case up:
		c.heard = append(c.heard, said...)
		if c.end.hangUp > 0 && in >= c.end.hangUp {
			c.enter(over)
		}
		if k := c.key(in); k != 0 {
			return c.tone.dtmf(k)
		}
		if c.end.speaks && in < 1500*time.Millisecond {
			return c.tone.tones(300, 900) // a voice of sorts
		}
	case over:
		if in > 500*time.Millisecond && in%time.Second < 500*time.Millisecond {
			return c.tone.tones(480, 620)
		}
	}
	return make([]int16, frameSamples)
}

// key is the key that the far end holds down now: each for 100 ms, two seconds apart.
func (c *phoneCall) key(in time.Duration) byte {
	i := int(in/(2*time.Second)) - 1
	if i >= 0 && i < len(c.end.keys) && in%(2*time.Second) < 100*time.Millisecond {
		return c.end.keys[i]
	}
	return 0
}

// keep writes what the far end has heard as a WAV file.
func (x *Exchange) keep(l *Line, c *phoneCall) {
	l.mu.Lock()
	l.heard = c.heard
	l.mu.Unlock()
	if x.opt.Dir == "" || len(c.heard) == 0 {
		return
	}
	x.mu.Lock()
	x.calls++
	name := fmt.Sprintf("%03d-%s-%s.wav", x.calls, l.name, strings.TrimPrefix(c.number, "+"))
	x.mu.Unlock()
	if err := writeWAV(x.opt.Dir, name, c.heard); err != nil {
		x.opt.Log.Error("far end's recording", "error", err)
	}
}
