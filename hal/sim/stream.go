package sim

import "time"

// Codes of V.253 §9 that follow a DLE.
const (
	dle = 0x10
	etx = 0x03 // end of the voice data
	sub = 0x1a // two data bytes DLE
	can = 0x18 // to the modem: forget what is queued
	esc = 0x1b
)

// stream is voice data under way: +VTX, +VRX or both, +VTR.
type stream struct {
	tx, rx  bool
	codec   codec
	escaped bool
	queue   []int16
	ending  bool // <DLE><ETX> has come, what is queued plays out
	primed  bool // enough is queued to begin
	paused  bool
	began   time.Duration
	fresh   time.Duration // when the first sample after silence came
	dry     bool          // an underrun has been told

	spoke bool          // +VSD: there was sound
	quiet time.Duration // and none for so long
}

const (
	txBuffer   = rate / 2 // samples that a modem holds, more waits in the port
	txPrime    = 3 * frameSamples
	txPatience = 100 * time.Millisecond // from the first sample: then it plays what there is
	txSilence  = 500 * time.Millisecond // without a sample after CONNECT is an underrun too
)

// startStream is +VTX, +VRX or +VTR.
func (v *voiceModem) startStream(c command) result {
	switch {
	case c.op == 't':
		return ok
	case c.op != 0 || v.class != 8 || v.vls == 0:
		return fail
	}
	v.stream = stream{tx: c.name != "+VRX", rx: c.name != "+VTX", codec: codec{f: v.form}, began: v.now}
	v.final(connect)
	v.mode = streaming
	return later
}

// take eats voice data until the modem is full.
func (s *stream) take(v *voiceModem, b []byte) (n int) {
	for n < len(b) && v.mode == streaming {
		if s.tx && !s.escaped && b[n] != dle && len(s.queue) >= txBuffer && !s.ending && v.faults().Buffer == 0 {
			break
		}
		s.character(v, b[n])
		n++
	}
	v.log.add('>', b[:n], true)
	return n
}

func (s *stream) character(v *voiceModem, b byte) {
	switch {
	case !s.escaped && b == dle:
		s.escaped = true
	case !s.escaped:
		s.sample(v, b)
	default:
		s.escaped = false
		s.code(v, b)
	}
}

// sample takes a byte of voice data; what comes after the end of it is lost.
func (s *stream) sample(v *voiceModem, b byte) {
	if !s.tx || s.ending {
		return
	}
	if most := v.faults().Buffer; most > 0 && len(s.queue)*s.codec.f.bits/8 >= most {
		v.lose()
		return
	}
	if len(s.queue) == 0 {
		s.fresh = v.now
	}
	s.queue = s.codec.decode(s.queue, b)
}

// code takes what follows a DLE.
func (s *stream) code(v *voiceModem, b byte) {
	switch {
	case b == dle:
		s.sample(v, dle)
	case b == sub:
		s.sample(v, dle)
		s.sample(v, dle)
	case v.faults().Wedged:
	case b == can:
		s.queue = s.queue[:0]
		if s.ending {
			s.end(v)
		}
	case b == 'p', b == 'r':
		s.paused = b == 'p'
	case b == etx && s.tx:
		s.ending, s.paused = true, false
		if len(s.queue) == 0 {
			s.end(v)
		}
	case b == '!', b == esc, b == '^', b == etx:
		s.end(v)
	}
}

// end goes back to commands.
func (s *stream) end(v *voiceModem) {
	if s.rx {
		v.event(etx)
	}
	v.mode, v.stream = idle, stream{}
	v.final(ok)
}

// send fills a frame for the line.
func (s *stream) send(v *voiceModem, said []int16) {
	if s.paused {
		return
	}
	if !s.primed {
		s.primed = len(s.queue) >= txPrime || s.ending || len(s.queue) > 0 && v.now-s.fresh >= txPatience
		if !s.primed {
			if len(s.queue) == 0 && v.now-s.began >= txSilence {
				s.starve(v, false)
			}
			return
		}
	}
	n := copy(said, s.queue)
	s.queue = append(s.queue[:0], s.queue[n:]...)
	switch {
	case s.ending && len(s.queue) == 0:
		v.after(0, false, func() { s.end(v) })
	case n < len(said):
		s.primed = false
		s.starve(v, true)
	default:
		s.dry = false
	}
}

// starve tells the host that sound has run dry, once.
func (s *stream) starve(v *voiceModem, playing bool) {
	if s.dry {
		return
	}
	s.dry = true
	v.event('u')
	if playing {
		v.underrun()
	}
}

// streamFrame gives the host what comes from the line.
func (v *voiceModem) streamFrame(heard []int16, what sound) {
	s := &v.stream
	if !s.rx {
		return
	}
	data := s.codec.encode(nil, heard)
	out := make([]byte, 0, len(data)+8)
	for _, b := range data {
		if b == dle {
			out = append(out, dle)
		}
		out = append(out, b)
	}
	v.emit(out, true)
	s.silence(v, what)
}

// silence is +VSD: it reports silence after sound as q, silence from the start as s.
func (s *stream) silence(v *voiceModem, what sound) {
	most := 50
	if set, is := v.set["+VSD"]; is {
		most = set[1]
	}
	if what.kind != quiet || what.key != 0 {
		s.spoke, s.quiet = true, 0
		return
	}
	s.quiet += frameTime
	if limit := time.Duration(most) * 100 * time.Millisecond; most == 0 || s.quiet%limit != 0 {
		return
	}
	if s.spoke {
		v.event('q')
	} else {
		v.event('s')
	}
}
