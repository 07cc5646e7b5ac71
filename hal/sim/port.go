package sim

import (
	"io"
	"os"
	"sync"
)

// pipeLimit is what a driver buffers before a writer waits.
const pipeLimit = 64 << 10

// pipe is one direction of a port in memory.
type pipe struct {
	mu     sync.Mutex
	moved  sync.Cond
	buf    []byte
	closed bool
	stuck  bool // nobody takes what is written
}

func newPipe() *pipe {
	p := &pipe{}
	p.moved.L = &p.mu
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 || p.stuck {
		if p.closed {
			return 0, io.EOF
		}
		p.moved.Wait()
	}
	n := copy(b, p.buf)
	p.buf = append(p.buf[:0], p.buf[n:]...)
	p.moved.Broadcast()
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) > pipeLimit && !p.closed {
		p.moved.Wait()
	}
	if p.closed {
		return 0, os.ErrClosed
	}
	p.buf = append(p.buf, b...)
	p.moved.Broadcast()
	return len(b), nil
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.moved.Broadcast()
}

// duplex is one end of a port in memory. Closing either end closes both.
type duplex struct{ in, out *pipe }

func newDuplex() (host, device *duplex) {
	a, b := newPipe(), newPipe()
	return &duplex{a, b}, &duplex{b, a}
}

func (d *duplex) Read(b []byte) (int, error)  { return d.in.Read(b) }
func (d *duplex) Write(b []byte) (int, error) { return d.out.Write(b) }
func (d *duplex) Close() error {
	d.in.close()
	d.out.close()
	return nil
}
