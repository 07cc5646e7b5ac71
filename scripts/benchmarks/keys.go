package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/hal/sim"
)

const (
	keyLines = 6   // of each kind
	keyLimit = 150 // ms

	// The message is a tone that rises: what is heard tells what is played.
	sweepFrom  = 500 // Hz
	sweepSlope = 30  // Hz a second
	sweepTime  = time.Minute
)

// effect finds in what the far end has heard from a key on, whose place is at, when the key
// has taken effect; negative if it has not.
type effect func(heard []int16, at int) int

// presses are made at each far end, with time for the modem to find out that it is answered.
var presses = []struct {
	key    byte
	at     time.Duration
	name   string
	effect effect
}{
	{'2', 15 * time.Second, "2, pause", silenceFrom},
	{'2', 16500 * time.Millisecond, "2, goes on", soundFrom},
	{'1', 18010 * time.Millisecond, "1, back", jumpFrom},
	{'3', 20020 * time.Millisecond, "3, forward", jumpFrom},
	{'2', 22003 * time.Millisecond, "2, pause", silenceFrom},
	{'2', 23517 * time.Millisecond, "2, goes on", soundFrom},
	{'1', 25009 * time.Millisecond, "1, back", jumpFrom},
	{'3', 27013 * time.Millisecond, "3, forward", jumpFrom},
}

// keyEffects measures at the far end how long after a key has gone down, at the modems'
// true pace, the sound there does what the key says.
func keyEffects() ([]Result, error) {
	end := sim.FarEnd{Rings: 1}
	for _, p := range presses {
		end.Keys = append(end.Keys, sim.Key{At: p.at, Key: p.key})
	}
	r, err := newRig(keyLines, keyLines, serialBaud, sweep(), end)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.close() }()
	if _, err := r.callAll(); err != nil {
		return nil, err
	}
	last := int((presses[len(presses)-1].at + time.Second).Seconds() * audio.Rate)
	took := map[string][]float64{}
	var names []string
	for _, l := range r.x.Lines() {
		for begin := time.Now(); len(l.Heard()) < last; time.Sleep(100 * time.Millisecond) {
			if time.Since(begin) > time.Minute {
				return nil, fmt.Errorf("%s: the call ends early", l.Name())
			}
		}
		kind := map[bool]string{true: "analogue", false: "GSM"}[strings.HasPrefix(l.Name(), "fxo")]
		heard := l.Heard()
		for _, p := range presses {
			at := int(p.at.Seconds() * audio.Rate)
			found := p.effect(heard, at)
			if found < 0 {
				return nil, fmt.Errorf("%s: key %s has no effect", l.Name(), p.name)
			}
			name := "Key " + p.name + ", " + kind + " line"
			if took[name] == nil {
				names = append(names, name)
			}
			took[name] = append(took[name], float64(found-at)*1000/audio.Rate)
		}
	}
	var results []Result
	for _, name := range names {
		ms := took[name]
		results = append(results,
			bound(name+", median", "ms at the far end", percentile(ms, 0.5), keyLimit),
			bound(fmt.Sprintf("%s, worst of %d", name, len(ms)), "ms at the far end", percentile(ms, 1), keyLimit))
	}
	return results, nil
}

// sweep is the message.
func sweep() audio.Clip {
	c := make(audio.Clip, int(sweepTime.Seconds()*audio.Rate))
	for i := range c {
		t := float64(i) / audio.Rate
		c[i] = int16(5000 * math.Sin(2*math.Pi*(sweepFrom*t+sweepSlope*t*t/2)))
	}
	return c
}

const (
	loud   = 500
	window = audio.Rate / 50
)

// silenceFrom is where the sound ends.
func silenceFrom(heard []int16, at int) int {
	quiet := 0
	for i, s := range heard[at:] {
		if s > loud || s < -loud {
			quiet = 0
		} else if quiet++; quiet == window {
			return at + i - window + 1
		}
	}
	return -1
}

// soundFrom is where it begins again.
func soundFrom(heard []int16, at int) int {
	for i, s := range heard[at:] {
		if s > loud || s < -loud {
			return at + i
		}
	}
	return -1
}

// jumpFrom is where another part of the message begins: the frequency is another than it
// was, and not only where one part ends and the other begins.
func jumpFrom(heard []int16, at int) int {
	const far, near, step = 3 * sweepSlope, sweepSlope / 2, audio.Rate / 200
	before, ok := pitch(heard[at-window : at])
	if !ok {
		return -1
	}
	for i := at; i+2*window <= len(heard); i += step {
		now, ok := pitch(heard[i : i+window])
		then, still := pitch(heard[i+window : i+2*window])
		if ok && still && math.Abs(now-before) > far && math.Abs(now-then) < near {
			return i
		}
	}
	return -1
}

// pitch is the frequency of a tone, by its first and last rise through zero; not ok where
// part of it is quiet.
func pitch(s []int16) (hz float64, ok bool) {
	const longest = audio.Rate / 200 // two periods of the lowest
	first, last, rises, quiet := 0.0, 0.0, 0, 0
	for i := 1; i < len(s); i++ {
		if s[i] < loud && s[i] > -loud {
			if quiet++; quiet > longest/4 {
				return 0, false
			}
		} else {
			quiet = 0
		}
		if s[i-1] < 0 && s[i] >= 0 {
			last = float64(i) - float64(s[i])/float64(int(s[i])-int(s[i-1]))
			if rises++; rises == 1 {
				first = last
			}
		}
	}
	if rises < 3 {
		return 0, false
	}
	return float64(rises-1) * audio.Rate / (last - first), true
}
