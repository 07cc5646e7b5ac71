package at

import (
	"context"
	"errors"
	"time"
)

// ErrEnded is returned by Send when the modem has left voice data mode: what would be sent
// would be read as commands.
var ErrEnded = errors.New("at: voice stream has ended")

// Stream is a modem in voice data mode, from CONNECT to its final result code.
type Stream struct {
	c     *Chat
	j     *job
	abort []byte
	sound func(p []byte)
	buf   []byte
}

// Connect sends cmd (AT+VTX, AT+VRX, AT+VTR) and returns when the modem has answered with
// exactly CONNECT; an OK is not taken for it. The sound of a stream that has any is given
// to sound, unshielded, from the goroutine that Config's functions are called from; nil is
// for a stream to the modem only. abort is what Interrupt sends.
func (c *Chat) Connect(ctx context.Context, cmd string, sound func(p []byte), abort []byte) (*Stream, error) {
	s := &Stream{c: c, abort: abort, sound: sound}
	s.j = &job{cmd: cmd, kind: stream, stream: s}
	if err := c.start(ctx, s.j); err != nil {
		return nil, err
	}
	limit := time.NewTimer(limitOf(cmd))
	defer limit.Stop()
	select {
	case <-s.j.connected:
		return s, nil
	case <-s.j.done:
		select {
		case <-s.j.connected: // and has ended already
			return s, nil
		default:
			return nil, s.j.err
		}
	case <-ctx.Done():
		_ = c.Settle()
		return nil, wrap(cmd, causeOf(ctx))
	case <-limit.C:
		c.giveUp(s.j, ErrTimeout)
		return nil, wrap(cmd, ErrTimeout)
	}
}

// Send shields sound and writes it. It may block as long as the modem holds its flow control,
// a second at most.
func (s *Stream) Send(p []byte) error {
	s.c.mu.Lock()
	open := s.c.job == s.j && !s.j.aborted
	s.c.mu.Unlock()
	if !open {
		return ErrEnded
	}
	s.buf = Shield(s.buf[:0], p)
	return s.c.writeUntraced(s.buf)
}

// Code sends DLE codes: ETX after the last sound, CAN to drop what is not yet played.
func (s *Stream) Code(codes ...byte) error {
	b := make([]byte, 0, 2*len(codes))
	for _, code := range codes {
		b = append(b, DLE, code)
	}
	s.c.mu.Lock()
	s.j.told = true
	s.c.mu.Unlock()
	return s.c.write(b)
}

// Done is closed when the modem has left voice data mode, asked or not.
func (s *Stream) Done() <-chan struct{} { return s.j.done }

// Err is why the stream ended, valid once Done is closed: nil after OK or VCON, an *Error
// after any other final result code.
func (s *Stream) Err() error { return s.j.err }
