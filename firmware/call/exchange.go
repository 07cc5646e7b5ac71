package call

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"hookswitch/firmware/audio"
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
	Lines []LineConfig // in the order of the configuration
	Rules *Rules       // who may be dialled

	Quota   *Quota        // how much a user may dial; nil is no limit
	MaxCall time.Duration // from off-hook to on-hook; 0 is 10 minutes
	PerUser int           // calls of one user at a time; 0 is 1, as Exchange had it; negative is no limit

	// RetryWindow is how long after a PlayOnPhone the same one (user, item and number)
	// counts as its retry, as long as nobody has answered: it gets the same call.
	RetryWindow time.Duration

	Choose    Choice        // which idle line takes a call
	Queue     int           // calls that may wait for a line; 0 refuses at once
	QueueWait time.Duration // how long they wait; 0 is 30 s

	Redial   int           // further attempts after busy or no answer
	RedialIn time.Duration // pause before each; 0 is 60 s

	Keys    Keys   // what the telephone's keys do while a message plays; nil is ExchangeKeys
	Host    string // names this board in call ids
	LogPath string // the call log; "" keeps calls in memory only
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
	number Dialled
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
		o.Keys = ExchangeKeys
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

// Foresee returns what Start would return at once without a call of its own, so that nobody
// prepares the sound for nothing: the error, or the call that req repeats. Otherwise the Info
// is the zero one.
func (x *Exchange) Foresee(req Request) (Info, error) {
	number, err := x.check(req)
	if err != nil {
		return Info{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	c, _, err := x.admitsLocked(req, number)
	switch {
	case err != nil:
		return Info{}, err
	case c != nil:
		return c.info, nil
	case x.opt.Quota != nil:
		return Info{}, x.opt.Quota.Check(req.User, number.String())
	}
	return Info{}, nil
}

// Start checks the request, takes an idle line and returns at once with the call's Info;
// the call runs on. Errors: ErrNumber, ErrDenied, ErrUserBusy, ErrNoLine, ErrRinging, ErrFault.
func (x *Exchange) Start(req Request) (Info, error) {
	defer func() {
		if req.Message != nil { // no call has taken it
			req.Message.Close()
		}
	}()
	number, err := x.check(req)
	if err != nil {
		return Info{}, err
	}
	c, info, err := x.start(&req, number)
	if err != nil {
		return Info{}, err
	}
	// The call is under way; its id, which the client is about to have, should be known
	// after a power cut too. Nobody but the client waits for that, and not for a bad card.
	limit := time.NewTimer(logLimit)
	defer limit.Stop()
	select {
	case <-c.logged:
	case <-limit.C:
	}
	return info, nil
}

// logLimit is how long a client waits for the card. From experience: a good one takes some
// milliseconds, one that tidies itself up may take seconds.
const logLimit = 500 * time.Millisecond

// check gives the number that is dialled.
func (x *Exchange) check(req Request) (number Dialled, err error) {
	if number, err = x.opt.Rules.Check(req.Dial); err != nil {
		x.log.Warn("number refused", "user", req.User, "error", err)
	}
	return number, err
}

func (x *Exchange) start(req *Request, number Dialled) (*active, Info, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	repeated, l, err := x.admitsLocked(*req, number)
	if err != nil {
		return nil, Info{}, err
	}
	if repeated != nil {
		return repeated, repeated.info, nil
	}
	if x.opt.Quota != nil {
		if err := x.opt.Quota.Take(req.User, number.String()); err != nil {
			return nil, Info{}, err
		}
	}
	c := x.admitLocked(*req, number, l)
	req.Message = nil
	return c, c.info, nil
}

// admitsLocked gives the call that req repeats, or the line that can take it, nil where it
// has to wait for one.
func (x *Exchange) admitsLocked(req Request, number Dialled) (repeated *active, l *line, err error) {
	if x.closed {
		return nil, nil, fmt.Errorf("%w: %w", ErrFault, errShutdown)
	}
	if c := x.retryLocked(req, number); c != nil {
		return c, nil, nil
	}
	if x.opt.PerUser > 0 && x.runningLocked(req.User) >= x.opt.PerUser {
		return nil, nil, ErrUserBusy
	}
	l, err = x.idleLocked(req.User, number)
	if (errors.Is(err, ErrNoLine) || errors.Is(err, ErrRinging)) && len(x.queue) < x.opt.Queue {
		err = nil
	}
	return nil, l, err
}

// admitLocked makes the call known and starts its goroutine.
func (x *Exchange) admitLocked(req Request, number Dialled, l *line) *active {
	ctx, cancel := context.WithCancelCause(context.Background())
	x.begun++
	c := &active{req: req, number: number, cancel: cancel, done: make(chan struct{}), order: x.begun, since: time.Now()}
	c.info = Info{
		ID:    base64.StdEncoding.EncodeToString([]byte(uuid.NewString() + "@" + x.opt.Host)),
		State: Connecting, Cause: None,
		Number: number.String(), Item: req.Item, User: req.User, Started: c.since,
	}
	if c.message = req.Message; c.message == nil {
		c.message = audio.NewMessage(req.Clip)
	}
	if req.Greeting == nil {
		c.heard.begin(c.message)
		c.info.DurationMS = c.message.Duration().Milliseconds()
	}
	x.calls[c.info.ID], x.live[c.info.ID] = c, c
	if l == nil {
		x.queue = append(x.queue, c)
	} else {
		x.takeLocked(l, c)
	}
	var forgotten map[string]bool
	c.logged, forgotten = x.history.add(c.info)
	x.forgetLocked(forgotten)
	x.notifyLocked()
	began := c.info
	x.running.Go(func() {
		x.log.Info("call", "call", began.ID, "state", began.State, "line", began.Line, "number", began.Number, "user", began.User, "item", began.Item)
		x.run(ctx, c)
	})
	return c
}

// forgetLocked forgets calls that have ended.
func (x *Exchange) forgetLocked(ids map[string]bool) {
	if len(ids) == 0 {
		return
	}
	var kept []*active
	for _, c := range x.ended {
		if ids[c.info.ID] {
			delete(x.calls, c.info.ID)
		} else {
			kept = append(kept, c)
		}
	}
	x.ended = kept
}

func (x *Exchange) takeLocked(l *line, c *active) {
	l.call, c.line, c.info.Line = c, l, l.cfg.Name
	l.used++
	x.next = slices.Index(x.lines, l) + 1
}

// retryLocked finds the call that req repeats.
func (x *Exchange) retryLocked(req Request, number Dialled) *active {
	for _, c := range x.live {
		ringing := c.info.State == Connecting || c.info.State == Alerted
		if ringing && !c.stuckLocked() && c.req.User == req.User && c.req.Item == req.Item && c.info.Number == number.String() && c.req.Greeting == nil && req.Greeting == nil &&
			time.Since(c.since) < x.opt.RetryWindow {
			return c
		}
	}
	return nil
}

func (x *Exchange) runningLocked(user string) (n int) {
	for _, c := range x.live {
		if !c.stuckLocked() && c.info.User == user {
			n++
		}
	}
	return n
}

// idleLocked chooses a line for a call: ErrNoLine when those that may take it are busy,
// ErrRinging when one is only because it rings, ErrFault when none of them works.
func (x *Exchange) idleLocked(user string, number Dialled) (*line, error) {
	var idle []*line
	busy, ringing := false, false
	var fault error
	for i := range x.lines {
		l := x.lines[i]
		if x.opt.Choose == RoundRobin {
			l = x.lines[(x.next+i)%len(x.lines)]
		}
		if !l.serves(user, number) {
			continue
		}
		err := l.faultLocked()
		switch {
		case l.lent != nil, l.call != nil && (err == nil || !l.call.stuckLocked()):
			busy = true
		case err != nil:
			fault = fmt.Errorf("%w: line %s: %w", ErrFault, l.cfg.Name, err)
		case l.rung().on:
			ringing = true
		default:
			idle = append(idle, l)
		}
	}
	switch {
	case len(idle) == 0 && ringing:
		return nil, ErrRinging
	case len(idle) == 0 && busy:
		return nil, ErrNoLine
	case len(idle) == 0 && fault != nil:
		return nil, fault
	case len(idle) == 0:
		return nil, fmt.Errorf("%w: none is configured for this user and number (on analogue lines some countries need international_prefix)", ErrFault)
	case x.opt.Choose == LeastUsed:
		return slices.MinFunc(idle, func(a, b *line) int { return a.used - b.used }), nil
	}
	return idle[0], nil
}

// run is a call from the first to the last attempt.
func (x *Exchange) run(ctx context.Context, c *active) {
	defer func() { // when the line is on-hook: a card may be slow
		c.message.Close()
		c.message = nil
		c.heard.begin(nil)
	}()
	err := x.wait(ctx, c)
	for attempt := 0; err == nil; attempt++ {
		err = x.attempt(ctx, c)
		if attempt >= x.opt.Redial || !worthRedialling(err) {
			break
		}
		x.log.Info("redial", "call", c.info.ID, "in", x.opt.RedialIn, "after", err)
		if perr := pause(ctx, x.opt.RedialIn); perr != nil {
			err = perr
		} else {
			err = nil
		}
	}
	x.mu.Lock()
	held := c.seized // Close has given its line up
	x.mu.Unlock()
	if !held {
		x.finish(c, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	c.req = Request{User: c.req.User} // lets go of the sound, which nobody but this goroutine uses
}

// ringLimit is how long an attempt may take, from off-hook to the answer. Networks and modems
// give up before.
const ringLimit = 3 * time.Minute

// attempt is one try on the call's line. Its length is limited from here, and anew from the answer.
func (x *Exchange) attempt(ctx context.Context, c *active) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.limit = time.AfterFunc(time.Hour, func() { cancel(errMaxCall) })
	defer c.limit.Stop()
	x.within(c, min(ringLimit, x.opt.MaxCall))
	defer x.setDue(c, time.Time{})
	return x.lost(c, c.line.run(ctx, c))
}

// within limits what is left of an attempt.
func (x *Exchange) within(c *active, d time.Duration) {
	end := time.Now().Add(d)
	x.holdUntil(c, end.Add(releaseLimit))
	x.setDue(c, end.Add(hangUpLimit+overdue))
	c.limit.Reset(d)
}

// overdue is how long after its latest end a call is a sign that something hangs.
const overdue = time.Minute

func (x *Exchange) setDue(c *active, t time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c.due = t
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

// wait blocks until the call has a line.
func (x *Exchange) wait(ctx context.Context, c *active) error {
	limit := time.NewTimer(x.opt.QueueWait)
	defer limit.Stop()
	for {
		x.mu.Lock()
		if c.line == nil && x.queue[0] == c {
			if l, err := x.idleLocked(c.req.User, c.number); err == nil {
				x.queue = x.queue[1:]
				x.takeLocked(l, c)
				x.notifyLocked()
			}
		}
		got, changed := c.line != nil, x.changed
		x.mu.Unlock()
		if got {
			return context.Cause(ctx)
		}
		select {
		case <-changed:
			continue
		case <-ctx.Done():
		case <-limit.C:
			c.cancel(errQueue)
		}
		x.mu.Lock()
		x.queue = slices.DeleteFunc(x.queue, func(q *active) bool { return q == c })
		x.mu.Unlock()
		return context.Cause(ctx)
	}
}

// set publishes a state on the way to Disconnected.
func (x *Exchange) set(c *active, s State, answer string) {
	x.mu.Lock()
	if c.over {
		x.mu.Unlock()
		return
	}
	c.info.State = s
	if s == Connected {
		c.info.Answered, c.info.Answer = c.now(), answer
	}
	info := c.info
	x.notifyLocked()
	x.mu.Unlock()
	x.log.Info("call", "call", info.ID, "state", s, "line", info.Line, "answer", answer)
}

// now is the time as the call's other times have it: the clock may be set while it lasts.
func (c *active) now() time.Time { return c.info.Started.Add(time.Since(c.since)) }

// finish releases the line and publishes how the call ended, in one step: whoever reads
// Disconnected may dial again. The record follows: nobody waits for the card. Only the first
// finish of a call counts.
func (x *Exchange) finish(c *active, err error) {
	x.mu.Lock()
	info, first := c.info, !c.over
	c.over = true
	x.mu.Unlock()
	if !first {
		return
	}
	end := outcome(err, !info.Answered.IsZero())
	info.State, info.Cause, info.Reason, info.SIPCode, info.Ended = Disconnected, end.cause, end.reason, end.sip, c.now()
	c.heard.tell(&info, err)
	x.history.end(info)
	x.mu.Lock()
	c.info = info
	delete(x.live, info.ID)
	x.ended = append(x.ended, c)
	if c.line != nil {
		c.line.call = nil
	}
	close(c.done)
	x.notifyLocked()
	x.mu.Unlock()
	x.log.Info("call", "call", info.ID, "state", Disconnected, "cause", info.Cause, "reason", info.Reason, "line", info.Line, "error", err)
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

// Faults is what is wrong with the call log, a sentence each.
func (x *Exchange) Faults() []string { return x.history.faults() }

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

// Disconnect hangs up and returns when the line is known to be on-hook, or with ErrOnHook and
// why it is not: then the call goes on to be told as not yet Disconnected, and so does every
// further Disconnect, until the line is. A call that has already ended is no error.
func (x *Exchange) Disconnect(ctx context.Context, id string) error {
	x.mu.Lock()
	c := x.calls[id]
	x.mu.Unlock()
	if c == nil {
		return ErrUnknown
	}
	return x.end(ctx, c, errDisconnected)
}

// Limits of Close.
const (
	lentLimit = 2 * time.Second // for a technician's line to be given back
	callLimit = 5 * time.Second // for the goroutines of calls whose lines are given up, too
)

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

// pause waits for d, or returns ctx's cause.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
