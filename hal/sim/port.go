package sim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// port is one of a modem's serial ports. Whatever the host does, send never blocks: what
// nobody takes is lost, as a UART loses it.
type port struct {
	l   *Line
	usb bool        // of its own, whose pace is no serial port's
	in  chan []byte // what the host has sent; nil: it has closed the port

	turn sync.Mutex // one opens or closes it at a time

	mu     sync.Mutex // guards what follows
	moved  sync.Cond  // a fault has changed, or the connection is closed
	conn   *conn      // nil: the port is not served
	served bool       // on a pseudo terminal
	link   string     // that points at it
	taken  int        // bytes of this connection
	gone   bool       // the modem has vanished
}

// conn is a port that is open on the modem's side.
type conn struct {
	p    *port
	dev  device
	out  *queue
	quit chan struct{}
	wg   sync.WaitGroup
}

// device carries a port's bytes: the modem's end of a pipe, or the master of a PTY.
type device interface {
	io.ReadWriteCloser
	present() bool // a host has it open
}

var errVanished = fmt.Errorf("sim: the modem has vanished: %w", os.ErrNotExist)

func (p *port) init(l *Line) {
	p.l, p.in = l, make(chan []byte)
	p.moved.L = &p.mu
}

// open connects a host in memory.
func (p *port) open() (io.ReadWriteCloser, error) {
	host, dev := newPipe(func() bool { return p.l.faults().Split })
	if _, err := p.connect(func() (device, error) { return dev, nil }, false, ""); err != nil {
		return nil, err
	}
	return host, nil
}

// connect puts the port on a new device; the one before is closed.
func (p *port) connect(open func() (device, error), served bool, link string) (device, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	c := &conn{p: p, out: newQueue(), quit: make(chan struct{})}
	old, err := p.swap(nil, served, link)
	if err = errors.Join(err, old.close()); err != nil {
		return nil, err
	}
	if c.dev, err = open(); err != nil {
		return nil, err
	}
	_, _ = p.swap(c, served, link)
	c.wg.Go(c.read)
	c.wg.Go(c.write)
	return c.dev, nil
}

func (p *port) swap(c *conn, served bool, link string) (old *conn, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return nil, errVanished
	}
	old, p.conn, p.taken = p.conn, c, 0
	p.served, p.link = served, link
	return old, nil
}

// send gives the host something to read.
func (p *port) send(b []byte, delay time.Duration) {
	p.mu.Lock()
	c := p.conn
	p.mu.Unlock()
	if c != nil && c.dev.present() {
		c.out.put(b, delay)
	}
}

// baud is the pace that characters keep on their way; 0 is none.
func (p *port) baud() int {
	if p.usb {
		return 0
	}
	return p.l.faults().Baud
}

// changed wakes whoever waits for another fault.
func (p *port) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved.Broadcast()
}

// vanish takes the port away; it can't be opened until comeBack.
func (p *port) vanish() error {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	c := p.conn
	p.conn, p.gone = nil, true
	p.mu.Unlock()
	return c.close()
}

func (p *port) comeBack() error {
	p.mu.Lock()
	p.gone = false
	served, link := p.served, p.link
	p.mu.Unlock()
	if !served {
		return nil
	}
	_, err := p.pty(link)
	return err
}

// close ends a connection and waits for its goroutines.
func (c *conn) close() error {
	if c == nil {
		return nil
	}
	close(c.quit)
	err := c.dev.Close()
	c.out.close()
	c.p.changed()
	c.wg.Wait()
	return err
}

// characters is how long n characters of 10 bits take at a baud rate.
func (l *Line) characters(n, baud int) time.Duration {
	return time.Duration(float64(n) * 10 / float64(baud) / l.x.opt.Speed * float64(time.Second))
}

const (
	// pacedChunk is how much is read and written at a time at a true baud rate.
	pacedChunk = 16
	// longestStall is how far behind a machine with too much to do may fall without the wire
	// becoming slower.
	longestStall = 100 * time.Millisecond
)

