package sim

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// dce is what all modems have in common: V.250's command lines, result codes and registers,
// and the one goroutine that everything happens in.
type dce struct {
	*Line
	dev   modemKind
	clock *clock
	now   time.Duration // line time; it moves while the clock runs
	noise *rand.Rand

	line commandLine
	in   []byte    // what the host has sent and nobody has taken yet
	todo []command // of the command line in work
	junk bool      // voice data where a command is expected has been noticed

	echo, quiet, verbose bool
	s                    [256]byte
	profile              profile // AT&W
	echoed               []byte  // not sent yet
	flood                time.Duration
	loopFile             string // holds 1 while loop current flows
	timers               []timer
	behind               func() // to be said behind the final result code
}

// profile is what &W stores and Z brings back.
type profile struct {
	echo, quiet, verbose bool
	s                    [256]byte
}

// modemKind is what differs between a voice modem and a GSM modem.
type modemKind interface {
	// command executes a command; handled is false for one that this kind does not have.
	command(c command) (r result, handled bool)
	// take eats what the host sends while it is no command line: voice data, characters that
	// abort a dial. It returns how much; ok is false where a command line is expected.
	take(b []byte) (n int, ok bool)
	frame()        // 20 ms of line time
	working() bool // the clock must run
	current(edges []edge)
	incoming(from Caller)
	parallel(lifted bool)
	hangUp()
	reset() // AT&F
	room() bool
	sound(b []byte) // from the audio port
}

func newDCE(l *Line) *dce {
	d := &dce{Line: l, clock: newClock(l.x.opt.Speed), noise: rand.New(rand.NewPCG(1, 2))}
	if l.p.GSM {
		d.dev = newGSMModem(d)
	} else {
		d.dev = newVoiceModem(d)
	}
	d.factory()
	d.profile = profile{d.echo, d.quiet, d.verbose, d.s}
	return d
}

// factory is AT&F (V.250 §6.1.2).
func (d *dce) factory() {
	d.echo, d.quiet, d.verbose = true, false, true
	d.s = [256]byte{2: 43, 3: '\r', 4: '\n', 5: 8, 6: 2, 7: 50, 8: 2, 10: 14, 11: 95, 12: 50, 22: 4}
	d.dev.reset()
}

// powerOn is a modem that has just got its power.
func (d *dce) powerOn() {
	d.dev.hangUp()
	d.relock()
	d.line, d.in, d.todo = commandLine{}, nil, nil
	d.factory()
	d.restore()
}

func (d *dce) restore() {
	p := d.profile
	d.echo, d.quiet, d.verbose, d.s = p.echo, p.quiet, p.verbose, p.s
}

// run is the modem's goroutine.
func (d *dce) run() {
	defer d.clock.run(false)
	for {
		d.clock.run(d.dev.working() || len(d.timers) > 0 || d.faults().Rings)
		in, pcm := d.ports()
		select {
		case b := <-in:
			d.receive(b)
		case b := <-pcm:
			d.dev.sound(b)
		case <-d.kick:
			d.loopEdges()
		case <-d.clock.ticker.C:
			d.tick()
		case f := <-d.ctl:
			f()
		case <-d.quit:
			d.end()
			return
		}
	}
}

// tick runs the frames that are due. What the host has sent before each is older.
func (d *dce) tick() {
	for i := range d.clock.due() {
		if i > 0 {
			runtime.Gosched() // whoever reads the ports is late too
		}
		d.poll()
		d.loopEdges()
		d.now += frameTime
		d.dev.frame()
		d.fire()
		d.ringFlood()
		if len(d.in) > 0 {
			d.feed()
		}
	}
}

// poll takes what waits at the ports, as far as there is room for it.
func (d *dce) poll() {
	in, pcm := d.ports()
	select {
	case b := <-in:
		d.receive(b)
	case b := <-pcm:
		d.dev.sound(b)
	default:
	}
}

