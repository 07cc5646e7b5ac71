// Package guard keeps a telephone line from staying off-hook when the program that seized it
// no longer works. A small process of its own, the guard, drives the relays; the program
// only asks for it, and each contact that it asks to be closed is on a lease.
//
//	program                                    guard
//	Relay.Set(true)  ── close 1, until t ──►   drives the contact, answers
//	Lease            ── renew 1, until t ──►   every 100 ms while the call makes progress
//	                    …silence…              t passes: opens the contact
//	Relay.Set(false) ── open 1 ───────────►    drives the contact, answers
//	dies             ── end of file ──────►    opens every contact and ends
//
// A GPIO keeps its level when the process that has set it dies, and a process that is
// stopped, or has deadlocked, does not even die. The guard does nothing but this: it shares
// no lock, no heap and no signal with the program, and opens every contact as its first act.
//
// Times on the wire are those of CLOCK_MONOTONIC, which all processes share: a message that
// was held up on its way extends nothing.
package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/hal"
)

// Lease is how long a contact stays closed after the program last proved that it works. A
// second is what the far end may be held at most; the rest is for the guard to be scheduled
// and for the contact. A renewal that is due every 100 ms may be late or fail six times.
const Lease = 700 * time.Millisecond

const (
	maxRelays  = 64 // they are named by the bits of a mask
	maxWaiting = 256
	// answerLimit is how long the guard may take to answer, which is usually 0.1 ms. One that
	// does not is killed: the contacts open when its successor starts.
	answerLimit = 500 * time.Millisecond
	lookAgain   = 50 * time.Millisecond // for a reply that we were too slow to see
	startLimit  = 5 * time.Second       // from the start of the process to its first answer
	// restartLimit is how long after the death of a guard a contact that is to be opened is
	// worth waiting for its successor.
	restartLimit = 500 * time.Millisecond
	maxBackOff   = 5 * time.Second
	longRun      = 10 * time.Second // after which a death is no sign of a pattern
)

// Guard is the program's side. It starts the process, and starts it again when it has died.
// Its methods may be called from any goroutine.
type Guard struct {
	command []string
	log     *slog.Logger
	closing chan struct{}
	close   sync.Once
	done    chan struct{} // closed when the keeper has ended

	mu      sync.Mutex    // guards what follows
	p       *process      // nil while there is none
	lost    time.Time     // when there was last one
	changed chan struct{} // closed, and replaced, when there is a new one
	closed  uint64        // contacts that should be closed
	ended   uint64        // contacts whose lease has ended, and of which Lease has not told yet
	orphans uint64        // likewise, contacts that were closed when their guard died
}

// Start starts a guard, and returns when every relay of it was driven open, or after a few
// seconds where that does not work; it is tried again then, and each Set and Lease returns
// hal.ErrNoGuard meanwhile. command is the program, which calls Serve, and its arguments.
func Start(command []string, log *slog.Logger) *Guard {
	g := &Guard{
		command: command, log: log, closing: make(chan struct{}), done: make(chan struct{}),
		lost: time.Now(), changed: make(chan struct{}),
	}
	tried := make(chan struct{})
	go g.keep(sync.OnceFunc(func() { close(tried) }))
	<-tried
	return g
}

// keep has a process running until Close. It calls tried after each attempt to start one.
func (g *Guard) keep(tried func()) {
	defer close(g.done)
	backOff := time.Duration(0)
	down := false
	for {
		began := time.Now()
		p, err := start(g.command)
		if err == nil {
			if down {
				g.log.Warn("the relays' guard works again; every relay was opened")
			}
			g.adopt(p)
			down = false
			tried()
			err = <-p.ended
			g.lose(p)
		}
		tried()
		select {
		case <-g.closing:
			return
		default:
		}
		if !down {
			g.log.Error("the relays' guard has ended; it is being started again", "error", err)
		}
		down = true
		if time.Since(began) > longRun {
			backOff = 0
		}
		select {
		case <-g.closing:
			return
		case <-time.After(backOff):
		}
		backOff = min(max(2*backOff, 50*time.Millisecond), maxBackOff)
	}
}

// adopt makes p the process that is asked, unless Close came first.
func (g *Guard) adopt(p *process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.closing:
		p.release()
		return
	default:
	}
	g.p = p
	close(g.changed)
	g.changed = make(chan struct{})
}

// lose notes that p is no more. Whatever was closed is open, or will be in a moment.
func (g *Guard) lose(p *process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.loseLocked(p)
}

