// Package at speaks with a modem: lines and result codes as V.250 has them, unsolicited
// result codes (URCs) in between, and voice data shielded with DLE as V.253 has it.
//
//	host                      modem
//	AT+FCLASS?<CR>  ───────►
//	                ◄───────  AT+FCLASS?<CR>           echo, if it is on
//	                ◄───────  <CR><LF>8<CR><LF>        information
//	                ◄───────  <DLE>R                   event, at any time
//	                ◄───────  +CRING: VOICE<CR><LF>    unsolicited, at any time
//	                ◄───────  <CR><LF>OK<CR><LF>       final result code
//
// Modems differ in how many CR and LF stand where, so any run of them ends a line.
package at

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of a command.
var (
	ErrTimeout = errors.New("at: no final result code")
	ErrClosed  = errors.New("at: port closed")
)

// ResultError is a final result code that is not OK: ERROR, BUSY, +CME ERROR: 30.
type ResultError struct {
	Command string
	Result  string
}

func (e *ResultError) Error() string { return fmt.Sprintf("at: %s: %s", e.Command, e.Result) }

// Times of V.250.
const (
	abortWait = time.Second            // V.250 5.6.1: from the aborting character to the result code
	abortDeaf = 160 * time.Millisecond // with margin: for 125 ms after the command an aborting character is ignored
	drainFor  = 200 * time.Millisecond // what a modem may still say of a command that was given up
)

// Config says how a Chat treats its port. The functions are called in order from the
// reader goroutine; they must not block and must not send commands.
type Config struct {
	URC    func(line string)            // unsolicited lines
	Event  func(code byte)              // <DLE>code of a voice modem; nil for ports without shielding
	Trace  func(sent bool, data []byte) // every byte; may be nil
	Shield bool                         // the port is a voice modem's: <DLE> begins an event
}

// Chat is the AT dialogue on one port. One command runs at a time; a second waits.
type Chat struct {
	rw    io.ReadWriteCloser
	cfg   Config
	turn  chan struct{} // holds a token: whoever has it may run a command, and has what follows
	timer *time.Timer
	out   []byte

	write sync.Mutex // one write at a time

	mu      sync.Mutex // guards what follows
	pending *pending
	stale   bool  // a command was given up: its reply may still come
	err     error // why the reader has stopped

	text   atomic.Bool   // asks the reader to take what comes for text
	gone   chan struct{} // closed when the reader has stopped
	framer framer        // the reader's own
}

// pending is a command that waits for its final result code.
type pending struct {
	cmd    Cmd
	echo   bool // nothing has been read since it was sent
	sent   time.Time
	info   []string
	result string
	done   chan struct{}
}

// Cmd is one command.
type Cmd struct {
	Text   string // without the CR: "AT+CLCC"; or, with Raw, the very bytes to send
	Raw    bool
	Prefix string       // information lines begin so; Any takes every line that is no known URC; "" takes none
	Dial   bool         // ATD, ATA: call results end it, and a byte aborts it
	Stream bool         // +VTX, +VRX: only CONNECT is success
	Sink   func([]byte) // takes the voice data after CONNECT, from the reader goroutine
}

// Any as a Cmd's Prefix takes every line that is not a known URC for information.
const Any = "*"

// NewChat starts the reader of rw. Close stops it.
func NewChat(rw io.ReadWriteCloser, cfg Config) *Chat {
	c := &Chat{rw: rw, cfg: cfg, turn: make(chan struct{}, 1), gone: make(chan struct{})}
	c.turn <- struct{}{}
	c.timer = time.NewTimer(time.Hour)
	c.timer.Stop()
	c.framer = framer{shield: cfg.Shield, line: c.line, event: c.event}
	go c.read()
	return c
}

// Gone is closed when the port has failed or was closed; Err then says why.
func (c *Chat) Gone() <-chan struct{} { return c.gone }

// Err is why the port can no longer be read, or nil.
func (c *Chat) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Port is the port that the dialogue runs on.
func (c *Chat) Port() io.ReadWriteCloser { return c.rw }

// Close closes the port and waits for the reader.
func (c *Chat) Close() error {
	err := c.rw.Close()
	<-c.gone
	return err
}

// Text takes what comes from now on for lines again, where a modem has left its voice data
// without saying so.
func (c *Chat) Text() { c.text.Store(true) }

func (c *Chat) read() {
	buf := make([]byte, 4096)
	for {
		n, err := c.rw.Read(buf)
		if n > 0 {
			if c.cfg.Trace != nil {
				c.cfg.Trace(false, buf[:n])
			}
			if c.text.Swap(false) {
				c.framer.sink = nil
			}
			c.framer.feed(buf[:n])
			// Whoever waits for the answer runs now, on this processor: the read that
			// follows would keep it until the scheduler notices, fifty µs later.
			runtime.Gosched()
		}
		if err != nil {
			c.mu.Lock()
			c.err = fmt.Errorf("%w: %w", ErrClosed, err)
			c.mu.Unlock()
			close(c.gone)
			return
		}
	}
}

