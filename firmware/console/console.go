// Package console is the technician's console: a login and a table of commands on a serial
// port, for a person whose terminal may know nothing but printable characters, CR, LF and
// backspace, and for a program that waits for the last line of each reply, which is OK or
// begins with ERROR.
//
//	port ─► keyboard ─► editor ─► table of commands ─► reply
//	        keyboard.go editor.go  commands.go
//
// A technician may do what a caller may not: take a line out of service, put it off-hook,
// speak with its modem. Whatever ends that (a command, a timeout, a logout, an unplugged
// cable, the end of the daemon) puts the line on-hook.
package console

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/mailbox"
	"hookswitch/firmware/update"
	"hookswitch/hal/rpi"
)

// Config is what the console is connected to. The commands that need what is nil say that
// this board has it not.
type Config struct {
	Version string       // which program this is, for a person
	Path    string       // the configuration file; "" on the simulated board
	Tail    *Tail        // the end of the daemon's log
	Log     *slog.Logger // nil is silent

	// Board is what is in force now. It is called anew for each command, and the Board is
	// used for that command only.
	Board func() Board

	// Reload puts the file at Path in force and returns once lines and HTTP front work by
	// it, or with the reason why they can't; then what was in force before is again. The
	// console's sessions outlive it.
	Reload func(ctx context.Context) error

	Card    *update.Card                   // the appliance's; nil elsewhere
	Restart func(how update.Restart) error // of the appliance
	SetTime func(t time.Time) error        // sets the machine's clock
}

// Board is the part of the daemon that a new configuration replaces.
type Board struct {
	Config *config.Config
	Calls  *call.Exchange
	Store  *mailbox.Store
	Host   string // the board's name: in the prompt, and what factory-reset asks for

	// Play starts a call that plays an item, as a SOAP client's request would.
	Play func(ctx context.Context, user, item, dial string) (call.Info, error)

	URL         string // where clients reach the board
	Fingerprint string // of its certificate; "" without TLS
}

// Console is the console of a board, on any number of ports at the same time.
type Console struct {
	cfg     Config
	log     *slog.Logger
	started time.Time
	door    door
	trial   trial
	news    chan string // for whoever is logged in first
}

// maxNews is how much is kept for a technician who is not there.
const maxNews = 20

// ErrUnread is the error of Show when nobody has read for long.
var ErrUnread = errors.New("console: nobody reads what is shown to the technician")

// Show tells a line to the technician who is logged in, else to the next one, once. It does
// not wait for that. ErrUnread is for too much that nobody has read.
func (c *Console) Show(text string) error {
	select {
	case c.news <- text:
		return nil
	default:
		return ErrUnread
	}
}

// New returns a console, which does nothing until Run or Serve.
func New(cfg Config) *Console {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Tail == nil {
		cfg.Tail = NewTail(io.Discard)
	}
	return &Console{cfg: cfg, log: cfg.Log, started: time.Now(), trial: trial{changed: make(chan struct{}, 1)}, news: make(chan string, maxNews)}
}

// Run serves the technician on each of the ports, and rolls back a configuration that
// nobody confirms. It returns when ctx has ended and every line is on-hook again.
func (c *Console) Run(ctx context.Context, ports ...string) {
	var running sync.WaitGroup
	running.Go(func() { c.keepTrial(ctx) })
	for _, path := range ports {
		running.Go(func() { c.serveTTY(ctx, path) })
	}
	running.Wait()
}

const (
	ttyBaud = 115200
	// ttyRetry is how soon a port that has come back is noticed.
	ttyRetry = time.Second
)

// serveTTY serves the serial port at path, 115200 baud, whenever it is there, until ctx ends.
func (c *Console) serveTTY(ctx context.Context, path string) {
	told := ""
	for ctx.Err() == nil {
		port, err := rpi.OpenSerial(path, ttyBaud)
		if err == nil {
			told = ""
			c.log.Info("console", "port", path)
			err = c.Serve(ctx, port)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != told { // once, not once a second
			told = err.Error()
			level := slog.LevelWarn
			if errors.Is(err, fs.ErrNotExist) { // a cable may come later
				level = slog.LevelDebug
			}
			c.log.Log(ctx, level, "console", "port", path, "error", err)
		}
		select {
		case <-time.After(ttyRetry):
		case <-ctx.Done():
		}
	}
}