// ports are those that the modem listens to now.
func (d *dce) ports() (in, pcm chan []byte) {
	if len(d.in) == 0 { // else not before that has been taken
		in = d.at.in
	}
	if d.dev.room() {
		pcm = d.pcm.in
	}
	return in, pcm
}

// end is the last thing that the goroutine does.
func (d *dce) end() {
	d.mu.Lock()
	off := d.modem
	d.mu.Unlock()
	if off {
		d.contradict("the modem is left off-hook")
	}
	d.dev.hangUp()
	d.loopEdges()
}

// loopEdges takes the edges of the loop current and tells who wants to know.
func (d *dce) loopEdges() {
	edges, flowing, changed := d.takeEdges()
	d.dev.current(edges)
	if !changed || d.loopFile == "" {
		return
	}
	if err := writeValue(d.loopFile, flowing); err != nil {
		d.x.opt.Log.Error("loop file", "line", d.name, "error", err)
	}
}

// receive takes what the host has sent; nil: the host has closed the port.
func (d *dce) receive(b []byte) {
	if b == nil {
		d.in = d.in[:0]
		d.line.state = beforeA
		return
	}
	if d.x.opt.Trace != nil {
		d.x.opt.Trace(d.name, true, b)
	}
	if d.faults().Deaf {
		return
	}
	d.in = append(d.in, b...)
	d.feed()
}

// feed hands out what the host has sent, as far as it can be taken now.
func (d *dce) feed() {
	for len(d.in) > 0 {
		n, taken := d.dev.take(d.in)
		if !taken {
			n = 1
			d.character(d.in[0])
		}
		if n == 0 {
			break
		}
		d.in = d.in[n:]
	}
	d.emit(nil, false)
}

// character takes one character of a command line.
func (d *dce) character(b byte) {
	d.log.add('>', []byte{b}, false)
	if b >= 0x80 && !d.junk {
		d.junk = true
		d.contradict("voice data where a command is expected")
	}
	if d.echo || d.faults().Echo {
		d.echoed = append(d.echoed, b)
	}
	body, whole, done := d.line.take(b, ctrl{d.s[3], d.s[5]})
	if !done {
		return
	}
	d.junk = false
	if !whole {
		d.final(fail)
		return
	}
	d.execute(body)
}

// execute runs a command line.
func (d *dce) execute(body string) {
	d.fallsSilent("AT" + body)
	if text := d.refuses("AT" + body); text != "" {
		d.final(result(text))
		return
	}
	list, sense := split(body)
	if !sense {
		list = append(list, command{name: "?"})
	}
	d.todo = list
	d.resume()
}

// resume runs the rest of the command line until a command takes its time.
func (d *dce) resume() {
	for len(d.todo) > 0 {
		c := d.todo[0]
		d.todo = d.todo[1:]
		r, handled := d.dev.command(c)
		if !handled {
			r = d.basic(c)
		}
		if r == later {
			return
		}
		if r != ok {
			d.final(r)
			return
		}
	}
	d.final(ok)
}

// done ends the command that has taken its time.
func (d *dce) done(r result) {
	if r == ok {
		d.resume()
		return
	}
	d.final(r)
}

// timer is something that is to happen at a line time.
type timer struct {
	at     time.Duration
	f      func()
	always bool // also when the modem has gone on-hook before
}

// in does f in line time t.
func (d *dce) after(t time.Duration, always bool, f func()) {
	d.timers = append(d.timers, timer{d.now + t, f, always})
}

func (d *dce) dropTimers() {
	d.timers = slices.DeleteFunc(d.timers, func(t timer) bool { return !t.always })
}

// fire runs the timers that are due.
func (d *dce) fire() {
	due := d.timers
	d.timers = nil
	for _, t := range due {
		if t.at <= d.now {
			t.f()
		} else {
			d.timers = append(d.timers, t)
		}
	}
}
