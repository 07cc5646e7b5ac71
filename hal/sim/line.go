package sim

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"hookswitch/hal"
)

// Line is one modem with its line. One goroutine is the modem: it takes the host's bytes,
// the edges of the relay and the frames of the line in turn, and its state needs no lock.
type Line struct {
	x    *Exchange
	name string
	p    Personality
	d    *dce

	at, pcm port
	ctl     chan func()   // to be run by the modem's goroutine
	kick    chan struct{} // there are edges
	quit    chan struct{}
	once    sync.Once
	wg      sync.WaitGroup
	log     transcript

	mu              sync.Mutex // guards what follows
	modem           bool       // the modem is off-hook; a GSM modem: a call is up
	wired           bool       // a relay stands in the loop
	driven          bool       // is told to conduct
	contact         bool       // and conducts
	broken          bool       // the exchange interrupts the loop
	ringOn          bool
	parallel        bool // another telephone on the same line is lifted
	edges           []edge
	flowing         bool // loop current, as last reported
	heard           *recording
	fault           Faults
	refused         int
	losses, garbled int
	dry             int
	lost            int
	sim             simCard
	wrong           []string
	forget          []func() // stop watching value files
}

// edge is a change of the current that the subscriber has made.
type edge struct {
	on bool
	at time.Time
}

func newLine(x *Exchange, name string, p Personality) *Line {
	l := &Line{
		x: x, name: name, p: p, heard: &recording{},
		ctl: make(chan func()), kick: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	l.at.init(l)
	l.pcm.init(l)
	l.pcm.usb = true
	l.d = newDCE(l)
	l.wg.Go(l.d.run)
	return l
}

// close ends the line's goroutines; what the far end heard is kept first.
func (l *Line) close() error {
	var errs []error
	l.once.Do(func() {
		close(l.quit)
		l.wg.Wait() // the modem is on-hook now
		errs = append(errs, l.at.vanish(), l.pcm.vanish())
		l.mu.Lock()
		forget, contact := l.forget, l.contact
		l.mu.Unlock()
		for _, f := range forget {
			f()
		}
		if contact {
			l.contradict("the hook relay is left closed")
		}
	})
	return errors.Join(errs...)
}

// do runs f in the modem's goroutine and waits for it.
func (l *Line) do(f func()) {
	done := make(chan struct{})
	select {
	case l.ctl <- func() { f(); close(done) }:
		<-done
	case <-l.quit:
	}
}

// Name is the name that the line was added with.
func (l *Line) Name() string { return l.name }

// Port opens the modem's AT port in memory, for synctest bubbles; whoever had it open
// before reads io.EOF. It fails while the modem has vanished.
func (l *Line) Port() (io.ReadWriteCloser, error) { return l.at.open() }

// PCM opens the GSM modem's audio port in memory.
func (l *Line) PCM() (io.ReadWriteCloser, error) { return l.pcm.open() }

// PTY serves the AT port on a pseudo terminal and returns its path, which stays the same for
// as long as the modem does not vanish.
func (l *Line) PTY() (string, error) { return l.at.pty("") }

// PCMPTY serves the audio port on a pseudo terminal and returns its path.
func (l *Line) PCMPTY() (string, error) { return l.pcm.pty("") }

// PTYLink serves the AT port on a pseudo terminal and makes link a symbolic link to it,
// as /dev/serial/by-id has them: it is gone while the modem is, and afterwards points at a
// new one.
func (l *Line) PTYLink(link string) error { _, err := l.at.pty(link); return err }

// PCMLink does for the audio port what PTYLink does for the AT port.
func (l *Line) PCMLink(link string) error { _, err := l.pcm.pty(link); return err }

// Vanish unplugs the modem: its ports are gone and it is on-hook, for want of power.
func (l *Line) Vanish() {
	_, _ = l.at.vanish(), l.pcm.vanish() // nobody is told why a plug was pulled
	l.do(l.d.powerOn)
}

// Restart takes the modem's power away for a moment, its ports being those of another chip.
// says is what the modem says then, "RDY" or "SMS DONE"; many say nothing.
func (l *Line) Restart(says ...string) {
	l.do(func() {
		l.d.powerOn()
		for _, line := range says {
			l.d.text(line)
		}
	})
}

// Return plugs the modem in again; ports on pseudo terminals come back as new ones, and
// their links point at those. It has just been switched on.
func (l *Line) Return() error { return errors.Join(l.at.comeBack(), l.pcm.comeBack()) }

// relay is the hook relay as hal sees it.
type relay struct{ l *Line }

var _ hal.Relay = relay{}

func (r relay) Set(closed bool) error {
	if r.l.faults().NoRelay {
		return errors.New("sim: the relay's driver does not answer")
	}
	r.l.setContact(closed)
	return nil
}

// Relay is the hook relay in series with the modem: current flows only when it is closed.
func (l *Line) Relay() hal.Relay {
	l.wire()
	return relay{l}
}

// wire puts an open relay into the loop.
func (l *Line) wire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wired = true
	l.currentLocked()
}

