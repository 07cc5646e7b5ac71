package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"hookswitch/hal/at"
	"hookswitch/hal/modem/dialect"
)

// session is one opening of the port.
type session struct {
	cfg   *Config
	log   *slog.Logger
	port  io.ReadWriteCloser
	chat  *at.Chat
	began time.Time
	ring  *ringLog
	nudge chan struct{} // the network, the SIM or the modem has changed
	renew chan struct{} // asks the keeper to open the modem anew

	// set by start, constant after it
	dialect dialect.Dialect
	known   bool // dialect is that of the modem; before, it is not even sure which kind it is
	ident   []string
	classes []string         // answer to AT+FCLASS=?
	formats []dialect.Format // answer to AT+VSM=?
	format  dialect.Format
	codec   codec
	flow    bool     // RTS/CTS is on: a voice modem can hold back what it has no room for
	setup   []string // format and set-up of voice mode, what the modem has accepted
	ready   bool     // on-hook, and known what it is
	lasting error    // a fault that no waiting cures
	probing bool     // nobody is going to call: the audio port is not asked for

	// of whoever has the modem's turn
	sound   bool     // there is a way for it, as far as is known
	unheard error    // the module has refused its sound in a call; nothing but proof outweighs that
	warned  []string // what was told once
	mark    mark     // by which a module that has restarted is known

	mu       sync.Mutex // guards what follows
	call     *call      // nil when on-hook
	restart  bool       // only a restart of the module cures its sound
	rebooted bool       // it has restarted by itself
	suspect  bool       // it may have
	noise    int        // lines that answered nothing
	odd      int        // those among them that nothing is known of: it may have been an answer, garbled
}

// newSession starts the dialogue on an open port, of a line of which nothing is remembered.
func newSession(cfg *Config, log *slog.Logger, port io.ReadWriteCloser) *session {
	return openSession(cfg, log, port, new(ringLog))
}

// openSession starts the dialogue on an open port. ring outlives it: a line may ring while
// its modem is opened anew.
func openSession(cfg *Config, log *slog.Logger, port io.ReadWriteCloser, ring *ringLog) *session {
	s := &session{cfg: cfg, log: log, port: port, ring: ring, began: time.Now(), nudge: make(chan struct{}, 1), renew: make(chan struct{}, 1)}
	s.dialect, s.known = dialect.Lookup(cfg.Dialect)
	s.chat = at.NewChat(port, at.Config{URC: s.line, Event: s.code, Trace: cfg.Trace})
	return s
}

// close closes the port and ends what still runs on it.
func (s *session) close() {
	_ = s.chat.Close()
	if c := s.takeCall(); c != nil {
		c.end(explain("", s.chat.Err()))
		c.close()
	}
}

func (s *session) current() *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.call
}

func (s *session) setCall(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call = c
}

func (s *session) takeCall() *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.call
	s.call = nil
	return c
}

// code takes a DLE code, in the goroutine that reads the port.
func (s *session) code(code byte) {
	c := s.current()
	if code == 'R' && (c == nil || !c.isAnswered()) { // off-hook it means nothing
		s.ring.note("")
	}
	if c != nil {
		c.code(code)
	}
}

// reports begin lines that say that something about the modem itself has changed.
var reports = []string{"+CREG:", "+CEREG:", "+CPIN:", "+SIMCARD:", "+QUSIM:", "^SIMST:"}

// line takes an unsolicited line, in the goroutine that reads the port.
func (s *session) line(line string) {
	s.mu.Lock()
	c := s.call
	s.noise++
	changed := slices.ContainsFunc(reports, func(r string) bool { return strings.HasPrefix(line, r) })
	rebooted := beginsWithOne(line, reboots)
	s.rebooted = s.rebooted || rebooted
	s.suspect = s.suspect || beginsWithOne(line, started)
	changed = changed || rebooted || s.suspect
	s.mu.Unlock()
	if changed {
		s.wake()
	}
	s.heard(line, c)
	switch {
	case c != nil && rebooted:
		c.end(fmt.Errorf("%w: %s", ErrRestarted, line))
	case c != nil && !c.voice && beginsWithOne(line, started):
		c.doubt(fmt.Errorf("%w: %s", ErrRestarted, line))
	case c != nil:
		c.drift(line)
		c.line(line)
	}
}

// wake makes the keeper look at the modem now.
func (s *session) wake() {
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// heard notes ringing, and lines that nothing is known of.
func (s *session) heard(line string, c *call) {
	for _, part := range unglue(line) {
		r, known := parseReport(part)
		if r.incoming() && (c == nil || !c.voice || !c.isAnswered()) { // a line that is off-hook does not ring
			s.ring.note(r.caller)
		}
		if !known && !isNoise(part) {
			s.mu.Lock()
			s.odd++
			s.mu.Unlock()
		}
	}
}

// oddLines counts the lines so far of which nothing is known.
func (s *session) oddLines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.odd
}

