package sim

import (
	"strings"
	"time"
)

// FarEnd is what a number reaches. The zero value answers at once and listens.
type FarEnd struct {
	Busy         bool
	Unobtainable bool // special information tone, release cause 1

	Rings  int           // answers when it has rung so many times; negative: never
	Silent bool          // no ringback meanwhile
	HangUp time.Duration // hangs up so long after the answer; 0: never
	Keys   []Key         // pressed after the answer
	Says   []int16       // said after the answer, 8000 Hz

	EchoDelay time.Duration // what the caller says comes back so much later; 0: it does not
	EchoLoss  float64       // and so much weaker, in dB
}

// Key is a DTMF key that a far end presses.
type Key struct {
	At   time.Duration // after the answer
	Key  byte          // 0-9 * # A-D
	Hold time.Duration // 0 is 100 ms
}

const keyHold = 100 * time.Millisecond

// pressed is the key that is held down at a time after the answer; start is when that began.
func (f FarEnd) pressed(in time.Duration) (key byte, start time.Duration) {
	for _, k := range f.Keys {
		hold := k.Hold
		if hold == 0 {
			hold = keyHold
		}
		if in >= k.At && in < k.At+hold {
			return k.Key, k.At
		}
	}
	return 0, 0
}

// NumberPlan is who lives behind which number, by the last seven digits; what is not in it
// is unobtainable.
func NumberPlan() map[string]FarEnd {
	return map[string]FarEnd{
		"5550100": {Rings: 2},
		"5550101": {Busy: true},
		"5550102": {Rings: -1},
		"5550103": {Rings: 1, HangUp: 2 * time.Second},
		"5550104": {Rings: 1, Keys: []Key{
			// Not before a voice modem has found out that it is answered (+VRA, 5 s).
			{At: 6 * time.Second, Key: '1'}, {At: 7500 * time.Millisecond, Key: '2'},
			{At: 9 * time.Second, Key: '2'}, {At: 10500 * time.Millisecond, Key: '#'},
		}},
		"5550105": {Unobtainable: true},
		"5550106": {Rings: 1, Silent: true},
		"5550107": {Rings: 1, Says: hello()},
	}
}

// numberLength is how much of a number the plan looks at, from its end: any prefix and any
// punctuation may stand before and between.
const numberLength = 7

func subscriber(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
	return digits[max(0, len(digits)-numberLength):]
}

// farEnd is who answers to a number.
func (x *Exchange) farEnd(number string) (end FarEnd, known bool) {
	key := subscriber(number)
	if end, ok := x.opt.Numbers[key]; ok {
		return end, true
	}
	if end, ok := x.plan[key]; ok {
		return end, true
	}
	return FarEnd{Unobtainable: true}, false
}