func (g *Guard) loseLocked(p *process) {
	if g.p != p {
		return
	}
	g.p, g.lost = nil, time.Now()
	g.orphans |= g.closed
	g.closed = 0
}

// ask is one exchange with the guard. Several may be under way: none waits for another.
func (g *Guard) ask(req request) error {
	p, answer, err := g.send(req)
	if p == nil {
		return err
	}
	var rep reply
	if err == nil {
		rep, err = p.wait(answer, answerLimit)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		p.kill()
		g.loseLocked(p)
		return fmt.Errorf("%w: %w", hal.ErrNoGuard, err)
	}
	if req.op == opClose && rep.status != statusDone {
		g.closed &^= req.relays
	}
	g.ended |= rep.ended
	g.closed &^= rep.ended
	return rep.err()
}

// send sends a request to the process, where there is one.
func (g *Guard) send(req request) (*process, <-chan reply, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.p == nil {
		return nil, nil, hal.ErrNoGuard
	}
	switch req.op {
	case opClose:
		if (g.ended|g.orphans)&req.relays != 0 {
			return nil, nil, hal.ErrLeaseEnded // the call that had it closed does not know yet
		}
		g.closed |= req.relays
	case opOpen:
		g.closed &^= req.relays // one that can't be opened gets no lease either
	}
	answer, err := g.p.send(req)
	return g.p, answer, err
}

// await waits until there is a guard again, if that may be soon.
func (g *Guard) await() bool {
	for {
		g.mu.Lock()
		up, changed, left := g.p != nil, g.changed, restartLimit-time.Since(g.lost)
		g.mu.Unlock()
		if up || left <= 0 {
			return up
		}
		select {
		case <-changed:
		case <-g.closing:
			return false
		case <-time.After(left):
		}
	}
}

// Relay returns the relay with that number, in the order of what the process was given. It
// implements hal.Relay. Set(true) closes the contact for one Lease: it is to be renewed.
func (g *Guard) Relay(n int) *Relay { return &Relay{g: g, mask: 1 << n} }

// Relay is a relay contact behind a guard.
type Relay struct {
	g    *Guard
	mask uint64
}

// Set implements hal.Relay. It returns once the guard has driven the level, which takes
// about 0.1 ms. Where there is no guard, or it does not answer, a contact that is to be
// opened is opened by the next guard, for which Set waits up to a second and a half in all.
func (r *Relay) Set(closed bool) error {
	if closed {
		return r.g.ask(request{op: opClose, relays: r.mask, until: now() + int64(Lease)})
	}
	err := r.g.ask(request{op: opOpen, relays: r.mask})
	if errors.Is(err, hal.ErrNoGuard) && r.g.await() {
		err = r.g.ask(request{op: opOpen, relays: r.mask})
	}
	return err
}

// Lease returns the lease of some relays. To hold is to extend it, by Lease from now, for
// those that are closed; only a program that is known to make progress may do that. The
// error is hal.ErrLeaseEnded, once, when one of the relays was opened because its lease had
// ended; and hal.ErrNoGuard while there is no guard, and once when one of them was closed
// and is open now because there was none for a moment.
func (g *Guard) Lease(relays ...*Relay) func(hold bool) error {
	var mask uint64
	for _, r := range relays {
		mask |= r.mask
	}
	return func(hold bool) error { return g.lease(mask, hold) }
}

func (g *Guard) lease(mask uint64, hold bool) error {
	g.mu.Lock()
	closed, up := g.closed&mask, g.p != nil
	g.mu.Unlock()
	var err error
	switch {
	case !up:
		err = hal.ErrNoGuard
	case hold && closed != 0:
		err = g.ask(request{op: opRenew, relays: closed, until: now() + int64(Lease)})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.orphans&mask != 0 {
		err = hal.ErrNoGuard
	}
	if g.ended&mask != 0 {
		err = hal.ErrLeaseEnded
	}
	g.ended &^= mask
	g.orphans &^= mask
	return err
}

// Close opens every contact, ends the process and waits for it. It may be called more than
// once.
func (g *Guard) Close() error {
	g.close.Do(func() {
		close(g.closing)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.p != nil {
			g.p.release()
		}
		g.p = nil
	})
	<-g.done
	return nil
}

// now is the time of every process on this machine, in ns.
func now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0 // no lease is extended
	}
	return t.Nano()
}

// first is the number of a mask's first relay.
func first(mask uint64) int { return bits.TrailingZeros64(mask) }
