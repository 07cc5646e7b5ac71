package modem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"hookswitch/hal/at"
)

const (
	rate = 8000 // samples a second
	// frameTime is how much sound is written at a time: short enough that a write which has
	// to wait does not delay a hang-up.
	frameTime  = 20 * time.Millisecond
	frameBytes = int(frameTime * rate / time.Second * 2)
	// endMargin is how long a modem may take to say that it has played the last sample.
	endMargin = 2 * time.Second
	endAgain  = time.Second
)

// stopPlaying is DLE CAN, to drop what is queued, and DLE ETX, the end (V.253 clause 9).
var stopPlaying = []byte{at.DLE, at.CAN, at.DLE, at.ETX}

// pacer says how much of a stream has been heard and when more may be sent, by an absolute
// clock: errors of single waits don't add up.
type pacer struct {
	start time.Time // when the first sample was, or would have been, heard if nothing had been lost
	sent  time.Duration
	dried time.Time // when the receiver last said that it had nothing to play
	ahead time.Duration
}

func newPacer(ahead time.Duration) *pacer { return &pacer{start: time.Now(), ahead: ahead} }

// add notes sound as sent. What comes after the end of what was queued is heard at once.
func (p *pacer) add(d time.Duration) {
	if now := time.Now(); now.Sub(p.start) > p.sent {
		p.start = now.Add(-p.sent)
	}
	p.sent += d
}

// ranDry notes an underrun: whatever the clock says, nothing is queued. A receiver that
// goes on saying so is not believed before it can have played what it was sent then.
func (p *pacer) ranDry() {
	now := time.Now()
	if p.sent == 0 || now.Sub(p.dried) < p.ahead {
		return
	}
	p.dried = now
	if now.Sub(p.start) < p.sent {
		p.start = now.Add(-p.sent)
	}
}

// wait is the time until the next frame may be sent.
func (p *pacer) wait() time.Duration { return p.sent - p.ahead - time.Since(p.start) }

// heard is how much has been heard.
func (p *pacer) heard() time.Duration { return min(p.sent, max(0, time.Since(p.start))) }

// left is how much is still to be heard.
func (p *pacer) left() time.Duration { return p.sent - p.heard() }

// sink takes sound on its way to the far end.
type sink interface {
	send(samples []int16) error
	ended() <-chan struct{} // closed when no more is taken
}

// pump sends pcm frame by frame until its end, the call's or the operation's.
func (o *operation) pump(pcm io.Reader, to sink, p *pacer) error {
	o.call.listen(true)
	defer o.call.listen(false)
	timer := time.NewTimer(0)
	defer timer.Stop()
	frame := make([]byte, frameBytes)
	samples := make([]int16, 0, frameBytes/2)
	for {
		n, err := io.ReadFull(pcm, frame)
		samples = samples[:0]
		for i := 0; i+1 < n; i += 2 {
			samples = append(samples, int16(binary.LittleEndian.Uint16(frame[i:])))
		}
		if len(samples) > 0 {
			if err := to.send(samples); err != nil {
				return err
			}
			p.add(time.Duration(len(samples)) * time.Second / rate)
		}
		if err != nil {
			return endOf(err)
		}
		timer.Reset(p.wait())
		if err := o.attend(to.ended(), timer.C, nil); err != nil {
			return err
		}
		if o.dry {
			o.dry = false
			p.ranDry()
		}
	}
}

// endOf is nil at the end of a message.
func endOf(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return fmt.Errorf("modem: message: %w", err)
}

// playVoice plays through a voice modem's +VTX.
func (o *operation) playVoice(pcm io.Reader) (time.Duration, error) {
	stream, err := o.connect("AT+VTX", nil, stopPlaying)
	if err != nil {
		switch err = o.lost(err); {
		case errors.Is(err, ErrRefused):
			none := faultf(ErrSound, "no sound: the modem refuses to play (%s)", strings.TrimPrefix(err.Error(), refusedCommand))
			err = fmt.Errorf("%w: %w", none, err)
		case errors.Is(err, ErrTimeout):
			none := faultf(ErrSound, "no sound: the modem does not begin to play (no CONNECT to AT+VTX): switch it off for 5 s")
			err = fmt.Errorf("%w: %w", none, err)
		}
		return 0, err
	}
	p := newPacer(o.s.queueAhead())
	err = o.pump(pcm, &voiceSink{stream: stream, encode: o.s.codec.encoder()}, p)
	if err == nil {
		err = o.playOut(stream, p)
	}
	if err != nil {
		heard := p.heard()
		o.s.chat.Interrupt()
		_ = o.s.chat.Settle()
		return heard, o.lost(err)
	}
	return p.sent, nil
}

// lost is why a stream has ended: the end of the call or of the operation, where there is
// one, explains all else.
func (o *operation) lost(err error) error {
	if why := o.call.why(); why != nil && o.ctx.Err() == nil {
		return why
	}
	err = o.explain(err)
	if errors.Is(err, ErrNoCarrier) || errors.Is(err, ErrBusy) { // as a result code: the modem is on-hook
		o.call.end(err)
		return o.call.why()
	}
	return err
}

// playOut says that there is no more and waits until the far end has heard it all. A modem
// that does not confirm may sit behind an odd DLE: it is told again.
func (o *operation) playOut(stream *at.Stream, p *pacer) error {
	for _, limit := range []time.Duration{p.left() + endMargin, endAgain} {
		if err := stream.Code(at.ETX); err != nil {
			return explain("play", err)
		}
		timer := time.NewTimer(limit)
		err := o.attend(stream.Done(), timer.C, nil)
		timer.Stop()
		if err != nil {
			return err
		}
		select {
		case <-stream.Done():
			if err := stream.Err(); err != nil {
				return explain("play", err)
			}
			rest := time.NewTimer(p.left()) // some confirm before the last sample is on the line
			defer rest.Stop()
			return o.attend(nil, rest.C, nil)
		default:
		}
	}
	return faultf(ErrTimeout, "the modem was sent the whole message and does not say that it has played it: "+
		"it may have been heard in part only")
}

// voiceSink is a voice modem in +VTX.
type voiceSink struct {
	stream *at.Stream
	encode encoder
	buf    []byte
}

func (v *voiceSink) ended() <-chan struct{} { return v.stream.Done() }

func (v *voiceSink) send(samples []int16) error {
	v.buf = v.encode(v.buf[:0], samples)
	err := v.stream.Send(v.buf)
	if !errors.Is(err, at.ErrEnded) {
		return explain("play", err)
	}
	select {
	case <-v.stream.Done():
		if err := v.stream.Err(); err != nil {
			return explain("play", err)
		}
	default:
	}
	return faultf(ErrRefused, "the modem has stopped playing by itself, and the message was heard in part only: "+
		"if that happens again, switch it off for 5 s")
}
