// Package sim is a simulated telephone exchange with simulated modems in front of
// it: the test double of the whole telephone side, and the product's demo board.
package sim

import (
	"io"
	"log/slog"

	"hookswitch/hal"
)

// Options of an Exchange; the zero value is a quiet exchange in real time.
type Options struct {
	Dir   string                                 // far-end recordings are kept here as WAV files; "" keeps none
	Speed float64                                // how much faster than real time the line's audio runs; 0 is 1
	Log   *slog.Logger                           // nil is silent
	Trace func(line string, sent bool, b []byte) // every byte of every AT port, sent = by the host; may be nil
}

// Exchange is the telephone network: the number plan, ringback, busy tone, far ends.
type Exchange struct{}

// New makes an exchange; Close stops it and waits.
func New(opt Options) *Exchange { panic("stub") }

// Close ends every call, stops every goroutine and removes every PTY.
func (x *Exchange) Close() error { panic("stub") }

// Voice adds a subscriber line with an analogue voice modem (V.253) on it.
func (x *Exchange) Voice(name string) *Line { panic("stub") }

// GSM adds a GSM modem (27.007) with a PCM port.
func (x *Exchange) GSM(name string) *Line { panic("stub") }

// Line is one modem with its line.
type Line struct{}

// Port is the modem's AT port in memory, for synctest bubbles. Each call opens it anew.
func (l *Line) Port() (io.ReadWriteCloser, error) { panic("stub") }

// PCM is the GSM modem's audio port in memory.
func (l *Line) PCM() (io.ReadWriteCloser, error) { panic("stub") }

// PTY serves the AT port on a pseudo terminal and returns its path.
func (l *Line) PTY() (string, error) { panic("stub") }

// PCMPTY serves the audio port on a pseudo terminal and returns its path.
func (l *Line) PCMPTY() (string, error) { panic("stub") }

// Relay is the hook relay in series with the modem: current flows only when it is closed.
func (l *Line) Relay() hal.Relay { panic("stub") }

// Loop is the loop-current detector.
func (l *Line) Loop() hal.Input { panic("stub") }

// Ring is the ring detector.
func (l *Line) Ring() hal.Input { panic("stub") }

// OffHook says whether the exchange sees the line off-hook (loop current flows, or a GSM call is up).
func (l *Line) OffHook() bool { panic("stub") }

// Heard is what the far end of the latest call has heard: 8000 Hz samples after unshielding and decoding.
func (l *Line) Heard() []int16 { panic("stub") }
