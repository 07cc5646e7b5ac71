package sim

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"

	"hookswitch/hal"
)

// Line is one modem with its line. One goroutine is the modem: it takes the host's bytes
// and the frames of the line in turn, so that nothing of its state needs a lock.
type Line struct {
	x    *Exchange
	name string
	gsm  bool

	host chan []byte // what the host sends on the AT port
	pcm  chan []byte // and on the audio port
	quit chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	at      io.ReadWriteCloser
	audio   io.ReadWriteCloser
	files   []*os.File
	wired   bool // somebody has asked for the relay: it stands in the loop
	closed  bool // the relay
	offHook bool // the modem
	heard   []int16
	fault   Faults
}

// Faults of a line, switched on and off while it works.
type Faults struct {
	Mute       bool   // the modem answers nothing
	NoDialTone bool   // the exchange is dead
	Refuse     string // ERROR to every command that contains this
	Split      bool   // every byte is a read of its own
}

func newLine(x *Exchange, name string, gsm bool) *Line {
	l := &Line{x: x, name: name, gsm: gsm, host: make(chan []byte, 64), pcm: make(chan []byte, 64), quit: make(chan struct{})}
	l.wg.Go(func() {
		if gsm {
			newGSMModem(l).run()
		} else {
			newVoiceModem(l).run()
		}
	})
	return l
}

func (l *Line) close() {
	close(l.quit)
	l.mu.Lock()
	for _, p := range []io.Closer{l.at, l.audio} {
		if d, ok := p.(io.Closer); ok && d != nil {
			_ = d.Close()
		}
	}
	for _, f := range l.files {
		_ = f.Close()
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// Port is the modem's AT port in memory, for synctest bubbles. Each call opens it anew.
func (l *Line) Port() (io.ReadWriteCloser, error) {
	host, device := newDuplex()
	l.plug(&l.at, device, l.host)
	return host, nil
}

// PCM is the GSM modem's audio port in memory.
func (l *Line) PCM() (io.ReadWriteCloser, error) {
	host, device := newDuplex()
	l.plug(&l.audio, device, l.pcm)
	return host, nil
}

// PTY serves the AT port on a pseudo terminal and returns its path.
func (l *Line) PTY() (string, error) { return l.openPTY(&l.at, l.host) }

// PCMPTY serves the audio port on a pseudo terminal and returns its path.
func (l *Line) PCMPTY() (string, error) { return l.openPTY(&l.audio, l.pcm) }

func (l *Line) openPTY(slot *io.ReadWriteCloser, to chan []byte) (string, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return "", err
	}
	if err := raw(slave); err != nil {
		return "", err
	}
	l.mu.Lock()
	l.files = append(l.files, slave) // kept open: else the master sees a hang-up between two users
	l.mu.Unlock()
	l.plug(slot, master, to)
	return slave.Name(), nil
}

// plug connects a port; what the host sends goes to the modem's goroutine.
func (l *Line) plug(slot *io.ReadWriteCloser, device io.ReadWriteCloser, to chan []byte) {
	l.mu.Lock()
	old := *slot
	*slot = device
	l.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	l.wg.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := device.Read(buf)
			if n > 0 {
				select {
				case to <- append([]byte(nil), buf[:n]...):
				case <-l.quit:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
}

// say sends bytes to the host on the AT port.
func (l *Line) say(b []byte) {
	l.mu.Lock()
	port, fault := l.at, l.fault
	l.mu.Unlock()
	if port == nil || fault.Mute || len(b) == 0 {
		return
	}
	if l.x.opt.Trace != nil {
		l.x.opt.Trace(l.name, false, b)
	}
	if !fault.Split {
		_, _ = port.Write(b)
		return
	}
	for i := range b {
		_, _ = port.Write(b[i : i+1])
	}
}

// Fault changes what is wrong with the line.
func (l *Line) Fault(f Faults) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = f
}

func (l *Line) faults() Faults {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// Vanish unplugs the modem; Port, or PTY, plugs it in again.
func (l *Line) Vanish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at != nil {
		_ = l.at.Close()
	}
	for _, f := range l.files {
		_ = f.Close()
	}
	l.files = nil
}

// contact is the hook relay as hal sees it.
type contact struct{ l *Line }

func (c contact) Set(closed bool) error {
	c.l.mu.Lock()
	changed := c.l.closed != closed
	c.l.closed = closed
	c.l.mu.Unlock()
	if changed && c.l.x.opt.Edge != nil {
		c.l.x.opt.Edge(c.l.name, closed)
	}
	return nil
}

// Relay is the hook relay in series with the modem: current flows only when it is closed.
func (l *Line) Relay() hal.Relay {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wired = true
	return contact{l}
}

type input func() bool

func (i input) Read() (bool, error) { return i(), nil }

// Loop is the loop-current detector.
func (l *Line) Loop() hal.Input { return input(l.OffHook) }

// Ring is the ring detector; nobody calls this exchange's lines yet.
func (l *Line) Ring() hal.Input { return input(func() bool { return false }) }

// OffHook says whether the exchange sees the line off-hook (loop current flows, or a GSM
// call is up).
func (l *Line) OffHook() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.offHook && (l.closed || !l.wired)
}

func (l *Line) setOffHook(off bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.offHook = off
}

// Heard is what the far end of the latest call has heard: 8000 Hz samples after unshielding
// and decoding. It is complete when the call is over.
func (l *Line) Heard() []int16 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

// clock moves a line by frames. A ticker of a busy machine drops ticks; the line does not.
type clock struct {
	t     *time.Ticker
	every time.Duration
	begin time.Time
	moved int // frames since begin
}

func (x *Exchange) newClock() *clock {
	every := time.Duration(float64(tick) / x.opt.Speed)
	t := time.NewTicker(every)
	t.Stop()
	return &clock{t: t, every: every}
}

func (c *clock) start() {
	c.t.Reset(c.every)
	c.begin, c.moved = time.Now(), 0
}

func (c *clock) stop() { c.t.Stop() }

// due is how many frames the line is to be moved by now.
func (c *clock) due() int {
	n := int(time.Since(c.begin)/c.every) - c.moved
	c.moved += n
	return min(n, 100)
}
