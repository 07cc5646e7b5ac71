// Package modem makes telephone calls with a modem on a serial port: analogue voice
// modems (ITU-T V.253) and GSM/LTE modems (3GPP TS 27.007). What differs between them is
// data, a dialect.Dialect.
//
//	keeper.go    opens the port, reopens it when the modem has gone
//	session.go   one opening of the port: hang up first, identify, set up
//	identify.go  what it is, and whether that is the modem that the line says
//	setup.go     set-up of a voice modem; flow.go and voiceformat.go, how its sound is sent
//	service.go   set-up of a GSM modem and its network; pin.go, its SIM
//	speak.go     whether a GSM modem can be heard, before anybody is rung
//	restart.go   how a module is found out that has restarted
//	dial.go      dialling, and how a call that fails is told
//	play.go      sound to the far end; record.go, sound from it
//	words.go     what a modem says of calls unasked, each make in its own words
//	evidence.go  which call that is about, and whether it is believed
//	proof.go     +CLCC, which proves it
//	events.go    a call, and what of it matters to the operation that runs
//	hangup.go    the ladder that ends on-hook
//	power.go     a modem that answers nothing is switched off and on
package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"hookswitch/hal/modem/dialect"
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
	ErrSound      = errors.New("modem: no sound")        // none can be had, or the audio port has failed
	ErrRinging    = errors.New("modem: line is ringing") // somebody calls: it must not be seized
	// ErrUnsure is a call given up because what the modem said of it could no longer be read.
	ErrUnsure = errors.New("modem: not known whether the call is still up")

	// ErrInUse comes with ErrNoDialTone or ErrHungUp: a person has lifted another telephone
	// on the line, which is theirs.
	ErrInUse = errors.New("modem: line in use by another telephone")
)

// ErrRestarted is an ErrGone: the module has started anew by itself.
var ErrRestarted = fmt.Errorf("%w: it has restarted", ErrGone)

// errPreempted ends what runs when Hangup is called.
var errPreempted error = preempted{}

type preempted struct{}

func (preempted) Error() string { return "modem: hung up here" }
func (preempted) Unwrap() error { return context.Canceled }

// Config says how to reach a modem and what it is.
type Config struct {
	Name        string                              // the line's name, for the log
	Dialect     string                              // a name in dialect.All, or "auto"; "" is auto
	Open        func() (io.ReadWriteCloser, error)  // opens the AT port; called again after the modem has gone
	OpenPCM     func() (io.ReadWriteCloser, error)  // opens the audio port of a GSM modem; nil where there is none
	SIMPIN      string                              // unlocks the SIM that asks for it; a wrong one is tried once, see PINs
	PINs        *PINs                               // which PINs were tried; nil remembers until Close
	Baud        int                                 // of the AT port, which limits what sound it carries; 0 is not known
	Init        []string                            // further commands, after the dialect's
	VoiceFormat *dialect.VoiceFormat                // nil is chosen from what the modem lists
	Power       func(ctx context.Context) error     // switches the modem off and on; nil where the board can't
	Listen      func() func([]int16) Progress       // hears a line's tones; nil leaves that to the modem
	Pulse       func(context.Context, string) error // dials by the hook relay what the modem would; takes Listen
	Log         *slog.Logger                        // nil is silent
	Trace       func(sent bool, data []byte)        // sees every byte of the AT dialogue but sound; may be nil
}

