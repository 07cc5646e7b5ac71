// Package iax is the far side of an IAX2 trunk (RFC 5456), as little of it as iaxmodem
// needs: an exchange for a modem that is not ours, so that hal/at and hal/modem are not
// proved by hal/sim alone.
//
//	hal/at ── PTY ── iaxmodem ── IAX2 over UDP ── Peer
package iax

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// Event is what a Peer does in a call: RFC 5456 §8.3's control frames, and the two ways to
// end it.
type Event byte

// The events of a call.
const (
	Hangup     Event = 1
	Ringing    Event = 3
	Answer     Event = 4
	Busy       Event = 5
	Congestion Event = 8
	Reject     Event = 0xff // instead of accepting the call
)

// Step is an event so long after the one before, or after the call.
type Step struct {
	After time.Duration
	Event Event
	Cause byte   // of a Hangup (ITU-T Q.850); 0 is none
	Told  func() // called once the modem has acknowledged it; may be nil
}

// Peer answers calls and makes them.
type Peer struct {
	conn   *net.UDPConn
	script func(called string) []Step
	done   chan struct{}

	mu     sync.Mutex // guards what follows
	calls  map[uint16]*call
	next   uint16
	hangup chan string
}

// call is one call; its number on our side is its key in Peer.calls.
type call struct {
	own, their uint16
	to         *net.UDPAddr
	called     string
	began      time.Time
	last       uint32 // time stamp of our last frame
	out, in    byte   // sequence numbers: of our next frame, of the one that we expect
	steps      []Step
	due        time.Time
	told       map[uint32]func() // by the time stamp of the frame
}

// Frame types and subclasses (RFC 5456 §8.1, §8.4) and information elements (§8.6).
const (
	typeControl, typeIAX                                  = 4, 6
	iaxNew, iaxPing, iaxPong, iaxAck, iaxHangup, iaxRejct = 1, 2, 3, 4, 5, 6
	iaxAccept, iaxInval, iaxLagRq, iaxLagRp, iaxVNAK      = 7, 10, 11, 12, 18
	ieCalled, ieCalling, ieName                           = 1, 2, 4
	ieCapability, ieFormat, ieVersion, ieCause            = 8, 9, 11, 42
	slinear                                               = 1 << 6
)

// Listen starts a peer on a free UDP port of the loopback interface. script says what
// becomes of a call to a number.
func Listen(script func(called string) []Step) (*Peer, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("iax: %w", err)
	}
	p := &Peer{conn: conn, script: script, done: make(chan struct{}), calls: map[uint16]*call{}, next: 1, hangup: make(chan string, 16)}
	go p.run()
	return p, nil
}

// Addr is where the peer listens: host and port.
func (p *Peer) Addr() string { return p.conn.LocalAddr().String() }

// Hangups delivers the called number of each call that the modem hangs up.
func (p *Peer) Hangups() <-chan string { return p.hangup }

// Close stops the peer and waits.
func (p *Peer) Close() error {
	err := p.conn.Close()
	<-p.done
	return err
}

// Call rings a modem on a UDP port of this machine; steps follow.
func (p *Peer) Call(port int, number, name, called string, steps ...Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.newCallLocked(&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, called, steps)
	p.send(c, typeIAX, iaxNew, ie(ieVersion, 0, 2), ie(ieCalled, []byte(called)...), ie(ieCalling, []byte(number)...),
		ie(ieName, []byte(name)...), ie(ieFormat, 0, 0, 0, slinear), ie(ieCapability, 0, 0, 0, slinear))
	_ = p.conn.SetReadDeadline(time.Now()) // there are steps to be timed
}

func (p *Peer) newCallLocked(to *net.UDPAddr, called string, steps []Step) *call {
	c := &call{own: p.next, to: to, called: called, began: time.Now(), steps: steps, told: map[uint32]func(){}}
	p.next++
	p.calls[c.own] = c
	if len(steps) > 0 {
		c.due = c.began.Add(steps[0].After)
	}
	return c
}

func ie(kind byte, data ...byte) []byte { return append([]byte{kind, byte(len(data))}, data...) }

// run reads frames and takes the steps that are due in between.
func (p *Peer) run() {
	defer close(p.done)
	buf := make([]byte, 4096)
	for {
		_ = p.conn.SetReadDeadline(p.step())
		n, from, err := p.conn.ReadFromUDP(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			return
		case n >= 12 && buf[0]&0x80 != 0: // mini frames are sound
			p.frame(buf[:n], from)
		}
	}
}

