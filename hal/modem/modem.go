// Package modem makes telephone calls with a modem on a serial port: analogue voice modems
// (V.253) and GSM/LTE modems (TS 27.007). What differs between them is data, a Dialect.
//
//	keeper.go    one goroutine a modem: opens the port, hangs up, initialises, reopens
//	voice.go     dialling, playing and recording by V.253
//	gsm.go       the same by 27.007, with audio on a second port
//	hangup.go    the ladder that ends on-hook
package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"hookswitch/hal/at"
)

// Outcomes of Dial, Play and Record that a caller decides on.
var (
	ErrBusy       = errors.New("modem: busy")            // BUSY, DLE b, cause 17 or 21
	ErrNoAnswer   = errors.New("modem: no answer")       // NO ANSWER, S7, cause 18 or 19
	ErrNoDialTone = errors.New("modem: no dial tone")    // NO DIALTONE, NO LINE, LINE IN USE
	ErrNoService  = errors.New("modem: no service")      // not registered, no SIM, number unobtainable
	ErrNoCarrier  = errors.New("modem: no carrier")      // ended by the network for a reason it does not give
	ErrHungUp     = errors.New("modem: far end hung up") // after the answer
	ErrGone       = errors.New("modem: gone")            // unplugged, or its port stopped answering
	ErrRefused    = errors.New("modem: command refused") // ERROR, +CME ERROR
	ErrTimeout    = errors.New("modem: no reply")        // no final result code in time
)

var (
	errHangup = errors.New("modem: hung up") // ends what runs when Hangup is called
	errNumber = errors.New("modem: number with characters that are not dialled")
)

// Config says how to reach a modem and what it is.
type Config struct {
	Name    string                             // the line's name, for the log
	Dialect string                             // a name in Dialects, or "auto"; "" is auto
	Open    func() (io.ReadWriteCloser, error) // opens the AT port; called again after the modem has gone
	OpenPCM func() (io.ReadWriteCloser, error) // opens the audio port of a GSM modem; nil where there is none
	Init    []string                           // further commands, after the dialect's
	Power   func(ctx context.Context) error    // switches the modem off and on where the board can; nil where it can't
	Log     *slog.Logger                       // nil is silent
	Trace   func(sent bool, data []byte)       // sees every byte of the AT dialogue; may be nil
}

// Far is what a caller wants to know of the far end while Dial, Play or Record runs. Any
// field may be nil. They must not block; Hear and Key may be called at the same time.
type Far struct {
	Alerted func()                // ringback: the far end's telephone rings
	Key     func(digit byte)      // a DTMF key, once a press: 0-9 * # A-D
	Hear    func(samples []int16) // received audio, 8000 Hz, where the modem delivers it (PCM port, +VRX)
}

// Answer says how sure it is that a person has answered.
type Answer string

// Confidence in an answer, best first.
const (
	Supervised Answer = "supervised" // the network or the loop said so
	Ringback   Answer = "ringback"   // ringback was heard and has stopped
	Assumed    Answer = "assumed"    // the modem said OK, which may also mean that it never heard ringback
)

// Modem is one modem. Its keeper goroutine opens the port, initialises the modem, and
// reopens it with back-off when it has gone.
type Modem struct {
	cfg   Config
	log   *slog.Logger
	stop  context.CancelCauseFunc // ends the keeper
	done  chan struct{}           // closed when the keeper has ended
	tried chan struct{}           // closed when the first attempt to reach the modem is over
	reset chan struct{}           // asks the keeper to open the port anew

	hang chan struct{} // holds one token: one Hangup at a time

	mu      sync.Mutex // guards what follows
	chat    *at.Chat   // nil while the modem is gone
	dialect Dialect
	ident   []string
	codec   codec
	fault   error
	changed chan struct{}
	op      *operation
	link    *link
	keys    keyFilter
}

// operation is a Dial, Play or Record at work.
type operation struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	far    Far
	chat   *at.Chat
	d      Dialect
	codec  codec
	link   *link
	dry    chan struct{} // an underrun while playing
}

// link is a call, from Dial to Hangup.
type link struct {
	once     sync.Once
	answered chan struct{} // closed when the network says so (GSM)
	ended    chan struct{}
	err      error // why it ended; set before ended is closed
	alerted  bool  // guarded by Modem.mu
	reversal bool  // guarded by Modem.mu: the loop was reversed, which is answer supervision
	up       sync.Once
	pcm      *pcmPort
	poller   sync.WaitGroup
	unpoll   context.CancelFunc
}

func newLink() *link {
	return &link{answered: make(chan struct{}), ended: make(chan struct{}), unpoll: func() {}}
}

func (l *link) answer() { l.up.Do(func() { close(l.answered) }) }

func (l *link) end(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.ended)
	})
}

// New starts the keeper of a modem. Close stops it.
func New(cfg Config) *Modem {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	m := &Modem{
		cfg: cfg, log: cfg.Log.With("line", cfg.Name), stop: stop,
		done: make(chan struct{}), tried: make(chan struct{}), reset: make(chan struct{}, 1), changed: make(chan struct{}),
		fault: fmt.Errorf("%w: not opened yet", ErrGone), link: newLink(),
	}
	m.hang = make(chan struct{}, 1)
	m.hang <- struct{}{}
	go m.keep(ctx)
	return m
}

