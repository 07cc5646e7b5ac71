// Package at speaks with a modem on a serial port: commands and their final result codes
// (ITU-T V.250), unsolicited lines between them, and voice data mode (V.253).
//
//	host                      modem
//	AT+FCLASS?<CR>  ───────►
//	                ◄───────  AT+FCLASS?<CR>            echo, where it is on
//	                ◄───────  <CR><LF>8<CR><LF>         information
//	                ◄───────  <DLE>R                    DLE code, at any time
//	                ◄───────  +CRING: VOICE<CR><LF>     unsolicited, at any time
//	                ◄───────  <CR><LF>OK<CR><LF>        final result code
//
// It takes what modems really send: header and trailer of any number of CR and LF, replies
// split at any byte or glued to unsolicited lines, echo that comes back, numeric result
// codes, DLE codes anywhere. It knows no calls and no dialects.
package at

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// closeLimit bounds the wait for a port that does not let go of its reader.
const closeLimit = 2 * time.Second

var errClosed = errors.New("closed here")

// Config says who listens to a Chat. Every function may be nil. They must neither block
// nor call the Chat; URC and Event are called one at a time, in the order of what is heard.
type Config struct {
	URC   func(line string)            // a line that answers no command
	Event func(code byte)              // a DLE code from a voice modem, in voice data mode or not
	Trace func(sent bool, data []byte) // every byte but voice data
}

// Chat is a dialogue with one modem. Its methods may be called from any goroutine;
// commands take turns.
type Chat struct {
	port  io.ReadWriteCloser
	cfg   Config
	out   *Writer
	in    reader
	turn  chan struct{} // holds a token while a job runs
	gone  chan struct{} // closed when the port is of no more use
	tasks sync.WaitGroup

	mu      sync.Mutex // guards what follows
	job     *job       // what the modem is busy with, nil when idle
	err     error      // why gone is closed
	verbose bool       // it has spoken in words: a bare digit is information
	lingers bool       // it may be in voice data mode, though it has said how that ended
	owed    bool       // a command was given up: its answer may still come
	stutter bool       // it has answered twice
	echoes  int        // commands that have come back
	heard   time.Time  // when it last said anything
}

// job is a command from its first byte to its final result code, voice data mode included.
// What is not constant is guarded by Chat.mu until done is closed.
type job struct {
	cmd    string
	prefix string
	kind   kind
	stream *Stream // of kind stream

	sent      time.Time
	aborted   bool
	told      bool // that there is no more sound
	sounding  bool // in voice data mode
	info      []string
	result    string // "" when it was given up
	err       error
	connected chan struct{} // closed by CONNECT
	done      chan struct{} // closed by the final result code, or when given up
}

// NewChat starts a dialogue on port, which it owns from then on. Read of port must block
// until there is data or an error; Close must free both Read and Write.
func NewChat(port io.ReadWriteCloser, cfg Config) *Chat {
	c := &Chat{
		port: port, cfg: cfg, out: NewWriter(port),
		turn: make(chan struct{}, 1), gone: make(chan struct{}), heard: time.Now(),
		in: reader{buf: make([]byte, 4096)},
	}
	c.tasks.Go(c.read)
	return c
}

// Close closes the port and waits until nobody reads it. A running command returns
// ErrGone. It may be called more than once.
func (c *Chat) Close() error {
	_ = c.fail(errClosed)
	done := make(chan struct{})
	go func() { c.tasks.Wait(); close(done) }()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case <-done:
		return nil
	case <-limit.C:
		return fmt.Errorf("at: port did not close in %v", closeLimit)
	}
}

// Gone is closed when the port is of no more use: unplugged, stuck or closed. Err says why.
func (c *Chat) Gone() <-chan struct{} { return c.gone }

// Err is nil, or wraps ErrGone once the port is of no more use.
func (c *Chat) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Command sends cmd, "ATI3" say, and returns its info lines: those that begin with prefix
// and those not marked as anything; with an error, those that came before it. A refusal is an
// *Error. No answer within the command's own limit, or ctx's deadline, is ErrTimeout. When ctx
// is cancelled the command is aborted as V.250 5.6.1 has it, by one CR and at most a second
// for its final result code, and the error wraps ctx's cause.
func (c *Chat) Command(ctx context.Context, cmd, prefix string) (info []string, err error) {
	j := &job{cmd: cmd, prefix: prefix, kind: kindOf(cmd)}
	if err := c.do(ctx, j); err != nil {
		return j.info, err
	}
	return j.info, j.err
}

// Dial sends a dial or answer command (ATD, ATA) and returns its final result code, a good
// one or not: OK, VCON, BUSY, NO CARRIER, … Errors and ctx are as with Command.
func (c *Chat) Dial(ctx context.Context, cmd string) (result string, err error) {
	j := &job{cmd: cmd, kind: dial}
	if err := c.do(ctx, j); err != nil {
		return "", err
	}
	return j.result, nil
}