// step takes the steps that are due and returns when the next one is.
func (p *Peer) step() (next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	next = now.Add(time.Hour)
	for _, c := range p.calls {
		for len(c.steps) > 0 && !c.due.After(now) {
			s := c.steps[0]
			if c.steps = c.steps[1:]; len(c.steps) > 0 {
				c.due = c.due.Add(c.steps[0].After)
			}
			p.do(c, s)
		}
		if len(c.steps) > 0 && c.due.Before(next) {
			next = c.due
		}
	}
	return next
}

func (p *Peer) do(c *call, s Step) {
	if s.Event != Hangup {
		p.send(c, typeControl, byte(s.Event))
		c.told[c.last] = s.Told
		return
	}
	if s.Cause != 0 {
		p.send(c, typeIAX, iaxHangup, ie(ieCause, s.Cause))
	} else {
		p.send(c, typeIAX, iaxHangup)
	}
	c.steps = nil
}

// send sends a full frame (RFC 5456 §8.1.1).
func (p *Peer) send(c *call, kind, subclass byte, ies ...[]byte) {
	stamp := max(uint32(time.Since(c.began).Milliseconds()), c.last+3)
	c.last = stamp
	p.write(c, stamp, kind, subclass, ies...)
	c.out++
}

func (p *Peer) write(c *call, stamp uint32, kind, subclass byte, ies ...[]byte) {
	b := binary.BigEndian.AppendUint16(nil, 0x8000|c.own)
	b = binary.BigEndian.AppendUint16(b, c.their)
	b = binary.BigEndian.AppendUint32(b, stamp)
	b = append(b, c.out, c.in, kind, subclass)
	for _, e := range ies {
		b = append(b, e...)
	}
	_, _ = p.conn.WriteToUDP(b, c.to) // as unreliable as UDP is
}

// frame takes a full frame.
func (p *Peer) frame(b []byte, from *net.UDPAddr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	their, own := binary.BigEndian.Uint16(b)&0x7fff, binary.BigEndian.Uint16(b[2:])&0x7fff
	stamp, seq, kind, subclass := binary.BigEndian.Uint32(b[4:]), b[8], b[10], b[11]
	if kind == typeIAX && subclass == iaxNew {
		p.accept(their, from, b[12:], stamp)
		return
	}
	c := p.calls[own]
	if c != nil && kind == typeIAX && subclass == iaxAck {
		if told := c.told[stamp]; told != nil {
			delete(c.told, stamp)
			told()
		}
	}
	if c == nil || kind == typeIAX && (subclass == iaxAck || subclass == iaxInval || subclass == iaxVNAK) {
		return
	}
	if c.their = their; seq != c.in { // once more: our ACK was lost
		p.write(c, stamp, typeIAX, iaxAck)
		return
	}
	c.in++
	switch {
	case kind == typeIAX && subclass == iaxPing:
		p.write(c, stamp, typeIAX, iaxPong)
		c.out++
	case kind == typeIAX && subclass == iaxLagRq:
		p.write(c, stamp, typeIAX, iaxLagRp)
		c.out++
	case kind == typeIAX && (subclass == iaxHangup || subclass == iaxRejct):
		p.write(c, stamp, typeIAX, iaxAck)
		delete(p.calls, own)
		p.hangup <- c.called
	default:
		p.write(c, stamp, typeIAX, iaxAck)
	}
}

// accept takes a call from the modem.
func (p *Peer) accept(their uint16, from *net.UDPAddr, ies []byte, stamp uint32) {
	for _, c := range p.calls {
		if c.their == their && c.to.Port == from.Port {
			return // once more
		}
	}
	called := ""
	for len(ies) >= 2 && len(ies) >= 2+int(ies[1]) {
		if ies[0] == ieCalled {
			called = string(ies[2 : 2+ies[1]])
		}
		ies = ies[2+ies[1]:]
	}
	c := p.newCallLocked(from, called, p.script(called))
	c.their, c.in, c.last = their, 1, stamp
	if len(c.steps) > 0 && c.steps[0].Event == Reject {
		p.send(c, typeIAX, iaxRejct, ie(ieCause, 1))
		delete(p.calls, c.own)
		return
	}
	p.send(c, typeIAX, iaxAccept, ie(ieFormat, 0, 0, 0, slinear))
}
