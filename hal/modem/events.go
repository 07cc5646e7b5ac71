package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// event is what the far end has done, for the operation that runs.
type event struct {
	alerted bool
	key     byte
	dry     bool // the modem has run out of sound to play
	sound   []int16
}

// call is a call from Dial to Hangup. What the modem says of it arrives in the goroutine
// that reads the port; what matters to the operation that runs is passed on by events.
type call struct {
	ctx    context.Context // ends with Hangup
	cancel context.CancelFunc
	tasks  sync.WaitGroup // its poller
	events chan event
	up     chan struct{} // closed when the network says that the far end has answered
	over   chan struct{} // closed when the call has ended
	taken  chan struct{} // holds a token when the OK to ATD came garbled
	ask    chan struct{} // holds a token when proof is wanted at once
	began  time.Time
	voice  bool     // on an analogue line, which has one call at a time
	ears   bool     // the board hears ringback and answers itself
	pcm    *pcmPort // GSM only
	audio  bool     // the GSM modem's sound was switched to the PCM port

	mu        sync.Mutex // guards what follows
	answer    Answer     // what is known, before and after the answer
	answered  bool
	alerted   bool
	ended     error // why over is closed
	adrift    error // what the network or the SIM has just become, which explains an end
	id        int   // the call's index in +CLCC, 0 while it is not known
	checked   bool  // what does not say which call it is about is proven by +CLCC
	told      error // an end that is not yet proven
	others    []int // indexes of other people's calls, 0 where they have none
	cause     int   // release cause that came with the end, 0 is none
	listening bool  // somebody wants to hear
	keys      keypad
}

// eventLimit is more than a person can press and, with listening, 5 s of sound.
const eventLimit = 256

func newCall() *call {
	c := &call{
		events: make(chan event, eventLimit), up: make(chan struct{}), over: make(chan struct{}),
		ask: make(chan struct{}, 1), taken: make(chan struct{}, 1), began: time.Now(), answer: Assumed,
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// post passes an event on; with nobody to take it in time it is lost.
func (c *call) post(e event) {
	select {
	case c.events <- e:
	default:
	}
}

// hear passes sound on while an operation listens.
func (c *call) hear(samples []int16) {
	c.mu.Lock()
	listening := c.listening
	c.mu.Unlock()
	if listening && len(samples) > 0 {
		c.post(event{sound: slices.Clone(samples)})
	}
}

func (c *call) listen(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listening = on
}

func (c *call) alert() { c.alerts(Ringback) }

// alerts notes that the far end's telephone rings; sure says how sure its end is an answer.
func (c *call) alerts(sure Answer) {
	c.mu.Lock()
	first := !c.alerted
	c.alerted = true
	if c.answer == Assumed {
		c.answer = sure
	}
	c.mu.Unlock()
	if first {
		c.post(event{alerted: true})
	}
}

// connect notes that the far end has answered; sure says by whose word.
func (c *call) connect(sure Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sure != Assumed {
		c.answer = sure
	}
	if !c.answered {
		c.answered = true
		close(c.up)
	}
}

// end ends the call; only the first reason counts. After an answer every end but the
// modem's own is the far end's, before it err says what happened.
func (c *call) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return
	}
	ours := errors.Is(err, ErrHungUp) || errors.Is(err, ErrTimeout) || errors.Is(err, ErrGone) || errors.Is(err, ErrUnsure)
	switch {
	case !c.answered || ours:
	case c.adrift != nil && c.cause == 0:
		err = fmt.Errorf("%w (%v)", c.adrift, err)
	default:
		err = fmt.Errorf("%w (%w)", ErrHungUp, err)
	}
	c.ended = err
	close(c.over)
}

func (c *call) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

func (c *call) isAnswered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered
}

// code takes a DLE code of a voice modem (V.253 clause 9, IS-101, and vendors').
func (c *call) code(code byte) {
	if c.ears && (code == 'r' || code == 'v' || code == 'V' || code == 'O') {
		return // the board hears that itself, as this modem can't
	}
	answered := c.isAnswered()
	ended := fmt.Errorf("%w: <DLE>%c", ErrHungUp, code)
	switch code {
	case '/', '~', 0x7f: // DTMF begins, ends; DEL is Intel's end
		c.mu.Lock()
		c.keys.release()
		c.mu.Unlock()
	case 'r': // ringback
		c.alert()
	case 'v', 'V', 'O': // voice; ringback is gone (Intel)
		if !answered {
			c.sure(Ringback)
		}
	case 'L': // polarity reversal: answer supervision, or its end
		if answered && c.surely() == Supervised {
			c.end(ended)
		}
		c.sure(Supervised)
	case 'b', 'K': // busy, reorder
		if !answered {
			ended = fmt.Errorf("%w: <DLE>%c", ErrBusy, code)
		}
		c.end(ended)
	case 'd', 'i', 's': // dial tone; silence, presumed hang-up. Before the answer both are normal.
		if answered {
			c.end(ended)
		}
	case 'l': // loop current break
		if !answered {
			ended = fmt.Errorf("%w: <DLE>l", ErrNoCarrier)
		}
		c.end(ended)
	case 'J': // special information tone
		if !answered {
			c.end(fmt.Errorf("%w: <DLE>J, number not obtainable", ErrNoService))
		}
	case 'H', 'P': // local telephone, or an extension, off-hook
		kind := ErrHungUp
		if !answered {
			kind = ErrNoDialTone
		}
		c.end(fmt.Errorf("%w: %w: <DLE>%c", kind, ErrInUse, code))
	case 'R':
		c.glare()
	case 'u':
		c.post(event{dry: true})
	default:
		if isKey(code) {
			c.mu.Lock()
			fresh := c.keys.press(code, time.Now())
			c.mu.Unlock()
			if fresh {
				c.post(event{key: code})
			}
		}
	}
}

// sure raises the confidence in an answer that has come or will.
func (c *call) sure(a Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer != Supervised {
		c.answer = a
	}
}

func (c *call) surely() Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answer
}

// dialledKey takes a key as +RXDTMF: 8 or +QTONEDET: 56 writes it.
func (c *call) dialledKey(s string) {
	s = strings.Trim(s, `" `)
	if n := number(s); n > 9 && n < 128 {
		s = string(rune(n))
	}
	if len(s) == 1 && isKey(s[0]) {
		c.post(event{key: s[0]})
	}
}

func isKey(b byte) bool { return strings.IndexByte("0123456789*#ABCD", b) >= 0 }

// keypad counts each press of a key once: a voice modem repeats its code every 70 ms or so
// for as long as it is held, between marks or without them.
type keypad struct {
	held byte
	last time.Time
}

// keyGap without a code is a new press of the same key.
const keyGap = 200 * time.Millisecond

func (k *keypad) press(key byte, now time.Time) (fresh bool) {
	fresh = key != k.held || now.Sub(k.last) > keyGap
	k.held, k.last = key, now
	return fresh
}

func (k *keypad) release() { k.held = 0 }
