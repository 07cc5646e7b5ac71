// Package modem makes telephone calls with a modem on a serial port: analogue
// voice modems (V.253) and GSM/LTE modems (TS 27.007).
package modem

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
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

// Config says how to reach a modem and what it is.
type Config struct {
	Name    string                             // the line's name, for the log
	Dialect string                             // a name in Dialects, or "auto"; "" is auto
	Open    func() (io.ReadWriteCloser, error) // opens the AT port; called again after the modem has gone
	OpenPCM func() (io.ReadWriteCloser, error) // opens the audio port of a GSM modem; nil where there is none
	Log     *slog.Logger                       // nil is silent
	Trace   func(sent bool, data []byte)       // sees every byte of the AT dialogue; may be nil
}

// Far is what a caller wants to know of the far end while Dial, Play or Record
// runs. Any field may be nil. The functions are called in order from one
// goroutine of the modem and must not block.
type Far struct {
	Alerted func()                // ringback: the far end's telephone rings
	Key     func(digit byte)      // a DTMF key, once per press: 0-9 * # A-D
	Hear    func(samples []int16) // received audio, 8000 Hz, where the modem delivers it (PCM port, +VTR, +VRX)
}

// Answer says how sure it is that a person has answered.
type Answer string

// Confidence in an answer, best first.
const (
	Supervised Answer = "supervised" // the network or the loop said so
	Ringback   Answer = "ringback"   // ringback was heard and has stopped
	Assumed    Answer = "assumed"    // the modem said OK, which may also mean that it never heard ringback
)

// Modem is one modem. Its keeper goroutine opens the port, initialises the modem,
// and reopens it with back-off when it has gone.
type Modem struct{ cfg Config }

// New starts the keeper of a modem. Close stops it.
func New(cfg Config) *Modem { return &Modem{cfg: cfg} }

// WaitReady returns nil once the modem is known to be on-hook and initialised, or the
// fault when the first attempt to reach it has failed, or ctx's cause. The first
// thing the modem is told after every opening of the port is to hang up.
func (m *Modem) WaitReady(ctx context.Context) error { panic("stub") }

// Fault is nil when the modem can make a call, else why not, in a sentence for a person.
func (m *Modem) Fault() error { panic("stub") }

// Changed is closed, and replaced, whenever Fault changes between nil and not nil.
func (m *Modem) Changed() <-chan struct{} { panic("stub") }

// Ident is what the modem said it is (ATI, +CGMI, +GMM), and Dialect the one in use.
func (m *Modem) Ident() (ident []string, dialect string) { panic("stub") }

// Dial calls number (digits, * # + only) and returns when the far end has answered.
// When ctx ends it aborts the dialling (V.250 5.6.1) and returns context.Cause(ctx).
func (m *Modem) Dial(ctx context.Context, number string, far Far) (Answer, error) { panic("stub") }

// Play sends pcm (16-bit little-endian, 8000 Hz, mono) down an answered line, paced,
// until io.EOF, and returns nil when the far end has heard the last sample. heard is
// how much of it the far end has heard, as near as the modem tells. When ctx ends,
// Play drops what is queued in the modem and returns context.Cause(ctx).
func (m *Modem) Play(ctx context.Context, pcm io.Reader, far Far) (heard time.Duration, err error) {
	panic("stub")
}

// Record writes what the far end says (16-bit little-endian, 8000 Hz, mono) to pcm
// until ctx ends (then it returns context.Cause) or the far end hangs up.
func (m *Modem) Record(ctx context.Context, pcm io.Writer, far Far) error { panic("stub") }

// Hangup puts the modem on-hook. It pre-empts whatever runs, at once: a running Dial,
// Play or Record returns. It climbs the ladder of line.md 1.5 until the modem has
// confirmed, or ctx ends: then the error says what was not confirmed, and the modem is
// reopened and initialised anew before its next call. Hangup on an idle modem is allowed.
func (m *Modem) Hangup(ctx context.Context) error { panic("stub") }

// Close stops the keeper and waits for it; the port is closed. It does not hang up.
func (m *Modem) Close() error { panic("stub") }