// WaitReady returns nil once the modem is known to be on-hook and initialised, or the fault
// when the first attempt to reach it has failed, or ctx's cause. The first thing that the
// modem is told after every opening of its port is to hang up.
func (m *Modem) WaitReady(ctx context.Context) error {
	select {
	case <-m.tried:
		return m.Fault()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Fault is nil when the modem can make a call, else why not, in a sentence for a person.
func (m *Modem) Fault() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}

// Changed is closed, and replaced, whenever Fault changes.
func (m *Modem) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Ident is what the modem said it is (ATI, +CGMI, +CGMM), and dialect the one in use.
func (m *Modem) Ident() (ident []string, dialect string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ident, m.dialect.Name
}

func (m *Modem) setFault(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if (m.fault == nil) != (err == nil) {
		close(m.changed)
		m.changed = make(chan struct{})
	}
	m.fault = err
}

// Close stops the keeper and waits for it; the port is closed. It does not hang up.
func (m *Modem) Close() error {
	m.stop(errors.New("modem: closed"))
	<-m.done
	return nil
}

// Dial calls number (digits, * # + only) and returns when the far end has answered. When
// ctx ends it aborts the dialling (V.250 5.6.1) and returns context.Cause(ctx); with a ctx
// that has ended it sends nothing.
func (m *Modem) Dial(ctx context.Context, number string, far Far) (Answer, error) {
	if err := dialable(number); err != nil {
		return "", err
	}
	l := newLink()
	ctx, op, err := m.begin(ctx, far, l)
	if err != nil {
		return "", err
	}
	defer m.finish(op)
	if op.d.GSM {
		return m.dialGSM(ctx, op, number)
	}
	return m.dialVoice(ctx, op, number)
}

// Play sends pcm (16-bit little-endian, 8000 Hz, mono) down an answered line, paced, until
// io.EOF, and returns nil when the far end has heard the last sample. heard is how much of
// it the far end has heard, as near as the modem tells. When ctx ends, Play drops what is
// queued in the modem and returns context.Cause(ctx).
func (m *Modem) Play(ctx context.Context, pcm io.Reader, far Far) (heard time.Duration, err error) {
	ctx, op, err := m.begin(ctx, far, nil)
	if err != nil {
		return 0, err
	}
	defer m.finish(op)
	if op.d.GSM {
		return op.playPCM(ctx, pcm)
	}
	return op.playVoice(ctx, pcm)
}

// Record writes what the far end says (16-bit little-endian, 8000 Hz, mono) to pcm until
// ctx ends (then it returns context.Cause) or the far end hangs up.
func (m *Modem) Record(ctx context.Context, pcm io.Writer, far Far) error {
	ctx, op, err := m.begin(ctx, far, nil)
	if err != nil {
		return err
	}
	defer m.finish(op)
	if op.d.GSM {
		return op.recordPCM(ctx, pcm)
	}
	return op.recordVoice(ctx, pcm)
}

// begin registers an operation; its context also ends when Hangup is called, the far end
// hangs up or the modem goes. l, for Dial, becomes the modem's link.
func (m *Modem) begin(ctx context.Context, far Far, l *link) (context.Context, *operation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.op != nil {
		return nil, nil, errors.New("modem: another operation is running")
	}
	if m.fault != nil {
		return nil, nil, m.fault
	}
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	if l != nil {
		m.link = l
	}
	ctx, cancel := context.WithCancelCause(ctx)
	op := &operation{
		cancel: cancel, done: make(chan struct{}), far: far,
		chat: m.chat, d: m.dialect, codec: m.codec, link: m.link, dry: make(chan struct{}, 1),
	}
	m.op = op
	m.keys = keyFilter{}
	go func() { // ends with the operation at the latest
		select {
		case <-op.chat.Gone():
			cancel(fmt.Errorf("%w: %w", ErrGone, op.chat.Err()))
		case <-op.link.ended:
			cancel(op.link.err)
		case <-op.done:
		}
	}()
	return ctx, op, nil
}

func (m *Modem) finish(op *operation) {
	op.cancel(nil)
	m.mu.Lock()
	m.op = nil
	m.mu.Unlock()
	close(op.done)
}

// dialable admits what a telephone has keys for: everything else would change the meaning
// of ATD (a comma pauses, a semicolon ends, W waits).
func dialable(number string) error {
	if number == "" || len(number) > 32 {
		return errNumber
	}
	for i, c := range number {
		if (c < '0' || c > '9') && c != '*' && c != '#' && (c != '+' || i > 0) {
			return fmt.Errorf("%w: %q", errNumber, number)
		}
	}
	return nil
}

// explain turns an error of the AT channel into one of ours; that of an ended context
// stands for itself.
func explain(what string, err error) error {
	var result *at.ResultError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &result):
		return fmt.Errorf("modem: %s: %w: %s answered %s", what, resultError(result.Result), result.Command, result.Result)
	case errors.Is(err, at.ErrTimeout):
		return fmt.Errorf("modem: %s: %w: %w", what, ErrTimeout, err)
	case errors.Is(err, at.ErrClosed):
		return fmt.Errorf("modem: %s: %w: %w", what, ErrGone, err)
	}
	return err
}

// resultError is what a final result code means for a call.
func resultError(result string) error {
	switch result {
	case "BUSY":
		return ErrBusy
	case "NO ANSWER":
		return ErrNoAnswer
	case "NO DIALTONE", "NO DIAL TONE", "NO LINE", "LINE IN USE", "LINE-IN-USE":
		return ErrNoDialTone
	case "NO CARRIER":
		return ErrNoCarrier
	}
	switch cme(result) {
	case 10, 13, 14, 15, 30, 31, 32: // no SIM, SIM failure, busy or wrong; no network (TS 27.007 §9.2)
		return ErrNoService
	}
	return ErrRefused
}

func cme(result string) (code int) {
	if _, err := fmt.Sscanf(result, "+CME ERROR: %d", &code); err != nil {
		return -1
	}
	return code
}
