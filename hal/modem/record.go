package modem

import (
	"encoding/binary"
	"fmt"
	"io"

	"hookswitch/hal/at"
)

// stopRecording is DLE !, which aborts +VRX (V.253 clause 9).
var stopRecording = []byte{at.DLE, '!'}

// receive starts +VRX; what is heard becomes events of the call.
func (o *operation) receive() (*at.Stream, error) {
	decode, call := o.s.codec.decoder(), o.call
	var samples []int16
	stream, err := o.connect("AT+VRX", func(data []byte) {
		samples = decode(samples[:0], data)
		call.hear(samples)
	}, stopRecording)
	if err != nil {
		return nil, o.lost(err)
	}
	return stream, nil
}

// recordVoice records through a voice modem's +VRX.
func (o *operation) recordVoice(pcm io.Writer) error {
	o.call.listen(true)
	defer o.call.listen(false)
	stream, err := o.receive()
	if err != nil {
		return err
	}
	if err = o.attend(stream.Done(), nil, writeTo(pcm)); err == nil {
		if err = stream.Err(); err == nil {
			err = fmt.Errorf("%w: the modem has stopped recording by itself", ErrRefused)
		}
	}
	o.s.chat.Interrupt()
	_ = o.s.chat.Settle()
	return o.lost(err)
}

// writeTo writes samples as 16-bit little-endian.
func writeTo(w io.Writer) func([]int16) error {
	var buf []byte
	return func(samples []int16) error {
		buf = buf[:0]
		for _, s := range samples {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(s))
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("modem: record: %w", err)
		}
		return nil
	}
}

// recordPCM records what a GSM modem's audio port delivers.
func (o *operation) recordPCM(pcm io.Writer) error {
	o.call.listen(true)
	defer o.call.listen(false)
	if err := o.attend(o.call.pcm.gone, nil, writeTo(pcm)); err != nil {
		return o.lost(err)
	}
	return o.lostSound(o.call.pcm.failure())
}
