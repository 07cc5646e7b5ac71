// Package sim is a simulated telephone exchange with simulated modems in front of it: the
// test double of the whole telephone side, and the product's demo board.
//
//	host ── AT port ── modem ── hook relay ── loop ── exchange ── far end
//	                  dce.go                 loop.go   call.go    farend.go
//
// # The modems
//
// They speak V.250, V.253 and TS 27.007 byte for byte, in memory (Port, PCM) or behind a
// pseudo terminal (PTY, PTYLink), and carry sound at the pace of a line. Nothing here knows
// the program at the other end of the port: one that we did not write may sit there.
//
// # The line
//
// Loop current flows when the modem is off-hook and the hook relay's contact conducts. The
// contact is a wire link until somebody asks for Relay or RelayFiles.
//
// # What it finds out
//
// Heard and the recordings are what the far end heard. Log is the AT dialogue. What a host
// did that no host may do is in Contradictions: digits on an open loop, voice data where a
// command is expected, a character during a pending ATD, a relay left closed.
//
// All time is from package time, so that an Exchange runs in a testing/synctest bubble.
package sim

import (
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Options of an Exchange; the zero value is a quiet exchange in the USA in real time. Trace
// and Edge must not call back into the line.
type Options struct {
	Dir     string            // far-end recordings are kept here as WAV files; "" keeps none
	Speed   float64           // how much faster than real time the lines run; 0 is 1
	Tones   *Tones            // what the exchange sounds like; nil is TonePlans["us"]
	Numbers map[string]FarEnd // by the last seven digits; they come before NumberPlan's

	Log   *slog.Logger                           // nil is silent
	Trace func(line string, sent bool, b []byte) // every byte of every AT port, sent = by the host; may be nil
	Edge  func(line string, closed bool)         // every edge of every hook relay; may be nil
}

// Exchange is the telephone network: the number plan, ringback, busy tone, far ends.
type Exchange struct {
	opt   Options
	tones *Tones
	plan  map[string]FarEnd

	mu      sync.Mutex // guards what follows
	lines   []*Line
	watcher *watcher // nil until it is needed
}

// frameTime is how often a line moves: a frame of 160 samples.
const (
	frameTime    = 20 * time.Millisecond
	frameSamples = 160
	rate         = 8000 // samples a second
)

// New makes an exchange; Close stops it and waits.
func New(opt Options) *Exchange {
	if opt.Speed <= 0 {
		opt.Speed = 1
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Tones == nil {
		us := TonePlans["us"]
		opt.Tones = &us
	}
	return &Exchange{opt: opt, tones: opt.Tones, plan: NumberPlan()}
}

// Voice adds a subscriber line with an analogue voice modem (V.253) on it.
func (x *Exchange) Voice(name string) *Line { return x.Add(name, V253) }

// GSM adds a GSM modem (TS 27.007) with a PCM port.
func (x *Exchange) GSM(name string) *Line { return x.Add(name, SIM7600) }

// Add adds a line with the modem of a personality.
func (x *Exchange) Add(name string, p Personality) *Line {
	l := newLine(x, name, p)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lines = append(x.lines, l)
	return l
}

// Lines are the lines in the order in which they were added.
func (x *Exchange) Lines() []*Line {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]*Line(nil), x.lines...)
}

// Close ends every call, keeps what the far ends heard, closes every port, removes every
// PTY and its link, and waits. The host's ends of the ports then say io.EOF.
func (x *Exchange) Close() error {
	var errs []error
	for _, l := range x.Lines() {
		errs = append(errs, l.close())
	}
	x.mu.Lock()
	w := x.watcher
	x.watcher = nil
	x.mu.Unlock()
	if w != nil {
		errs = append(errs, w.close())
	}
	return errors.Join(errs...)
}

// watch is the exchange's watcher.
func (x *Exchange) watch() (w *watcher, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.watcher == nil {
		x.watcher, err = newWatcher()
	}
	return x.watcher, err
}

// Contradictions are those of all lines; after Close they include what was left behind.
func (x *Exchange) Contradictions() []string {
	var all []string
	for _, l := range x.Lines() {
		for _, c := range l.Contradictions() {
			all = append(all, l.name+": "+c)
		}
	}
	return all
}

// Check closes the exchange and reports each contradiction as an error of the test t.
func (x *Exchange) Check(t interface {
	Helper()
	Errorf(format string, args ...any)
}) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Errorf("sim: close: %v", err)
	}
	for _, c := range x.Contradictions() {
		t.Errorf("sim: contradiction: %s", c)
	}
}