// Command sends an AT command and returns its information lines when the final result
// code has come: nil for OK, *ResultError for another. It waits for limit at the most.
// When ctx ends while a dial command runs, one CR aborts it (V.250 5.6.1) and its result is
// awaited for a second; other commands are given up. The error then is ctx's cause.
func (c *Chat) Command(ctx context.Context, limit time.Duration, cmd Cmd) ([]string, error) {
	select {
	case <-c.turn: // as a rule nobody else has it
	default:
		select {
		case <-c.turn:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-c.gone:
			return nil, c.Err()
		}
	}
	info, err := c.command(ctx, limit, cmd)
	c.turn <- struct{}{}
	return info, err
}

func (c *Chat) command(ctx context.Context, limit time.Duration, cmd Cmd) ([]string, error) {
	c.drain()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	p := c.begin(cmd)
	c.out = append(c.out[:0], cmd.Text...)
	if !cmd.Raw {
		c.out = append(c.out, '\r')
	}
	if err := c.Write(c.out); err != nil {
		c.giveUp(p)
		return nil, err
	}
	c.timer.Reset(limit)
	defer c.timer.Stop()
	select {
	case <-p.done:
		return c.result(p)
	case <-c.gone:
		select {
		case <-p.done: // its last word
			return c.result(p)
		default:
			return nil, c.Err()
		}
	case <-c.timer.C:
		c.giveUp(p)
		return nil, fmt.Errorf("%w: %q after %v", ErrTimeout, cmd.Text, limit)
	case <-ctx.Done():
		c.abort(p)
		return nil, context.Cause(ctx)
	}
}

func (c *Chat) begin(cmd Cmd) *pending {
	p := &pending{cmd: cmd, echo: !cmd.Raw, sent: time.Now(), done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = p
	return p
}

func (c *Chat) result(p *pending) ([]string, error) {
	result := p.result
	if text, ok := numerics[result]; ok {
		result = text
	}
	if resultClass(result, p.cmd.Dial) == finalOK && (!p.cmd.Stream || isConnect(result)) {
		return p.info, nil
	}
	return p.info, &ResultError{Command: p.cmd.Text, Result: result}
}

// giveUp stops waiting for p; what the modem still says of it is dropped by drain.
func (c *Chat) giveUp(p *pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending == p {
		c.pending, c.stale = nil, true
	}
}

// abort ends a dial command with one byte and waits for the modem's word. Any other
// command has no such thing: its answer is awaited a moment and then dropped.
func (c *Chat) abort(p *pending) {
	wait := drainFor
	if p.cmd.Dial {
		_ = c.Write([]byte{'\r'})
		if deaf := abortDeaf - time.Since(p.sent); deaf > 0 && !c.within(p, deaf) {
			_ = c.Write([]byte{'\r'}) // the first one came too early to be heard
		}
		wait = abortWait
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.done:
		c.mu.Lock()
		c.stale = p.cmd.Dial // an aborted modem may answer twice
		c.mu.Unlock()
	case <-c.gone:
	case <-timer.C:
		c.giveUp(p)
	}
}

// within waits for p's result, for d at the most.
func (c *Chat) within(p *pending, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-c.gone:
		return true
	case <-timer.C:
		return false
	}
}

// drain lets pass what a modem still says of a command that was given up.
func (c *Chat) drain() {
	c.mu.Lock()
	stale := c.stale
	c.stale = false
	c.mu.Unlock()
	if !stale {
		return
	}
	timer := time.NewTimer(drainFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.gone:
	}
}

// Write sends bytes as they are: voice data, already shielded, and the codes that end it.
func (c *Chat) Write(b []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	if c.cfg.Trace != nil {
		c.cfg.Trace(true, b)
	}
	if _, err := c.rw.Write(b); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil
}

// line takes one line from the framer, without its CR and LF.
func (c *Chat) line(line string) {
	c.mu.Lock()
	p := c.pending
	switch {
	case p == nil:
		c.mu.Unlock()
		if resultClass(line, false) == notFinal || callEnded(line) { // a late OK or ERROR is nobody's
			c.urc(line)
		}
		return
	case p.echo && isEcho(line, p.cmd.Text):
		p.echo = false
	case p.isFinal(line):
		p.result = line
		c.pending = nil
		if p.cmd.Sink != nil && isConnect(line) {
			c.framer.data(p.cmd.Sink)
		}
		close(p.done)
	case p.isInfo(line):
		p.info = append(p.info, line)
	default:
		c.mu.Unlock()
		c.urc(line)
		return
	}
	c.mu.Unlock()
}

func (c *Chat) urc(line string) {
	if c.cfg.URC != nil {
		c.cfg.URC(line)
	}
}

func (c *Chat) event(code byte) {
	if c.cfg.Event != nil {
		c.cfg.Event(code)
	}
}
