package modem

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"hookswitch/hal/at"
)

const (
	rate       = 8000                   // samples a second
	chunk      = 20 * time.Millisecond  // written at a time: a write that blocks is short
	ahead      = 300 * time.Millisecond // kept queued in a voice modem
	dialLimit  = 75 * time.Second       // S7=60, and the digits
	streamWait = time.Second            // for the OK after the end of a stream that we cut
)

// initVoice makes sure of voice mode and chooses the voice format.
func (m *Modem) initVoice(ctx context.Context, chat *at.Chat, d Dialect) error {
	if _, err := chat.Command(ctx, setLimit, at.Cmd{Text: "AT+FCLASS=8"}); err != nil {
		if !refused(err) {
			return explain("voice mode", err)
		}
		classes, _ := chat.Command(ctx, setLimit, at.Cmd{Text: "AT+FCLASS=?", Prefix: at.Any})
		return fmt.Errorf("%w: this is not a voice modem (AT+FCLASS=? says %q): get one that lists 8", ErrNoService, strings.Join(classes, " "))
	}
	c, vsm, err := m.chooseCodec(ctx, chat, d)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.codec, m.dialect.VSM = c, vsm
	m.mu.Unlock()
	return nil
}

// chooseCodec selects the voice format: the dialect's, if the modem takes it, else the best
// of the modem's list.
func (m *Modem) chooseCodec(ctx context.Context, chat *at.Chat, d Dialect) (codec, string, error) {
	set := func(cmd string) error {
		_, err := chat.Command(ctx, setLimit, at.Cmd{Text: cmd})
		return err
	}
	if d.VSM != "" && set(d.VSM) == nil {
		c, _ := codecNamed(d.Codec)
		return c, d.VSM, nil
	}
	info, err := chat.Command(ctx, setLimit, at.Cmd{Text: "AT+VSM=?", Prefix: at.Any})
	if err != nil && !refused(err) {
		return codec{}, "", explain("voice formats", err)
	}
	list := parseVSM(info)
	if err != nil { // it keeps its list to itself: V.253 table 17 has one for all
		list = vsmRanges("0-1,8000-8000")
	}
	f, c, ok := chooseFormat(list)
	if !ok {
		return codec{}, "", fmt.Errorf("%w: none of its voice formats is one that this board speaks at 8000 Hz: %q", ErrNoService, info)
	}
	for _, cmd := range []string{"AT+VSM=" + f.id + ",8000", "AT+VSM=" + f.id + ",8000,0,0"} {
		if err = set(cmd); err == nil {
			return c, cmd, nil
		}
	}
	return codec{}, "", explain("voice format", err)
}

func refused(err error) bool {
	var result *at.ResultError
	return errors.As(err, &result)
}

// dialVoice dials and waits for the modem's word. No byte may be sent meanwhile: it would
// abort the call.
func (m *Modem) dialVoice(ctx context.Context, op *operation, number string) (Answer, error) {
	// A modem that has fallen out of voice mode must fail before a telephone rings.
	for _, cmd := range []string{"AT+FCLASS=8", op.d.VSM} {
		if _, err := op.chat.Command(ctx, setLimit, at.Cmd{Text: cmd}); err != nil {
			return "", explain("dial", err)
		}
	}
	_, err := op.chat.Command(ctx, dialLimit, at.Cmd{Text: "ATDT" + strings.TrimPrefix(number, "+"), Dial: true})
	if err != nil {
		return "", explain("dial", err)
	}
	_, _ = op.chat.Command(ctx, setLimit, at.Cmd{Text: "AT+VLS=1"}) // most are so already; +VTX needs it on some
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case op.link.reversal:
		return Supervised, nil
	case op.link.alerted:
		return Ringback, nil
	}
	return Assumed, nil
}

// playVoice streams with +VTX.
func (op *operation) playVoice(ctx context.Context, pcm io.Reader) (time.Duration, error) {
	if _, err := op.chat.Command(ctx, setLimit, at.Cmd{Text: "AT+VTX", Stream: true}); err != nil {
		return 0, explain("play", err) // never a byte of sound without CONNECT: it would be taken for commands
	}
	encode, _ := op.codec.make()
	keep := op.d.Ahead
	if keep == 0 {
		keep = ahead
	}
	p := pacer{start: time.Now()}
	buf := make([]byte, int(chunk*rate/time.Second)*2)
	var out []byte
	for {
		n, rerr := io.ReadFull(pcm, buf)
		if n > 0 {
			out = shield(out[:0], encode(nil, samples(buf[:n])))
			if err := op.chat.Write(out); err != nil {
				return p.heard(), explain("play", err)
			}
			p.sent += time.Duration(n/2) * time.Second / rate
		}
		if rerr != nil {
			if errors.Is(rerr, io.EOF) || errors.Is(rerr, io.ErrUnexpectedEOF) {
				break
			}
			op.cutVoice()
			return p.heard(), rerr
		}
		select {
		case <-op.dry: // the modem ran dry: it plays what comes at once
			p.restart()
		default:
		}
		if err := p.wait(ctx, keep); err != nil {
			op.cutVoice()
			return p.heard(), err
		}
	}
	return op.endVoice(ctx, &p)
}

