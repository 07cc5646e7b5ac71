package sim

import (
	"io"
	"os"
	"sync"
)

// pipeLimit is how much one direction of a port in memory holds before its writer waits;
// about what a pseudo terminal does.
const pipeLimit = 16 << 10

// pipe is one direction of a port in memory.
type pipe struct {
	mu     sync.Mutex // guards what follows
	moved  sync.Cond
	buf    []byte
	closed bool
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 && len(b) > 0 {
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

func (p *pipe) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(b) {
		for len(p.buf) >= pipeLimit && !p.closed {
			p.moved.Wait()
		}
		if p.closed {
			return n, os.ErrClosed
		}
		k := min(len(b)-n, pipeLimit-len(p.buf))
		p.buf = append(p.buf, b[n:n+k]...)
		n += k
		p.moved.Broadcast()
	}
	return n, nil
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.moved.Broadcast()
}

// end is one end of a port in memory. Closing either end closes both.
type end struct {
	in, out *pipe
	single  func() bool // one byte a read; nil: never
}

// newPipe makes a port in memory; single says whether the host reads single bytes now.
func newPipe(single func() bool) (host, modem *end) {
	a, b := &pipe{}, &pipe{}
	a.moved.L, b.moved.L = &a.mu, &b.mu
	return &end{a, b, single}, &end{b, a, nil}
}

func (e *end) present() bool { return true }

func (e *end) Read(b []byte) (int, error) {
	if e.single != nil && len(b) > 1 && e.single() {
		b = b[:1]
	}
	return e.in.read(b)
}

func (e *end) Write(b []byte) (int, error) { return e.out.write(b) }

func (e *end) Close() error {
	e.in.close()
	e.out.close()
	return nil
}
