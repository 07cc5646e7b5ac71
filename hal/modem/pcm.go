package modem

import (
	"errors"
	"io"
	"time"

	"hookswitch/hal/at"
)

// pcmAhead is how much sound is kept queued in a GSM modem: two frames for the driver, one
// on its way. More becomes delay.
const pcmAhead = 60 * time.Millisecond

// pcmTail is what the module still holds when the last frame is due.
const pcmTail = 100 * time.Millisecond

// heldLimit is how long the audio port may hold sound up in a call, hiccups of USB included,
// before what is heard is in pieces.
const heldLimit = 3 * time.Second

// pcmPort is the audio port of a GSM modem during a call: 16-bit little-endian, 8000 Hz,
// both ways. What it delivers is always read: a port that nobody reads may stop.
type pcmPort struct {
	port io.ReadWriteCloser
	out  *at.Writer
	gone chan struct{} // closed when it delivers no more
	err  error         // why; set before gone is closed
	buf  []byte
	last time.Time     // when what was sent so far has been heard; belongs to the one that plays
	held time.Duration // how long writes have waited in this call
}

// openPCM opens the audio port and passes on what it delivers.
func openPCM(open func() (io.ReadWriteCloser, error), hear func([]int16)) (*pcmPort, error) {
	port, err := open()
	if err != nil {
		return nil, noSoundPort(err)
	}
	p := &pcmPort{port: port, out: at.NewWriter(port), gone: make(chan struct{})}
	go p.read(hear)
	return p, nil
}

func (p *pcmPort) read(hear func([]int16)) {
	defer close(p.gone)
	decode := newLinearDecoder() // a read may end in the middle of a sample
	buf := make([]byte, 10*frameBytes)
	var samples []int16
	for {
		n, err := p.port.Read(buf)
		if n > 0 {
			samples = decode(samples[:0], buf[:n])
			hear(samples)
		}
		if err != nil {
			p.err = err
			return
		}
	}
}

// failure is why the port delivers no more, once gone is closed.
func (p *pcmPort) failure() error {
	return faultf(ErrSound, "the modem's sound port has gone in the call: %v", p.err)
}

// close closes the port and waits for its reader.
func (p *pcmPort) close() {
	_ = p.out.Close()
	limit := time.NewTimer(time.Second) // for a driver that does not let go
	defer limit.Stop()
	select {
	case <-p.gone:
	case <-limit.C:
	}
}

func (p *pcmPort) ended() <-chan struct{} { return p.gone }

// send writes samples. It may wait as long as the driver holds them, a second at most.
func (p *pcmPort) send(samples []int16) error {
	select {
	case <-p.gone:
		return p.failure()
	default:
	}
	p.buf = encodeLinear(p.buf[:0], samples)
	begin := time.Now()
	_, err := p.out.Write(p.buf)
	if waited := time.Since(begin); waited > frameTime { // what is paced by the clock does not wait
		p.held += waited
	}
	switch {
	case errors.Is(err, at.ErrStuck):
		return faultf(ErrSound, "the modem's sound port takes no more sound: it has stalled in the call; "+
			"if that happens again switch the modem off for 5 s, or change its firmware")
	case err != nil:
		return faultf(ErrSound, "the modem's sound port has gone in the call: %v", err)
	case p.held > heldLimit:
		return faultf(ErrSound, "the modem's sound port takes sound more slowly than it is spoken: set the module to 8000 Hz, "+
			"or switch it off for 5 s")
	}
	return nil
}

// playPCM plays through the audio port. There is no way to drop what is queued: it is
// never more than pcmAhead, what an interrupted Play before has left there included.
func (o *operation) playPCM(pcm io.Reader) (time.Duration, error) {
	p := newPacer(pcmAhead)
	p.start = p.start.Add(max(0, time.Until(o.call.pcm.last)))
	defer func() { o.call.pcm.last = p.start.Add(p.sent) }()
	if err := o.pump(pcm, o.call.pcm, p); err != nil {
		return p.sent, o.lostSound(err) // what is queued is still heard
	}
	rest := time.NewTimer(p.left() + pcmTail)
	defer rest.Stop()
	if err := o.attend(nil, rest.C, nil); err != nil {
		return p.heard(), o.lost(err)
	}
	return p.sent, nil
}

// goneTogether is how long after its audio port an unplugged modem's command port may go.
const goneTogether = 500 * time.Millisecond

// lostSound is lost, but for an audio port that has gone with its modem: then that is what
// has happened.
func (o *operation) lostSound(err error) error {
	if errors.Is(err, ErrSound) {
		timer := time.NewTimer(goneTogether)
		defer timer.Stop()
		select {
		case <-o.s.chat.Gone():
			err = o.s.chat.Err()
		case <-o.ctx.Done():
		case <-timer.C:
		}
	}
	return o.lost(err)
}