// endVoice says that there is no more and waits until the modem has played it all.
func (op *operation) endVoice(ctx context.Context, p *pacer) (time.Duration, error) {
	end := string([]byte{at.DLE, at.ETX})
	_, err := op.chat.Command(ctx, p.sent-p.heard()+2*time.Second, at.Cmd{Text: end, Raw: true})
	if err != nil && context.Cause(ctx) == nil { // it may have sat behind an odd DLE
		_, err = op.chat.Command(ctx, streamWait, at.Cmd{Text: end, Raw: true})
	}
	if cause := context.Cause(ctx); cause != nil {
		op.cutVoice()
		return p.heard(), cause
	}
	if err != nil {
		op.cutVoice()
		return p.heard(), explain("end of message", err)
	}
	return p.sent, nil
}

// cutVoice stops sound at once: what is queued is dropped. It waits a moment for the modem
// to be a modem again.
func (op *operation) cutVoice() {
	ctx := context.Background() // the caller's has ended
	cut := string([]byte{at.DLE, at.CAN, at.DLE, at.ETX})
	if _, err := op.chat.Command(ctx, streamWait, at.Cmd{Text: cut, Raw: true}); errors.Is(err, at.ErrTimeout) {
		_, _ = op.chat.Command(ctx, streamWait/2, at.Cmd{Text: string([]byte{at.DLE, at.ETX}), Raw: true})
	}
}

// recordVoice receives with +VRX.
func (op *operation) recordVoice(ctx context.Context, pcm io.Writer) error {
	_, decode := op.codec.make()
	fail := make(chan error, 1)
	var buf []int16
	sink := func(data []byte) { // in the reader's goroutine
		buf = decode(buf[:0], data)
		if op.far.Hear != nil {
			op.far.Hear(buf)
		}
		if _, err := pcm.Write(pcmBytes(buf)); err != nil {
			select {
			case fail <- err:
			default:
			}
		}
	}
	if _, err := op.chat.Command(ctx, setLimit, at.Cmd{Text: "AT+VRX", Stream: true, Sink: sink}); err != nil {
		return explain("record", err)
	}
	var err error
	select {
	case <-ctx.Done():
		err = context.Cause(ctx)
	case err = <-fail:
	}
	op.stopRecording()
	return err
}

// stopRecording ends +VRX: <DLE>! on most modems, <DLE><ESC> on others.
func (op *operation) stopRecording() {
	for _, code := range []byte{'!', 0x1b, at.ETX} {
		if _, err := op.chat.Command(context.Background(), streamWait, at.Cmd{Text: string([]byte{at.DLE, code}), Raw: true}); !errors.Is(err, at.ErrTimeout) {
			break
		}
	}
	op.chat.Text()
}

// pacer keeps to an absolute clock: errors of single sleeps don't add up.
type pacer struct {
	start time.Time
	sent  time.Duration
	done  time.Duration // heard before the last restart
}

// heard is how much of what was sent has been played by now.
func (p *pacer) heard() time.Duration { return min(p.sent, p.done+time.Since(p.start)) }

// restart begins the clock anew after an underrun: nothing is queued now.
func (p *pacer) restart() { p.done, p.start = p.sent, time.Now() }

// wait blocks until no more than keep is queued.
func (p *pacer) wait(ctx context.Context, keep time.Duration) error {
	d := p.sent - p.done - time.Since(p.start) - keep
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// shield doubles each DLE (V.253 §9.1).
func shield(dst, data []byte) []byte {
	for _, b := range data {
		if b == at.DLE {
			dst = append(dst, at.DLE)
		}
		dst = append(dst, b)
	}
	return dst
}

func samples(pcm []byte) []int16 {
	s := make([]int16, len(pcm)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(pcm[2*i:]))
	}
	return s
}

func pcmBytes(s []int16) []byte {
	b := make([]byte, 0, 2*len(s))
	for _, v := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}