// Echoes is how many commands have come back as echo: one more after ATE0 means that the
// modem has forgotten it.
func (c *Chat) Echoes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.echoes
}

func kindOf(cmd string) kind {
	if cmd == "ATA" || strings.HasPrefix(cmd, "ATD") {
		return dial
	}
	return plain
}

// do runs a job to its final result code.
func (c *Chat) do(ctx context.Context, j *job) error {
	if err := c.start(ctx, j); err != nil {
		return err
	}
	timer := time.NewTimer(limitOf(j.cmd))
	defer timer.Stop()
	select {
	case <-j.done:
		return j.lost()
	case <-ctx.Done():
		return c.abandon(j, causeOf(ctx))
	case <-timer.C:
		return c.abandon(j, ErrTimeout)
	}
}

// abandon aborts what can be aborted and stops waiting.
func (c *Chat) abandon(j *job, why error) error {
	select {
	case <-j.done: // the answer came together with the reason to give up
		return j.lost()
	default:
	}
	if j.kind != plain || !errors.Is(why, ErrTimeout) {
		c.Interrupt()
		_ = c.Settle()
	}
	c.giveUp(j, ErrTimeout)
	return wrap(j.cmd, why)
}

// lost is why a job that has ended has no final result code.
func (j *job) lost() error {
	if j.result == "" {
		return j.err
	}
	return nil
}

// causeOf is ErrTimeout where ctx ended because its time was over.
func causeOf(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, context.Cause(ctx))
	}
	return context.Cause(ctx)
}

func wrap(cmd string, err error) error { return fmt.Errorf("at: %s: %w", discreet(cmd), err) }

// discreet is a command as it may be told: without a SIM's PIN.
func discreet(cmd string) string {
	if strings.HasPrefix(cmd, "AT+CPIN=") {
		return "AT+CPIN=…"
	}
	return cmd
}

// start waits for its turn and sends the command.
func (c *Chat) start(ctx context.Context, j *job) error {
	select {
	case c.turn <- struct{}{}:
	default:
		select {
		case c.turn <- struct{}{}:
		case <-ctx.Done():
			return wrap(j.cmd, causeOf(ctx))
		case <-c.gone:
			return wrap(j.cmd, c.Err())
		}
	}
	if err := c.claim(ctx, j); err != nil {
		<-c.turn
		return wrap(j.cmd, err)
	}
	if c.cfg.Trace != nil {
		c.cfg.Trace(true, []byte(discreet(j.cmd)+"\r"))
	}
	if err := c.writeUntraced([]byte(j.cmd + "\r")); err != nil {
		return wrap(j.cmd, err)
	}
	return nil
}

// claim makes j the running job, before its first byte: the answer may come before Write returns.
func (c *Chat) claim(ctx context.Context, j *job) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if ctx.Err() != nil { // the turn came together with the end
		return causeOf(ctx)
	}
	if strings.HasPrefix(j.cmd, "ATZ") || strings.HasPrefix(j.cmd, "AT&F") {
		c.verbose = false // the stored profile may have V0
	}
	j.done, j.sent = make(chan struct{}), time.Now()
	if j.kind == stream {
		j.connected = make(chan struct{})
	}
	c.job = j
	return nil
}

// finishLocked ends a job; c.mu is held. Only the first call counts.
func (c *Chat) finishLocked(j *job, result string, err error) {
	if c.job != j {
		return
	}
	j.result, j.err = result, err
	c.lingers = j.sounding && !j.aborted && !j.told && err != nil
	c.job = nil
	close(j.done)
	<-c.turn
}

// giveUp ends a job that has not ended by itself; its answer may still come.
func (c *Chat) giveUp(j *job, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.job == j {
		c.owed = true
		c.finishLocked(j, "", wrap(j.cmd, err))
	}
}

// write sends b, traced.
func (c *Chat) write(b []byte) error {
	if c.cfg.Trace != nil {
		c.cfg.Trace(true, b)
	}
	return c.writeUntraced(b)
}

// writeUntraced sends b. A write that fails ends the Chat.
func (c *Chat) writeUntraced(b []byte) error {
	if _, err := c.out.Write(b); err != nil {
		return c.fail(err)
	}
	return nil
}

// fail ends the Chat and returns the error that it ended with.
func (c *Chat) fail(cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if c.out.Stuck() { // then the reader has only seen what came of it
		cause = ErrStuck
	}
	c.err = fmt.Errorf("%w: %w", ErrGone, cause)
	close(c.gone)
	if c.job != nil {
		c.finishLocked(c.job, "", wrap(c.job.cmd, c.err))
	}
	// Closing may take as long as the driver likes, and frees who reads.
	c.tasks.Go(func() { _ = c.out.Close() })
	return c.err
}
