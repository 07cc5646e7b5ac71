package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/dialing"
	"hookswitch/firmware/keypad"
)

// Reasons of our own to end a call, as causes of its context.
var (
	errDisconnected = errors.New("call: disconnected by the user")
	errMaxCall      = errors.New("call: maximum call length reached")
	errShutdown     = errors.New("call: the daemon is stopping")
	errQueue        = errors.New("call: no line became free in time")
)

// startLimit bounds how long New waits for the modems to be put on-hook: a board with a
// dead modem must still serve its other lines.
const startLimit = 5 * time.Second

// Options of an Exchange. Every field but Lines and Rules has a working zero value.
type Options struct {
	Lines []LineConfig   // in the order of the configuration
	Rules *dialing.Rules // who may be dialled

	Quota   *dialing.Quota // how much a user may dial; nil is no limit
	MaxCall time.Duration  // from the answer to on-hook; 0 is 10 minutes
	PerUser int            // calls of one user at a time; 0 is 1, as Exchange had it; negative is no limit

	// RetryWindow is how long after a PlayOnPhone the same one (user, item and number)
	// counts as its retry, as long as nobody has answered: it gets the same call.
	RetryWindow time.Duration

	Choose    Choice        // which idle line takes a call
	Queue     int           // calls that may wait for a line; 0 refuses at once
	QueueWait time.Duration // how long they wait; 0 is 30 s

	Redial   int           // further attempts after busy or no answer
	RedialIn time.Duration // pause before each; 0 is 60 s

	Keys    keypad.Keys // what the telephone's keys do while a message plays; nil is keypad.Exchange
	Host    string      // names this board in call ids
	LogPath string      // the call log; "" keeps calls in memory only
	Log     *slog.Logger

	createLog func(path string) (logFile, error) // creates the call log's file; nil is on the card
}

// Choice is a rule for choosing among idle lines.
type Choice string

// Choices.
const (
	First      Choice = "first" // in the order of the configuration
	RoundRobin Choice = "round-robin"
	LeastUsed  Choice = "least-used" // fewest calls since the start
)

// Exchange is the board's lines and the calls on them. Its methods may be called from any
// goroutine.
type Exchange struct {
	opt   Options
	log   *slog.Logger
	lines []*line

	mu      sync.Mutex // guards what follows; never held over I/O, the log's neither
	closed  bool
	calls   map[string]*active // every remembered one
	live    map[string]*active // those that are not Disconnected: few, so that to look through them is quick
	ended   []*active          // the others, which change no more; only ever appended to, or replaced
	queue   []*active          // waiting for a line, first come first
	next    int                // round robin
	begun   int                // calls that ever began
	changed chan struct{}
	history *history

	running sync.WaitGroup // calls
	watches sync.WaitGroup // one per line
	stop    chan struct{}  // ends the watches
	life    context.Context
	endLife context.CancelFunc // gives up hang-ups that modems have not confirmed
}

// active is a call from Start to the end of its goroutine, and its record after that.
type active struct {
	req    Request
	number dialing.Dialled
	spent  *dialing.Spent // nil without a quota
	cancel context.CancelCauseFunc
	done   chan struct{}   // closed when the line is released and the record final
	line   *line           // nil while it waits for one
	info   Info            // guarded by Exchange.mu
	over   bool            // guarded by Exchange.mu: finish is at work, or done
	order  int             // counts the calls as they begin: dates are no order, a board may start in 1970
	since  time.Time       // monotonic: when it was asked for
	logged <-chan struct{} // closed when its start is in the call log, or can't be
	due    time.Time       // guarded by Exchange.mu: when the attempt is over whatever happens; zero between two
	seized bool            // guarded by Exchange.mu: the line may be off-hook, or is not known to be on-hook again
	hangup *hangup         // guarded by Exchange.mu: of the last attempt; nil while one runs
	holds  time.Time       // guarded by Exchange.mu: until when the guard may leave its relay closed
	lost   error           // guarded by Exchange.mu: the guard has opened its relay, or is gone

	message *audio.Message // what is played; belongs to the call's goroutine
	heard   heard
	limit   *time.Timer // ends the attempt; belongs to the call's goroutine
}