// start puts the modem on-hook, then finds out what it is and sets it up. The error is a
// fault; with ErrGone or ErrTimeout the modem is out of reach.
func (s *session) start(ctx context.Context) error {
	if err := s.firstHangup(ctx); err != nil {
		return s.unreachable(err)
	}
	// The OK to ATH may have been that to the end of voice data. ATZ hangs up as well; where
	// it is refused ATH says it again. It brings echo back on some, and results in digits.
	if !s.tell(ctx, "ATZ") {
		s.tell(ctx, "ATE0Q0V1") // Q1 may be back, and nothing was answered
		if err := s.onHook(ctx); err != nil {
			return s.unreachable(err)
		}
	}
	if err := s.must(ctx, "ATE0Q0V1"); err != nil {
		if err := s.must(ctx, "AT"); err != nil {
			return s.unreachable(err)
		}
	}
	s.chat.Drain(ctx, glance) // to find out one that answers twice
	if err := s.identify(ctx); err != nil {
		return s.unreachable(err)
	}
	s.forgetReboot() // as a module may say that it has started while it is asked what it is
	err := s.setUp(ctx)
	s.remember(ctx)
	if gone := s.chat.Err(); gone != nil {
		return s.unreachable(gone)
	}
	s.ready = err == nil || awaited(err)
	return err
}

// setUp is the part of start that differs between kinds of modems.
func (s *session) setUp(ctx context.Context) error {
	if s.lasting != nil { // it is not the line's
		return s.lasting
	}
	if s.dialect.GSM {
		return s.startGSM(ctx)
	}
	err := s.startVoice(ctx)
	if errors.Is(err, ErrNoService) {
		s.lasting = err
	}
	return err
}

func (s *session) forgetReboot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rebooted, s.suspect = false, false
}

// unreachable is the fault of a modem that can't be spoken with.
func (s *session) unreachable(err error) error {
	s.mu.Lock()
	noise := s.noise
	s.mu.Unlock()
	var fault *faultError
	switch {
	case errors.As(err, &fault):
		return err
	case errors.Is(err, at.ErrStuck):
		return faultf(ErrGone, "the modem takes nothing that is written to it: check flow control, or switch it off for 5 s")
	case errors.Is(err, at.ErrGone):
		return faultf(ErrGone, "the modem went away while it was set up: check its cable and power")
	case errors.Is(err, at.ErrTimeout) && noise > 0:
		return faultf(ErrTimeout, "what the modem sends is no answer: check the baud rate, and that no other program uses the port")
	case errors.Is(err, at.ErrTimeout):
		return faultf(ErrTimeout, "the modem does not answer: check that this is its command port, its power, and the baud rate; if it has worked before, switch it off for 5 s")
	case refused(err):
		return faultf(ErrRefused, "the modem refuses AT itself (%v): switch it off for 5 s", err)
	}
	return faultf(err, "the modem was not set up: %v", err)
}

// must sends a command, again where there was no answer: a modem may still be busy with
// what it was told before.
func (s *session) must(ctx context.Context, cmd string) error {
	var err error
	for range 3 {
		if _, err = s.ask(ctx, cmd, ""); !errors.Is(err, at.ErrTimeout) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// ask sends a command when the modem no longer owes an answer to another.
func (s *session) ask(ctx context.Context, cmd, prefix string) ([]string, error) {
	if s.chat.Unsure() {
		s.chat.Drain(ctx, settle)
	}
	return s.chat.Command(ctx, cmd, prefix)
}

// tell sends a command that may be refused.
func (s *session) tell(ctx context.Context, cmd string) (ok bool) {
	if s.chat.Unsure() {
		s.chat.Drain(ctx, settle)
	}
	_, err := s.chat.Command(ctx, cmd, "")
	if err != nil {
		s.log.Debug("modem command not accepted", "command", cmd, "error", err)
	}
	return err == nil
}

// check reports whether the modem still answers, and what has become of its network.
func (s *session) check(ctx context.Context) error {
	if err := s.must(ctx, "AT"); err != nil {
		return s.unreachable(err)
	}
	if err := s.fresh(ctx); err != nil {
		return err
	}
	if s.dialect.GSM {
		return s.fit(ctx)
	}
	return nil
}

const (
	// settle is how long a modem that owes an answer must have been quiet to be taken at its word.
	settle = 200 * time.Millisecond
	// glance is long enough to hear what a modem that answers at all has to say.
	glance = 20 * time.Millisecond
)
