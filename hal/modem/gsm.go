package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"hookswitch/hal/at"
)

const (
	gsmDial    = 90 * time.Second
	pollDial   = 500 * time.Millisecond // +CLCC while the call is being set up; faster upsets some
	pollUp     = 2 * time.Second        // and once it is up
	goneAfter  = 5 * time.Second        // a call that +CLCC has never shown by then is none
	ringLimit  = 60 * time.Second       // as S7 on a voice modem
	pcmFrame   = 20 * time.Millisecond
	pcmAhead   = 60 * time.Millisecond
	pcmTail    = 100 * time.Millisecond // what the module still holds when the last frame is due
	ceerBudget = time.Second
)

// initGSM checks SIM and registration.
func (m *Modem) initGSM(ctx context.Context, chat *at.Chat) error {
	if m.cfg.OpenPCM == nil {
		return fmt.Errorf("%w: no audio port: set pcm = \"/dev/…\" for this line", ErrNoService)
	}
	if info, err := chat.Command(ctx, setLimit, at.Cmd{Text: "AT+CPIN?", Prefix: "+CPIN:"}); err == nil {
		if state := strings.Join(info, " "); state != "" && !strings.Contains(state, "READY") {
			return fmt.Errorf("%w: the SIM is not ready (%s): unlock it with AT+CPIN in another telephone", ErrNoService, state)
		}
	} else if cme := resultCode(err); cme == 10 || cme == 13 || cme == 15 {
		return fmt.Errorf("%w: no SIM, or a bad one: check that it sits right", ErrNoService)
	}
	return m.registered(ctx, chat)
}

// registered asks for the network; a modem without +CREG is believed.
func (m *Modem) registered(ctx context.Context, chat *at.Chat) error {
	answered := false
	for _, name := range []string{"+CREG", "+CEREG"} {
		info, err := chat.Command(ctx, setLimit, at.Cmd{Text: "AT" + name + "?", Prefix: name + ":"})
		if err != nil || len(info) == 0 {
			continue
		}
		answered = true
		fields := strings.Split(strings.TrimPrefix(info[0], name+":"), ",")
		if stat := field(fields, 1); stat == 1 || stat == 5 || len(fields) == 1 {
			return nil
		}
	}
	if !answered {
		return nil
	}
	return fmt.Errorf("%w: not registered with a network: check antenna, SIM and reception", ErrNoService)
}

func resultCode(err error) int {
	var result *at.ResultError
	if errors.As(err, &result) {
		return cme(result.Result)
	}
	return -1
}

// dialGSM dials with ATD…; and waits for the network to say that the call is up.
func (m *Modem) dialGSM(ctx context.Context, op *operation, number string) (Answer, error) {
	l, chat := op.link, op.chat
	port, err := m.cfg.OpenPCM()
	if err != nil {
		return "", fmt.Errorf("modem: audio port: %w: %w", ErrGone, err)
	}
	l.pcm = newPCMPort(port)
	for _, cmd := range op.d.PCMSetup {
		if _, err := chat.Command(ctx, setLimit, at.Cmd{Text: cmd}); err != nil && !refused(err) {
			return "", explain("audio path", err)
		}
	}
	if _, err := chat.Command(ctx, gsmDial, at.Cmd{Text: "ATD" + number + ";", Dial: true}); err != nil {
		return "", m.refine(ctx, chat, explain("dial", err))
	}
	pollCtx, stop := context.WithCancel(context.Background())
	l.unpoll = stop
	l.poller.Go(func() { m.poll(pollCtx, op) })
	limit := time.NewTimer(ringLimit)
	defer limit.Stop()
	select {
	case <-l.answered:
	case <-l.ended:
		return "", m.refine(ctx, chat, notAnswered(l.err))
	case <-limit.C:
		return "", ErrNoAnswer
	case <-ctx.Done():
		err := context.Cause(ctx)
		if errors.Is(err, ErrHungUp) || errors.Is(err, ErrNoCarrier) {
			return "", m.refine(context.WithoutCancel(ctx), chat, notAnswered(err))
		}
		return "", err
	}
	return Supervised, m.openAudio(ctx, op)
}

// notAnswered is what "hung up" means for a call that nobody had answered.
func notAnswered(err error) error {
	if errors.Is(err, ErrHungUp) {
		return fmt.Errorf("%w: ended before an answer", ErrNoCarrier)
	}
	return err
}

// refine asks the network for the cause (+CEER) where the modem gave none.
func (m *Modem) refine(ctx context.Context, chat *at.Chat, err error) error {
	if !errors.Is(err, ErrNoCarrier) && !errors.Is(err, ErrRefused) {
		return err
	}
	info, cerr := chat.Command(context.WithoutCancel(ctx), ceerBudget, at.Cmd{Text: "AT+CEER", Prefix: "+CEER:"})
	if cerr != nil {
		return err
	}
	if cause := parseCEER(info); cause != 0 {
		return causeError(cause, false)
	}
	return err
}