// New puts every line on-hook, first each relay, then each modem, and returns when that is
// confirmed or found impossible; a line that can't be confirmed is in fault. The error is
// that of the call log.
func New(opt Options) (*Exchange, error) {
	opt = opt.withDefaults()
	x := &Exchange{opt: opt, log: opt.Log, calls: map[string]*active{}, live: map[string]*active{}, changed: make(chan struct{}), stop: make(chan struct{})}
	x.life, x.endLife = context.WithCancel(context.Background())
	for _, cfg := range opt.Lines {
		x.lines = append(x.lines, newLine(cfg, x))
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for _, l := range x.lines { // all relays are open now; the keepers work side by side
		l.openModem()
	}
	for _, l := range x.lines {
		if err := l.modem.WaitReady(ctx); err != nil {
			x.log.Warn("line not ready", "line", l.cfg.Name, "error", err)
		}
		x.watches.Go(func() { x.watch(l) })
		if l.cfg.Lease != nil {
			x.watches.Go(func() { x.keepLease(l) })
		}
	}
	var err error
	x.history, err = openHistory(opt.LogPath, opt.Log, opt.createLog)
	x.rememberQuota(x.history.records())
	x.remember(slices.Clone(x.history.records()))
	return x, err
}

func (o Options) withDefaults() Options {
	if o.MaxCall == 0 {
		o.MaxCall = 10 * time.Minute
	}
	if o.PerUser == 0 {
		o.PerUser = 1
	}
	if o.QueueWait == 0 {
		o.QueueWait = 30 * time.Second
	}
	if o.RedialIn == 0 {
		o.RedialIn = 60 * time.Second
	}
	if o.Keys == nil {
		o.Keys = keypad.Exchange
	}
	if o.Host == "" {
		o.Host = "hookswitch"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// watch tells readers when a line comes or goes, and when it begins to ring and stops.
func (x *Exchange) watch(l *line) {
	told, rung := "", rings{}
	for {
		modemChanged, hookChanged := l.modem.Changed(), l.hook.Changed()
		now, again := l.rings()
		x.mu.Lock()
		err := l.faultLocked()
		x.notifyLocked()
		x.mu.Unlock()
		if err != nil && err.Error() != told {
			told = err.Error()
			x.log.Warn("line out of service", "line", l.cfg.Name, "error", err)
		} else if err == nil && told != "" {
			told = ""
			x.log.Info("line in service", "line", l.cfg.Name)
		}
		if now.on && now != rung {
			x.log.Info("line rings", "line", l.cfg.Name, "caller", now.caller)
		}
		rung = now
		select {
		case <-modemChanged:
		case <-hookChanged:
		case <-again:
		case <-l.guardChanged:
		case <-x.stop:
			return
		}
	}
}

// Stuck returns an error when a line or a call makes no progress any more, which nothing but
// a new start of the daemon mends. While it returns nil the watchdogs may be fed.
func (x *Exchange) Stuck() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.lines {
		if l.modem.Stuck() {
			return fmt.Errorf("call: the keeper of line %s's modem makes no progress", l.cfg.Name)
		}
		if c := l.call; c != nil && !c.due.IsZero() && time.Now().After(c.due) {
			return fmt.Errorf("call: the call on line %s should have ended at %v", l.cfg.Name, c.due.Format(time.TimeOnly))
		}
	}
	return nil
}

func (x *Exchange) notifyLocked() {
	close(x.changed)
	x.changed = make(chan struct{})
}

// Changed is closed, and replaced, at the next change of any call or line.
func (x *Exchange) Changed() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.changed
}

// Call returns what is known of a call, ErrUnknown where nothing is.
func (x *Exchange) Call(id string) (Info, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.calls[id]; c != nil {
		return c.info, nil
	}
	return Info{}, ErrUnknown
}

// Calls returns every remembered call, newest first.
func (x *Exchange) Calls() []Info {
	type known struct {
		order int
		info  *Info
	}
	x.mu.Lock()
	calls := make([]known, 0, len(x.calls))
	for _, c := range x.live {
		info := c.info
		calls = append(calls, known{c.order, &info})
	}
	ended := x.ended
	x.mu.Unlock()
	for _, c := range ended {
		calls = append(calls, known{c.order, &c.info})
	}
	slices.SortFunc(calls, func(a, b known) int { return b.order - a.order })
	infos := make([]Info, len(calls))
	for i, c := range calls {
		infos[i] = *c.info
	}
	return infos
}

// Faults is what is wrong with the call log, and the quota that is nearly used, a sentence each.
func (x *Exchange) Faults() []string { return append(x.history.faults(), x.quotaFaults()...) }

// Lines returns every line in the order of the configuration.
func (x *Exchange) Lines() []LineInfo {
	x.mu.Lock()
	defer x.mu.Unlock()
	infos := make([]LineInfo, len(x.lines))
	for i, l := range x.lines {
		infos[i] = l.infoLocked()
	}
	return infos
}

// Close hangs up every line, waits for every call and closes the modems, in that order: a
// modem that is closed can no longer be told to hang up. It may be called more than once, and
// waits for nothing endlessly.
func (x *Exchange) Close() error {
	x.mu.Lock()
	first := !x.closed
	x.closed = true
	var live []*active
	for _, c := range x.live {
		live = append(live, c)
	}
	x.mu.Unlock()
	var ends sync.WaitGroup
	for _, c := range live {
		ends.Go(func() { _ = x.end(context.Background(), c, errShutdown) })
	}
	ends.Wait()
	giveUp := time.AfterFunc(modemLimit, x.endLife) // a modem is told to hang up for as long as we can wait
	running := make(chan struct{})
	go func() { x.running.Wait(); close(running) }()
	limit := time.NewTimer(modemLimit + callLimit)
	defer limit.Stop()
	var errs []error
	select {
	case <-running:
	case <-limit.C: // its line is on-hook, or was given up
		errs = append(errs, errors.New("call: a call waits for a card or another machine"))
	}
	giveUp.Stop()
	x.endLife()
	if !first {
		return nil
	}
	x.awaitTechnicians()
	close(x.stop)
	x.watches.Wait()
	for _, l := range x.lines {
		errs = append(errs, l.close())
	}
	return errors.Join(append(errs, x.history.close())...)
}

// awaitTechnicians waits until no line is lent any more, for a moment.
func (x *Exchange) awaitTechnicians() {
	limit := time.NewTimer(lentLimit)
	defer limit.Stop()
	for {
		x.mu.Lock()
		lent := slices.ContainsFunc(x.lines, func(l *line) bool { return l.lent != nil })
		changed := x.changed
		x.mu.Unlock()
		if !lent {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			return
		}
	}
}