// Far is what a caller wants to know of the far end while Dial, Play or Record runs. Any
// field may be nil. The functions are called in order, from the goroutine that called Dial,
// Play or Record, and must not block.
type Far struct {
	Alerted func()                // ringback: the far end's telephone rings
	Key     func(digit byte)      // a DTMF key, once per press: 0-9 * # A-D
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

// Hook is what is known of a modem's hook switch.
type Hook string

// What is known of a hook switch.
const (
	Unknown Hook = "unknown"  // nobody has told it to hang up yet, since the start or a Borrow
	OnHook  Hook = "on-hook"  // it has confirmed a hang-up, and has not dialled since
	OffHook Hook = "off-hook" // it has dialled, and not confirmed a hang-up since
)

// Modem is one modem. Its keeper goroutine opens the port, initialises the modem, and
// reopens it with back-off when it has gone. Its methods may be called from any goroutine.
type Modem struct {
	cfg  Config
	log  *slog.Logger
	stop context.CancelFunc // ends the keeper
	done chan struct{}      // closed when the keeper has ended
	turn chan struct{}      // holds a token while somebody uses the modem: an operation, Hangup, the keeper
	ring ringLog

	mu       sync.Mutex // guards what follows
	session  *session   // nil while the port is closed
	gsm      bool       // a modem with a SIM card, by its dialect, or by what it last said it is
	fault    error
	hook     Hook
	tried    chan struct{} // closed when the first attempt to reach the modem is over
	first    bool          // it is over
	changed  chan struct{}
	alive    time.Time               // when the keeper last went on
	opened   chan struct{}           // closed, and replaced, whenever session changes
	op       *operation              // running
	mute     int                     // answered calls in a row without sound
	spoke    bool                    // the last call had sound
	silenced error                   // two calls had none: the line waits for a technician
	loan     *loan                   // the port in somebody else's hands, nil when it is in ours
	letGo    context.CancelCauseFunc // ends this opening of the port
	hanging  int                     // Hangups at work: nothing else may begin
}

// New starts the keeper of a modem. Close stops it.
func New(cfg Config) *Modem {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.PINs == nil {
		cfg.PINs = &PINs{}
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &Modem{
		cfg: cfg, log: cfg.Log.With("line", cfg.Name), stop: stop,
		done: make(chan struct{}), turn: make(chan struct{}, 1),
		fault: faultf(ErrGone, "the modem has not been reached yet"), hook: Unknown,
		tried: make(chan struct{}), changed: make(chan struct{}), opened: make(chan struct{}),
		letGo: func(error) {}, alive: time.Now(),
	}
	m.ring.told = m.ringChanged
	d, _ := dialect.Lookup(cfg.Dialect)
	m.gsm = d.GSM
	go m.keep(ctx)
	return m
}

// WaitReady returns nil once the modem is known to be on-hook and initialised, or the fault
// when the first attempt to reach it has failed, or ctx's cause. The first thing that the
// modem is told after every opening of the port is to hang up.
func (m *Modem) WaitReady(ctx context.Context) error {
	select {
	case <-m.tried:
		return m.Fault()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Fault is nil when the modem can make a call, else why not and what to do about it, in a
// sentence for a person. It wraps one of the errors above.
func (m *Modem) Fault() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}

// Hook is what is known of the modem's hook switch.
func (m *Modem) Hook() Hook {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hook
}

func (m *Modem) setHook(h Hook) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setHookLocked(h)
}

func (m *Modem) setHookLocked(h Hook) {
	if m.hook != h {
		m.hook = h
		m.changedLocked()
	}
}

func (m *Modem) changedLocked() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// Changed is closed, and replaced, whenever Hook changes, or Fault between nil and not nil,
// and when the line begins to ring.
func (m *Modem) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Ident is what the modem said it is (ATI, +CGMI, +GMM), and dialect the one in use; "" before
// the modem has been reached.
func (m *Modem) Ident() (ident []string, dialect string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session == nil {
		return nil, ""
	}
	return m.session.ident, m.session.dialect.Name
}

// GSM reports whether it is a modem with a SIM card. One whose dialect is "auto" is not until it
// has been reached.
func (m *Modem) GSM() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gsm
}

// Close stops the keeper and waits for it; the port is closed. It does not hang up. It may
// be called more than once.
func (m *Modem) Close() error {
	m.stop()
	<-m.done
	return nil
}

// Dial calls number (digits, * and #; a GSM modem takes a leading + too) and returns when
// the far end has answered. A line that rings is not seized: that is ErrRinging. When ctx ends it aborts the dialling (V.250 5.6.1) and returns
// context.Cause(ctx). After every Dial, whatever it returned, call Hangup.
func (m *Modem) Dial(ctx context.Context, number string, far Far) (Answer, error) {
	o, err := m.begin(ctx, far)
	if err != nil {
		return "", err
	}
	defer m.end(o)
	m.setHook(OffHook)
	if err := dialable(number, o.s.dialect.GSM); err != nil {
		return "", err
	}
	if err := o.s.free(); err != nil {
		return "", err
	}
	m.newSound()
	if err := o.s.fresh(o.ctx); err != nil {
		o.s.wake()
		return "", o.explain(err)
	}
	if !o.s.dialect.GSM {
		return o.dialVoice(number)
	}
	answer, err := o.dialGSM(number)
	if o.call.isAnswered() {
		m.noteSound(err, 0)
	}
	return answer, err
}

// Play sends pcm (16-bit little-endian, 8000 Hz, mono) down an answered line, paced, until
// io.EOF, and returns nil when the far end has heard the last sample. heard is how much of
// it the far end has heard, as near as the modem tells. When ctx ends, Play drops what is
// queued in the modem and returns context.Cause(ctx).
func (m *Modem) Play(ctx context.Context, pcm io.Reader, far Far) (heard time.Duration, err error) {
	o, err := m.begin(ctx, far)
	if err != nil {
		return 0, err
	}
	defer m.end(o)
	if err := o.join(); err != nil {
		return 0, err
	}
	if o.s.dialect.GSM {
		heard, err = o.playPCM(pcm)
	} else {
		heard, err = o.playVoice(pcm)
	}
	m.noteSound(err, heard)
	return heard, err
}

// Record writes what the far end says (16-bit little-endian, 8000 Hz, mono) to pcm until
// ctx ends (then it returns context.Cause) or the far end hangs up.
func (m *Modem) Record(ctx context.Context, pcm io.Writer, far Far) error {
	o, err := m.begin(ctx, far)
	if err != nil {
		return err
	}
	defer m.end(o)
	if err := o.join(); err != nil {
		return err
	}
	if o.s.dialect.GSM {
		return o.recordPCM(pcm)
	}
	return o.recordVoice(pcm)
}