func (l *Line) setContact(closed bool) {
	l.mu.Lock()
	changed := l.driven != closed
	l.driven = closed
	l.contactLocked()
	l.mu.Unlock()
	if changed && l.x.opt.Edge != nil {
		l.x.opt.Edge(l.name, closed)
	}
}

// contactLocked is the relay's contact, which may be stuck.
func (l *Line) contactLocked() {
	l.contact = l.driven || l.contact && l.fault.Stuck
	l.currentLocked()
}

// input is a detector.
type input struct {
	l    *Line
	name string // as in Faults
	read func() bool
}

var _ hal.Input = input{}

func (i input) Read() (bool, error) {
	if i.l.badRead(i.name) {
		return false, errors.New("sim: the input's chip does not answer")
	}
	return i.read(), nil
}

// Loop is the loop-current detector.
func (l *Line) Loop() hal.Input {
	return input{l, "loop", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.seizedLocked() && !l.broken || l.fault.Flows
	}}
}

// ringHz is the frequency of ringing current; an opto-coupler behind a rectifier pulses at
// twice that.
const ringHz = 20

// Ring is the ring detector: pulses while ringing current flows.
func (l *Line) Ring() hal.Input {
	return input{l, "ring", func() bool {
		const half = int64(time.Second / (4 * ringHz))
		return l.ringing() && time.Now().UnixNano()/half%2 == 0
	}}
}

// InUse is the detector of another telephone on the line that is off-hook.
func (l *Line) InUse() hal.Input {
	return input{l, "in use", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.parallel
	}}
}

// OffHook says whether the exchange sees the line off-hook (loop current flows, or a GSM
// call is up or being set up).
func (l *Line) OffHook() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seizedLocked()
}

// ModemOffHook says whether the modem's own hook switch is off-hook, whatever the hook relay
// in series with it does.
func (l *Line) ModemOffHook() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.modem
}

// seizedLocked says whether current flows, but for the exchange's own breaks.
func (l *Line) seizedLocked() bool {
	return l.modem && (l.contact || !l.wired) && (l.p.GSM || !l.fault.NoLoop)
}

// currentLocked notes an edge of the current, if there is one.
func (l *Line) currentLocked() {
	on := l.seizedLocked()
	n := len(l.edges)
	if n > 0 && l.edges[n-1].on == on {
		return
	}
	l.edges = append(l.edges, edge{on, time.Now()})
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// setModem is the modem's own hook switch.
func (l *Line) setModem(off bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.modem = off
	l.currentLocked()
}

// setLine is what the exchange does to the loop.
func (l *Line) setLine(broken, ringing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken, l.ringOn = broken, ringing
}

func (l *Line) ringing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ringOn
}

// takeEdges hands over the edges that have come, and whether loop current flows now.
func (l *Line) takeEdges() (edges []edge, flowing, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	edges, l.edges = l.edges, nil
	flowing = l.seizedLocked() && !l.broken || l.fault.Flows
	changed, l.flowing = flowing != l.flowing, flowing
	return edges, flowing, changed
}

// Heard is what the far end of the latest call has heard: 8000 Hz samples after unshielding
// and decoding, from its answer on.
func (l *Line) Heard() []int16 {
	l.mu.Lock()
	r := l.heard
	l.mu.Unlock()
	return r.copy()
}

func (l *Line) setHeard(r *recording) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = r
}

// keep files what the far end has heard, if it has answered.
func (l *Line) keep(c *call) {
	samples := c.heard.copy()
	if l.x.opt.Dir == "" || len(samples) == 0 {
		return
	}
	if err := keep(l.x.opt.Dir, l.name, c.number, samples); err != nil {
		l.x.opt.Log.Error("far end's recording", "line", l.name, "error", err)
	}
}

// Log is the AT dialogue so far, in the form of a transcript: > host, < modem, @ seconds.
func (l *Line) Log() string { return l.log.String() }

// Underruns is how often sound has run dry in the middle of a message.
func (l *Line) Underruns() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dry
}

// Lost is how many bytes of voice data have found no room in a modem without flow control.
func (l *Line) Lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

func (l *Line) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost++
}

func (l *Line) underrun() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dry++
}

// Contradictions are what the host did that no host may do.
func (l *Line) Contradictions() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.wrong...)
}

const mostContradictions = 100

func (l *Line) contradict(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.wrong); n < mostContradictions && (n == 0 || l.wrong[n-1] != text) {
		l.wrong = append(l.wrong, text)
		l.x.opt.Log.Warn("contradiction", "line", l.name, "what", text)
	}
}

// Caller is somebody who calls a line.
type Caller struct {
	Number, Name string // for caller id; "" is withheld
	GiveUp       int    // after so many rings; 0: never
	End          FarEnd // what the caller does once answered
}

// Call rings the line. On an analogue one that is in use it has no effect; a GSM modem is told
// that a call waits.
func (l *Line) Call(from Caller) { l.do(func() { l.d.dev.incoming(from) }) }

// Parallel lifts another telephone on the same line, or puts it down.
func (l *Line) Parallel(lifted bool) {
	l.mu.Lock()
	l.parallel = lifted
	l.mu.Unlock()
	l.do(func() { l.d.dev.parallel(lifted) })
}