// openAudio switches the modem's sound to the PCM port. A SIM7600 that refuses once has its
// audio path in a wrong state: off and on again, else only a restart of the module helps.
func (m *Modem) openAudio(ctx context.Context, op *operation) error {
	chat := op.chat
	for _, cmd := range op.d.PCMOn {
		_, err := chat.Command(ctx, setLimit, at.Cmd{Text: cmd})
		if refused(err) && op.d.PCMGuess {
			continue
		}
		if refused(err) {
			m.log.Warn("audio path refused, trying again", "command", cmd)
			for _, off := range op.d.PCMOff {
				_, _ = chat.Command(ctx, setLimit, at.Cmd{Text: off})
			}
			_, err = chat.Command(ctx, setLimit, at.Cmd{Text: cmd})
		}
		if err != nil {
			return explain("audio path", err)
		}
	}
	return nil
}

// poll asks for the list of current calls: URCs come first where there are any, but not
// every modem sends them.
func (m *Modem) poll(ctx context.Context, op *operation) {
	chat, l := op.chat, op.link
	if op.d.NoPoll {
		return
	}
	seen, start := false, time.Now()
	every := pollDial
	for {
		select {
		case <-time.After(every):
		case <-l.ended:
			return
		case <-ctx.Done():
			return
		}
		info, err := chat.Command(ctx, 3*time.Second, at.Cmd{Text: "AT+CLCC", Prefix: "+CLCC:"})
		if err != nil {
			if refused(err) || errors.Is(err, at.ErrTimeout) {
				continue
			}
			return
		}
		listed := false
		for _, line := range info {
			if c, ok := parseCLCC(line); ok && c.ours() {
				listed, seen = true, true
				m.setCallState(l, c.stat)
			}
		}
		if !listed && (seen || time.Since(start) > goneAfter) {
			l.end(fmt.Errorf("%w: no longer in +CLCC", ErrHungUp))
			return
		}
		select {
		case <-l.answered:
			every = pollUp
		default:
		}
	}
}

// playPCM writes frames of 20 ms to the audio port by an absolute clock.
func (op *operation) playPCM(ctx context.Context, pcm io.Reader) (time.Duration, error) {
	port := op.link.pcm
	if port == nil {
		return 0, fmt.Errorf("modem: play: no call is up: %w", ErrRefused)
	}
	port.listen(op.far.Hear)
	defer port.listen(nil)
	p := pacer{start: time.Now()}
	frame := make([]byte, int(pcmFrame*rate/time.Second)*2)
	for {
		n, err := io.ReadFull(pcm, frame)
		if n > 0 {
			clear(frame[n:]) // the last frame is padded: an odd one shifts the next
			if _, err := port.rw.Write(frame); err != nil {
				return p.heard(), fmt.Errorf("modem: audio port: %w: %w", ErrGone, err)
			}
			p.sent += pcmFrame
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return p.sent, p.wait(ctx, -pcmTail)
		}
		if err != nil {
			return p.heard(), err
		}
		if err := p.wait(ctx, pcmAhead); err != nil {
			return p.heard(), err
		}
	}
}

// recordPCM copies what the port hears.
func (op *operation) recordPCM(ctx context.Context, pcm io.Writer) error {
	port := op.link.pcm
	if port == nil {
		return fmt.Errorf("modem: record: no call is up: %w", ErrRefused)
	}
	fail := make(chan error, 1)
	port.listen(func(s []int16) {
		if op.far.Hear != nil {
			op.far.Hear(s)
		}
		if _, err := pcm.Write(pcmBytes(s)); err != nil {
			select {
			case fail <- err:
			default:
			}
		}
	})
	defer port.listen(nil)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-fail:
		return err
	}
}

// pcmPort is the audio port of a GSM modem during a call. What it sends is always read: a
// port that nobody reads stops.
type pcmPort struct {
	rw   io.ReadWriteCloser
	done chan struct{}
	mu   sync.Mutex // guards hear
	hear func([]int16)
}

func newPCMPort(rw io.ReadWriteCloser) *pcmPort {
	p := &pcmPort{rw: rw, done: make(chan struct{})}
	go p.read()
	return p
}

func (p *pcmPort) listen(hear func([]int16)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hear = hear
}

func (p *pcmPort) read() {
	defer close(p.done)
	buf := make([]byte, 3200)
	have := 0
	for {
		n, err := p.rw.Read(buf[have:])
		have += n
		whole := have &^ 1
		p.mu.Lock()
		if p.hear != nil && whole > 0 {
			p.hear(samples(buf[:whole]))
		}
		p.mu.Unlock()
		have = copy(buf, buf[whole:have])
		if err != nil {
			return
		}
	}
}

func (p *pcmPort) close() {
	_ = p.rw.Close()
	<-p.done
}
