package audio

import "time"

// Event is something that became certain.
type Event struct {
	Sound Sound
	At    time.Duration // since the first sample heard
	Guess bool          // a ringback that is none of the country's, by its cadence alone
}

// Progress hears in received audio what becomes of a call. It is not safe for concurrent use.
//
//	samples ─► steps of 20 ms, each a tone or quiet (listen.go), noise or a voice (noise.go)
//	        ─► runs of steps of one kind ─► cadences of the plan ─► events
type Progress struct {
	plan Plan

	in      highPass
	noise   noise
	buf     []float32 // the latest window, and what is not yet a step
	steps   int       // so far
	now     run       // what goes on
	odd     run       // a step of something else, perhaps a mere click
	past    []run     // the tones and pauses before now, alternating
	said    Sound     // the latest event
	ringing *Pattern  // the ringback that was heard
	sit     int       // how many of the three tones have been heard in turn
}

// run is a stretch of steps of one kind.
type run struct {
	kind    kind
	steps   int
	partial bool      // began before anybody listened
	power   []float64 // at the frequencies of bank
}

func (r *run) ms() int { return r.steps * 1000 * progressStep / Rate }

// NewProgress returns a detector for the tones of plan.
func NewProgress(plan Plan) *Progress {
	return &Progress{
		plan: plan, noise: newNoise(), now: run{partial: true},
		buf: make([]float32, toneWindow, toneWindow+progressStep), // as if it had been quiet
	}
}

// Hear takes what was received next, in pieces of any size, and returns what became
// certain, mostly nothing. A sound is told once, until there was another.
func (p *Progress) Hear(samples []int16) (events []Event) {
	for len(samples) > 0 {
		n := min(len(samples), cap(p.buf)-len(p.buf))
		for _, s := range samples[:n] {
			p.buf = append(p.buf, float32(p.in.filter(float64(s))))
		}
		samples = samples[n:]
		if len(p.buf) < cap(p.buf) {
			return events
		}
		p.buf = p.buf[:copy(p.buf, p.buf[progressStep:])]
		p.steps++
		p.follow(p.noise.listen(p.buf))
		if s := p.judge(); s != "" && s != p.said {
			p.said = s
			at := time.Duration(p.steps) * time.Second * progressStep / Rate
			events = append(events, Event{s, at, s == Ringback && p.ringing.Hz == nil})
		}
	}
	return events
}

// follow adds a step to what goes on, or begins something new when a second step confirms it.
func (p *Progress) follow(k kind, power []float64) {
	if k == p.now.kind {
		p.now.steps += p.odd.steps + 1
		p.now.add(power)
		p.odd = run{}
		return
	}
	if p.odd.steps > 0 && k == p.odd.kind {
		p.odd.steps++
		p.odd.add(power)
		p.odd.partial = p.now.partial && p.now.steps == 0
		p.end()
		p.now, p.odd = p.odd, run{}
		return
	}
	p.now.steps += p.odd.steps
	p.odd = run{kind: k, steps: 1}
	p.odd.add(power)
}

func (r *run) add(power []float64) {
	if r.power == nil {
		r.power = make([]float64, len(bank))
	}
	for i, v := range power {
		r.power[i] += v
	}
}

// end remembers that now is over. What is short and no tone of a cadence counts with what
// comes after it.
func (p *Progress) end() {
	const (
		short = 5 // steps, 100 ms
		blip  = 3 // steps of a tone, 60 ms
	)
	r := p.now
	switch {
	case r.kind >= first && r.kind <= third && r.steps > short && p.sit == int(r.kind-first):
		p.sit++
	case r.steps > short:
		p.sit = 0
	}
	if r.kind == low && r.steps <= blip || r.kind != low && r.kind != quiet && r.steps <= short {
		p.odd.steps += r.steps
	} else {
		p.remember(r)
	}
	if n := len(p.past); n > 0 && p.past[n-1].kind == p.odd.kind { // it goes on after a click
		r := p.past[n-1]
		p.odd.steps, p.odd.partial = p.odd.steps+r.steps, r.partial
		p.odd.add(r.power)
		p.past = p.past[:n-1]
	}
}

// remember adds a tone or a pause to those before now. Noise, or a voice that is not yet
// certain, is a pause too.
func (p *Progress) remember(r run) {
	const most = 10
	if r.kind != low {
		r.kind = quiet
	}
	if n := len(p.past); n > 0 && p.past[n-1].kind == r.kind {
		p.past[n-1].steps += r.steps
	} else if n > 0 || r.kind == low {
		p.past = append(p.past, r)
	}
	if len(p.past) > most {
		p.past = append(p.past[:0], p.past[2:]...)
	}
}

