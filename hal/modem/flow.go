package modem

import (
	"context"
	"time"
)

// rtsCTS is a port that can be told to heed RTS and CTS. It refuses where the other side
// does not show CTS: a port without these lines would never send again.
type rtsCTS interface{ SetRTSCTS(on bool) error }

// flowCommands switch a modem's side to RTS/CTS: V.250 §6.2.12, most chip makers, and voice
// mode of some. Modems refuse those that they don't have.
var flowCommands = []string{"AT+IFC=2,2", "AT&K3", "AT+FLO=2"}

// startFlow switches RTS/CTS on where port and modem have it. A modem that no longer answers
// then has lines that are not what they seem: it goes on without.
func (s *session) startFlow(ctx context.Context) error {
	s.flow = false
	port, ok := s.port.(rtsCTS)
	if !ok || port.SetRTSCTS(true) != nil {
		return nil
	}
	for _, cmd := range flowCommands {
		s.flow = s.tell(ctx, cmd) || s.flow
	}
	if err := s.must(ctx, "AT"); err != nil || !s.flow {
		s.flow = false
		_ = port.SetRTSCTS(false)
		return s.must(ctx, "AT")
	}
	return nil
}

const (
	// unheldBuffer is how much of the 2 KiB that the smallest modems hold is used where no
	// flow control keeps the rest from being lost. What is left is for clocks that differ, by
	// 80 ppm in a call of twenty minutes, and for a modem that begins late.
	unheldBuffer = 1280
	// ahead is how much sound is kept queued in a voice modem with flow control: their
	// buffers are 1 to 4 kB.
	ahead = 240 * time.Millisecond
)

// queueAhead is how much sound is kept queued in a voice modem.
func (s *session) queueAhead() time.Duration {
	keep := ahead
	if own := s.dialect.Ahead; own > 0 {
		keep = own
	}
	if s.flow || s.codec.bytes == 0 {
		return keep
	}
	held := time.Duration(unheldBuffer / (s.codec.bytes * rate) * float64(time.Second))
	return min(keep, held-frameTime) // a frame is sent when less than that is queued
}
