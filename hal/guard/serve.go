package guard

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/hal"
)

const (
	// openAgain is how often a contact that could not be opened is tried again.
	openAgain = 50 * time.Millisecond
	// finalLimit is how long after the program's death a contact that can't be opened is tried.
	finalLimit = 5 * time.Second
	// busyLimit is how long another program's contact may be that of a guard about to end: its
	// lease, at the longest, and the time it takes to notice on a busy machine.
	busyLimit = 1500 * time.Millisecond
)

// Serve is the guard's process: it opens every contact, then does what the program at the
// other end of the socket asks for, until that is closed. Then it opens every contact and
// returns. It never waits for anything but that socket and the end of a lease.
func Serve(socket int, relays []hal.Relay) error {
	if len(relays) > maxRelays {
		return fmt.Errorf("guard: %d relays, %d at most", len(relays), maxRelays)
	}
	harden()
	w := newWatch(relays)
	err := w.serve(socket)
	w.openAll(now())
	for limit := now() + int64(finalLimit); w.anyClosed() && now() < limit; {
		time.Sleep(openAgain)
		w.openAll(now())
	}
	return err
}

// harden keeps away what could stop this process before the program that it guards. Each
// step that needs a privilege is taken where there is one.
func harden() {
	// A supervisor that ends the whole group, SIGABRT of a watchdog included, ends the
	// program; we follow it, after the relays.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGTERM, syscall.SIGPIPE,
		syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
	_ = os.WriteFile("/proc/self/comm", []byte(Name), 0) // for ps, and for process 1 of the appliance
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0)
	// What was paged in stays, so that a machine that thrashes does not slow us down.
	_ = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_ONFAULT)
	runtime.LockOSThread() // a thread has its own priority
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -20)
}

// Name is what the guard's process calls itself.
const Name = "hookswitch-grd" // 15 bytes at most

// watch is the state of every contact. The time is a parameter throughout, CLOCK_MONOTONIC
// in ns.
type watch struct {
	contacts []contact
	ended    uint64 // contacts whose lease has ended, not told yet
}

type contact struct {
	relay  hal.Relay
	closed bool  // driven closed by us, and not known to be open again
	over   bool  // it is to be open, which has failed
	until  int64 // when it is opened, or tried again
}

// newWatch opens every contact. One that can't be is the program's to find out. Those that the
// guard of a program which has just died still has are opened by that guard, and by us then.
func newWatch(relays []hal.Relay) *watch {
	w := &watch{contacts: make([]contact, len(relays))}
	busy := false
	for i, r := range relays {
		w.contacts[i].relay = r
		busy = errors.Is(r.Set(false), hal.ErrBusy) || busy
	}
	for limit := now() + int64(busyLimit); busy && now() < limit; {
		time.Sleep(busyLimit / 50)
		busy = false
		for _, r := range relays {
			busy = errors.Is(r.Set(false), hal.ErrBusy) || busy
		}
	}
	return w
}

// serve returns at the end of file.
func (w *watch) serve(socket int) error {
	var in [requestSize + 1]byte
	out := make([]byte, 0, maxReply)
	fds := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLIN}}
	for {
		fds[0].Revents = 0
		n, err := unix.Poll(fds, w.timeout(now()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("guard: poll: %w", err)
		}
		if n > 0 { // a renewal that is on time counts though it is read late
			n, err := unix.Read(socket, in[:])
			if err != nil && !errors.Is(err, unix.EINTR) {
				return fmt.Errorf("guard: socket: %w", err)
			}
			if err == nil && n == 0 {
				return nil
			}
			if err == nil {
				out = w.answer(in[:n], now()).append(out[:0])
				// The program reads each reply before its next request; if not, it dies or is stopped.
				_, _ = unix.SendmsgN(socket, out, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
				continue
			}
		}
		w.expire(now())
	}
}

// timeout is when a lease ends next, in ms from now as poll(2) takes it.
func (w *watch) timeout(now int64) int {
	next := int64(-1)
	for i := range w.contacts {
		if c := &w.contacts[i]; c.closed && (next < 0 || c.until < next) {
			next = c.until
		}
	}
	if next < 0 {
		return -1
	}
	return int((max(0, next-now) + int64(time.Millisecond) - 1) / int64(time.Millisecond))
}

// answer does what a packet asks for.
func (w *watch) answer(packet []byte, now int64) reply {
	req, ok := parseRequest(packet, len(w.contacts))
	if !ok {
		return reply{status: statusInvalid}
	}
	until := min(req.until, now+int64(Lease))
	if req.op == opRenew { // before anything ends: it may have been on time, and read late
		w.renew(req.relays, until)
	}
	w.expire(now)
	var rep reply
	switch req.op {
	case opClose:
		if until <= now || w.ended&req.relays != 0 {
			rep.status = statusEnded
			break
		}
		rep = w.contacts[first(req.relays)].close(until, now)
	case opOpen:
		rep = w.contacts[first(req.relays)].open(now)
	}
	rep.ended, w.ended = w.ended, 0
	return rep
}

// renew extends the leases of those contacts that have one.
func (w *watch) renew(relays uint64, until int64) {
	for i := range w.contacts {
		if c := &w.contacts[i]; relays&(1<<i) != 0 && c.closed && !c.over {
			c.until = max(c.until, until)
		}
	}
}

// expire opens the contacts whose lease has ended.
func (w *watch) expire(now int64) {
	for i := range w.contacts {
		c := &w.contacts[i]
		if !c.closed || c.until > now {
			continue
		}
		if !c.over {
			w.ended |= 1 << i
		}
		c.open(now)
	}
}

func (w *watch) openAll(now int64) {
	for i := range w.contacts {
		w.contacts[i].open(now)
	}
}

func (w *watch) anyClosed() bool {
	for i := range w.contacts {
		if w.contacts[i].closed {
			return true
		}
	}
	return false
}

// close drives a contact closed. Where that fails it may be closed all the same, and is
// opened.
func (c *contact) close(until, now int64) reply {
	c.closed, c.over, c.until = true, false, until
	if err := c.relay.Set(true); err != nil {
		c.open(now)
		return failed(err)
	}
	return reply{}
}

func failed(err error) reply {
	if errors.Is(err, hal.ErrBusy) {
		return reply{status: statusBusy, text: err.Error()}
	}
	return reply{status: statusFailed, text: err.Error()}
}

// open drives a contact open. One that was closed is tried again until it is.
func (c *contact) open(now int64) reply {
	if err := c.relay.Set(false); err != nil {
		c.over, c.until = true, now+int64(openAgain)
		return failed(err)
	}
	c.closed, c.over = false, false
	return reply{}
}