// read passes on what the host sends.
func (c *conn) read() {
	buf := make([]byte, 4096)
	ready := time.Now() // when the last character has come over the wire
	for c.flows() {
		limit := len(buf)
		if c.p.baud() > 0 {
			limit = pacedChunk
		}
		asked := time.Now()
		n, err := c.dev.Read(buf[:limit])
		if errors.Is(err, errHostLeft) || errors.Is(err, io.EOF) {
			c.out.drop()
			c.deliver(nil)
		}
		if errors.Is(err, errHostLeft) {
			continue
		}
		if err != nil {
			return
		}
		c.count(n)
		if baud := c.p.baud(); baud > 0 {
			took := c.p.l.characters(n, baud)
			// What had to be waited for begins now; what was there follows at once, or each
			// timer that is late would slow the wire down.
			if now := time.Now(); now.Sub(asked) > took || now.Sub(ready) > longestStall {
				ready = now
			}
			ready = ready.Add(took)
			if !c.sleep(time.Until(ready)) {
				return
			}
		}
		if !c.flows() || !c.deliver(append(make([]byte, 0, n), buf[:n]...)) {
			return
		}
	}
}

func (c *conn) count(n int) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.p.taken += n
}

// flows waits while the port is stalled; it is false once the connection is closed.
func (c *conn) flows() bool {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalledLocked() && !c.isClosed() {
		p.moved.Wait()
	}
	return !c.isClosed()
}

// stalledLocked says whether the port takes nothing more; p.mu is held.
func (p *port) stalledLocked() bool {
	f := p.l.faults()
	return f.Stall || p.usb && f.AudioStall != 0 && p.taken >= f.AudioStall
}

func (c *conn) isClosed() bool {
	select {
	case <-c.quit:
		return true
	default:
		return false
	}
}

func (c *conn) deliver(b []byte) bool {
	select {
	case c.p.in <- b:
		return true
	case <-c.quit:
		return false
	}
}

func (c *conn) sleep(d time.Duration) bool {
	if d <= 0 {
		return !c.isClosed()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.quit:
		return false
	}
}

// write sends the host what is due.
func (c *conn) write() {
	var ready time.Time
	for {
		b, due, ok := c.out.take()
		if !ok || !c.sleep(time.Until(due)) {
			return
		}
		split := c.p.l.faults().Split
		if ready.Before(due) {
			ready = due
		}
		for len(b) > 0 {
			n := len(b)
			if baud := c.p.baud(); baud > 0 {
				n = min(n, pacedChunk)
				ready = ready.Add(c.p.l.characters(n, baud))
				if !c.sleep(time.Until(ready)) {
					return
				}
			}
			if split {
				n = 1
			}
			if _, err := c.dev.Write(b[:n]); err != nil {
				break // the host has gone, and what it has not read with it
			}
			b = b[n:]
		}
	}
}

// queue holds what waits to be written to the host.
type queue struct {
	mu     sync.Mutex // guards what follows
	more   sync.Cond
	items  []item
	size   int
	closed bool
}

type item struct {
	b   []byte
	due time.Time
}

// queueLimit is what a driver holds for a host that does not read.
const queueLimit = 64 << 10

func newQueue() *queue {
	q := &queue{}
	q.more.L = &q.mu
	return q
}

func (q *queue) put(b []byte, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.size+len(b) > queueLimit {
		return
	}
	q.size += len(b)
	q.items = append(q.items, item{append([]byte(nil), b...), time.Now().Add(delay)})
	q.more.Signal()
}

func (q *queue) take() ([]byte, time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.more.Wait()
	}
	if q.closed {
		return nil, time.Time{}, false
	}
	it := q.items[0]
	q.items = q.items[1:]
	q.size -= len(it.b)
	return it.b, it.due, true
}

// drop forgets what waits: the host has closed the port.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items, q.size = nil, 0
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}