// judge says what is certain by now.
func (p *Progress) judge() Sound {
	switch {
	case p.noise.voice():
		p.past, p.ringing = p.past[:0], nil
		return Voice
	case p.now.kind == third && p.sit == 2 && p.now.ms() >= 100:
		return SIT
	case p.now.kind == low:
		if s := p.continuous(); s != "" {
			return s
		}
		if p.interrupted() {
			return DialTone
		}
		return p.repeated()
	case p.now.kind == quiet && p.ringing != nil && p.overdue():
		p.past, p.ringing = p.past[:0], nil
		return RingbackEnded
	case p.now.kind == quiet && len(p.past) > 0:
		return p.ringback()
	}
	return ""
}

// candidates are the tones that r may be a part of: the country's own, else what all have.
func (p *Progress) candidates(r *run) (own []*Pattern) {
	var common []*Pattern
	for i := range p.plan {
		switch t := &p.plan[i]; {
		case t.Hz == nil:
			common = append(common, t)
		case r.sounds(t.Hz):
			own = append(own, t)
		}
	}
	if len(own) > 0 {
		return own
	}
	if !r.narrow() {
		return nil
	}
	return common
}

// continuous is what goes on for longer than any burst of a cadence.
func (p *Progress) continuous() Sound {
	longest, is := 500, Sound("") // ms
	if p.now.ms() <= longest {
		return ""
	}
	for _, t := range p.candidates(&p.now) {
		if t.Cadence == nil {
			is = t.Sound
		}
		for i := 0; i < len(t.Cadence); i += 2 {
			longest = max(longest, atMost(t.Cadence[i]))
		}
	}
	if p.now.ms() <= longest {
		return ""
	}
	return is
}

// interrupted reports whether a tone goes on with short pauses only: the special dial tones,
// for calls that are forwarded or messages that wait. No other tone has pauses so short.
func (p *Progress) interrupted() bool {
	const (
		pauses = 2
		gap    = 300 // ms, at most
		share  = 0.6 // of the burst before it, at most
	)
	if len(p.past) < 2*pauses {
		return false
	}
	latest := p.past[len(p.past)-2*pauses:]
	for i := 0; i < len(latest); i += 2 {
		on, off := latest[i].ms(), latest[i+1].ms()
		if off > gap || float64(off) > share*float64(on) {
			return false
		}
	}
	return true
}

// repeated is the cadence of the bursts and pauses before this burst.
func (p *Progress) repeated() (is Sound) {
	candidates := p.candidates(&p.now)
	enough := 4
	for _, t := range candidates {
		if t.Sound != Ringback {
			enough = max(enough, len(t.Cadence))
		}
	}
	best := 1.0
	for _, t := range candidates {
		if t.Cadence == nil || t.Sound == Ringback {
			continue
		}
		for next := 0; next < len(t.Cadence); next += 2 {
			if off, ok := p.matches(t.Cadence, next, enough); ok && off < best {
				best, is = off, t.Sound
			}
		}
	}
	return is
}

// ringback is one whose pause this is, which is longer than any within another cadence.
func (p *Progress) ringback() Sound {
	candidates := p.candidates(&p.past[len(p.past)-1])
	pause := 0
	for _, t := range candidates {
		if t.Sound == Ringback {
			continue
		}
		for i := 1; i < len(t.Cadence); i += 2 {
			pause = max(pause, atMost(t.Cadence[i]))
		}
	}
	if p.now.ms() <= pause {
		return ""
	}
	for _, t := range candidates {
		if t.Sound != Ringback {
			continue
		}
		if _, ok := p.matches(t.Cadence, len(t.Cadence)-1, len(t.Cadence)-1); ok {
			p.ringing = t
			return Ringback
		}
	}
	return ""
}

// overdue says whether the telephone rings no more: the pause is too long, or came too
// early, when it was answered in the middle of a ring.
func (p *Progress) overdue() bool {
	const early = 1500 // ms
	c := p.ringing.Cadence
	last := len(c) - 1
	if _, ok := p.matches(c, last, last); !ok {
		return p.now.ms() > early
	}
	return p.now.ms() > atMost(c[last])+200
}

// matches says whether the latest n runs before now are those of a cadence before its
// element next, and how far off they are, 0 to 1. The first run may be cut short by our
// having begun to listen.
func (p *Progress) matches(cadence []int, next, n int) (off float64, ok bool) {
	if len(p.past) < n {
		return 0, false
	}
	for i := 1; i <= n; i++ {
		r := &p.past[len(p.past)-i]
		ms := cadence[((next-i)%len(cadence)+len(cadence))%len(cadence)]
		if r.ms() > atMost(ms) || r.ms() < atLeast(ms) && !r.partial {
			return 0, false
		}
		off = max(off, float64(max(r.ms()-ms, ms-r.ms()))/float64(ms))
	}
	return off, true
}

// atMost and atLeast are how long a burst or pause of a cadence may be, in ms: ITU-T E.180
// allows 10 %, the network between us and the exchange takes its part.
func atMost(ms int) int  { return ms*6/5 + 40 }
func atLeast(ms int) int { return ms*4/5 - 40 }
