// Package daemon wires the board together: configuration, lines, mailboxes and the HTTP
// front. It is the only package that knows them all.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/keypad"
	"hookswitch/firmware/mail"
	"hookswitch/firmware/mailbox"
	"hookswitch/firmware/trace"
	"hookswitch/firmware/web"
	"hookswitch/hal/guard"
	"hookswitch/hal/sim"
	"hookswitch/soap"
)

// Options are what the command line adds to the configuration file.
type Options struct {
	Config string // path of the configuration; "" is the simulated board
	Data   string // instead of the configuration's, if not ""
	Listen string // likewise
	Trace  bool   // print the AT dialogue and relay edges
	// Guard is the command that serves as the relays' guard (see package guard), to which
	// their pins are appended; nil drives the relays from this process, and nobody opens them
	// when it dies.
	Guard []string
	Out   io.Writer // where log and trace go; nil is standard error. Nobody waits for it.
	// Show tells what only a technician may see, such as a new PIN; nil is where the log goes.
	Show func(text string)

	// For the simulated board: how much faster than real time its lines run (0 is 1), and
	// what the far side of its wires sees: every byte of the AT ports, every relay edge.
	SpeedUp  float64
	SimTrace func(line string, sent bool, b []byte)
	SimEdge  func(line string, closed bool)

	configuration *config.Config // instead of what is in the file, if not nil
	lines         io.Writer      // takes the log's lines at once; nil is a queue before Out
	lock          *dataLock      // held already; nil, or of another directory, is not
}

// Daemon is a running board.
type Daemon struct {
	cfg         *config.Config
	log         *slog.Logger
	sim         *sim.Exchange // nil on a real board
	guard       *guard.Guard  // nil where no line has a relay
	calls       *call.Exchange
	server      *web.Server
	store       *mailbox.Store
	soap        *exchange
	fingerprint string // of the certificate
	update      *updater
	stops       []func()  // end the log of faults and the heartbeat
	queue       *logQueue // nil where Options.lines is another's
	lock        *dataLock // nil where Options.lock is that of the data directory

	closing sync.Once
	closed  error // of Close
}

// Open locks the data directory, puts every line on-hook, then serves. What was opened is
// closed again on an error. Where another daemon has the directory nothing is touched.
func Open(opt Options) (d *Daemon, err error) {
	cfg, err := load(opt)
	if err != nil {
		return nil, err
	}
	d = &Daemon{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if opt.lines == nil {
		d.queue = newLogQueue(opt.out())
		opt.lines = d.queue
	}
	if opt.Show == nil {
		opt.Show = func(text string) { fmt.Fprintln(opt.lines, text) }
	}
	d.log = newLogger(opt.lines, cfg.Log.Level)
	if !opt.lock.is(cfg.Data) {
		if d.lock, err = lockData(cfg.Data, d.log); err != nil {
			return d, err
		}
	}
	var printer *trace.Printer
	if opt.Trace || cfg.Log.Trace {
		printer = trace.New(opt.lines)
	}
	lines, err := d.lines(opt, printer)
	if err != nil {
		return d, err
	}
	// While the modems are asked, which takes them a while, the card is read.
	var store *mailbox.Store
	var tlsConfig *tls.Config
	var tlsErr error
	var card sync.WaitGroup
	card.Go(func() {
		store = d.mailboxes()
		tlsConfig, tlsErr = d.tls()
	})
	d.calls, err = call.New(d.callOptions(lines))
	card.Wait()
	d.store = store
	if err != nil {
		d.log.Error("call log", "error", err) // calls go on without it
	}
	if tlsErr != nil {
		return d, tlsErr
	}
	if err := d.serve(store, tlsConfig, opt); err != nil {
		return d, err
	}
	// The watchdog is fed until everything else has ended.
	d.stops = []func(){startFaultLog(d.faults, d.log), startHeartbeat(d.calls, d.log)}
	d.log.Info("serving", "address", d.Addr().String(), "tls", cfg.HTTP.TLS, "data", cfg.Data)
	return d, nil
}

func (o Options) out() io.Writer {
	if o.Out == nil {
		return os.Stderr
	}
	return o.Out
}

// mailboxes opens those of every user. What can't be read or made is no reason not to serve.
func (d *Daemon) mailboxes() *mailbox.Store {
	dir := filepath.Join(d.cfg.Data, "mailbox")
	store, err := mailbox.Open(dir)
	if err != nil {
		d.log.Error("mailboxes", "error", err) // a card that can't be written can still be read
	}
	store.Longest = d.cfg.Dialing.MaxCall
	if d.sim != nil {
		if err := seedMessages(filepath.Join(dir, localUser, "messages")); err != nil {
			d.log.Error("messages of the simulated board", "error", err)
		}
	}
	for user := range d.accounts() {
		if err := store.Make(user); err != nil {
			d.log.Error("mailbox", "user", user, "error", err) // the others' work
		}
	}
	return store
}

// load reads the configuration and puts the command line's words over it.
func load(opt Options) (*config.Config, error) {
	cfg := config.Simulated()
	if opt.configuration != nil {
		return opt.configuration, nil
	}
	if opt.Config != "" {
		var err error
		if cfg, err = config.Load(opt.Config); err != nil {
			return nil, err
		}
	}
	if opt.Data != "" {
		cfg.Data = opt.Data
	}
	if opt.Listen != "" {
		cfg.HTTP.Listen = opt.Listen
	}
	if open := !cfg.HTTP.Loopback(); open && (cfg.HTTP.TLS == config.TLSOff || len(cfg.Users) == 0) {
		return nil, fmt.Errorf("daemon: listening on %s, beyond this machine, takes TLS and at least one user: write a configuration", cfg.HTTP.Listen)
	}
	return cfg, nil
}

// Addr is where the daemon listens.
func (d *Daemon) Addr() net.Addr { return d.server.Addr() }

// callOptions are the engine's, from the configuration.
func (d *Daemon) callOptions(lines []call.LineConfig) call.Options {
	c := d.cfg
	keys := keypad.Exchange
	if c.Keys != nil {
		keys = keypad.Keys{}
		for k, a := range c.Keys {
			keys[k] = keypad.Action(a)
		}
	}
	perUser := c.SOAP.CallsPerUser
	if perUser == 0 {
		perUser = -1
	}
	return call.Options{
		Lines:   lines,
		Rules:   c.Dialing.Rules(),
		Quota:   c.Dialing.Quota(),
		MaxCall: c.Dialing.MaxCall, PerUser: perUser, RetryWindow: c.SOAP.RetryWindow,
		Choose: call.Choice(c.Choice.Choose), Queue: c.Choice.Queue, QueueWait: c.Choice.QueueWait,
		Redial: c.Redial.Attempts, RedialIn: c.Redial.Interval,
		Keys: keys, Host: hostName(c), LogPath: filepath.Join(c.Data, "calls.jsonl"), Log: d.log,
	}
}

// localUser is who asks where no user is configured: anybody on this machine.
const localUser = "local"

// accounts are the configured users, or the local one.
func (d *Daemon) accounts() map[string]account {
	if len(d.cfg.Users) == 0 {
		return map[string]account{localUser: {admin: true, um: true}}
	}
	users := map[string]account{}
	for _, u := range d.cfg.Users {
		users[u.Name] = account{admin: u.Admin, um: u.UM, email: u.Email, accessNumbers: u.AccessNumber}
	}
	return users
}

// serve opens the HTTP front.
func (d *Daemon) serve(store *mailbox.Store, tlsConfig *tls.Config, opt Options) error {
	e := &exchange{
		calls: d.calls, store: store, users: d.accounts(), maxCall: d.cfg.Dialing.MaxCall, log: d.log,
		decoding: newWorkers(maxDecoding), mailing: newWorkers(maxMailing),
		pin: pinSender{
			mail: mail.Sender{
				Server: d.cfg.Mail.SMTP, From: d.cfg.Mail.From, User: d.cfg.Mail.User, PasswordFile: d.cfg.Mail.PasswordFile,
			},
			show: opt.Show,
		},
	}
	handler := &soap.Handler{
		Phone: e, Mailbox: e, AlertedState: d.cfg.SOAP.Alerted, Host: d.cfg.HTTP.Name, Log: d.log,
		User: func(r *http.Request) string { return web.UserOf(r).Name },
	}
	if len(d.cfg.Users) > 0 {
		handler.UserByEmail = e.userByEmail
	}
	d.update = newUpdater(d.calls, d.log)
	d.soap = e
	api := &web.API{Calls: d.calls, Store: store, Play: e.play, Updates: d.update.card != nil, Faults: d.faults, Log: d.log}
	pages := api.Handler()
	token := d.update.trialToken(d.cfg.Users)
	auth := &web.Auth{Users: d.cfg.Users, Realm: "hookswitch", Host: hostName(d.cfg), NTLM: d.cfg.Auth.NTLM, Public: soap.Public, Log: d.log}
	if tlsConfig != nil {
		auth.Leaf = tlsConfig.Certificates[0].Certificate[0]
	}
	var err error
	d.server, err = web.NewServer(web.ServerConfig{
		Listen: d.cfg.HTTP.Listen, TLS: tlsConfig, NoHTTP2: d.cfg.Auth.NTLM, MaxConnections: d.cfg.HTTP.MaxConnections, Log: d.log,
		Handler: auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case soap.Serves(r.URL.Path):
				handler.ServeHTTP(w, r)
			case r.URL.Path == "/api/update":
				d.update.ServeHTTP(w, r)
			default:
				pages.ServeHTTP(w, r)
			}
		})),
	})
	if err == nil {
		d.update.prove(d.server.Addr(), tlsConfig != nil, token)
	}
	return err
}

// tls loads the certificate, or makes the board's own; nil is plain HTTP.
func (d *Daemon) tls() (*tls.Config, error) {
	var cert tls.Certificate
	var err error
	switch d.cfg.HTTP.TLS {
	case config.TLSFiles:
		cert, err = tls.LoadX509KeyPair(d.cfg.HTTP.Cert, d.cfg.HTTP.Key)
	case config.TLSSelfSigned:
		cert, err = web.SelfSigned(filepath.Join(d.cfg.Data, "tls"), hostName(d.cfg))
		if err != nil && len(cert.Certificate) > 0 { // a full card is no reason not to make calls
			d.log.Error("certificate", "error", err)
			err = nil
		}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d.fingerprint = web.Fingerprint(cert)
	d.log.Info("certificate", "sha256", d.fingerprint)
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// hostName names the board in call ids and in its certificate.
func hostName(cfg *config.Config) string {
	if cfg.HTTP.Name != "" {
		return cfg.HTTP.Name
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		return host
	}
	return "hookswitch"
}

// Limits of Close: for requests that are being answered, and for all that follows the lines.
const (
	drainLimit = 5 * time.Second
	endLimit   = 15 * time.Second
)

// Close puts every line on-hook first, whatever else there is, and then ends the rest: who
// asks for a call meanwhile is refused. It waits for everything, but for nothing endlessly,
// and may be called more than once.
func (d *Daemon) Close() error {
	d.closing.Do(func() { d.closed = d.close() })
	return d.closed
}

func (d *Daemon) close() error {
	var errs []error
	if d.calls != nil {
		errs = append(errs, d.calls.Close())
	}
	rest := make(chan error, 1)
	go func() { rest <- d.closeRest() }()
	limit := time.NewTimer(endLimit)
	defer limit.Stop()
	select {
	case err := <-rest:
		errs = append(errs, err)
	case <-limit.C:
		errs = append(errs, errors.New("daemon: every line is closed, but something else does not end"))
	}
	if d.queue != nil {
		d.queue.close()
	}
	d.lock.release()
	return errors.Join(errs...)
}

// closeRest ends what is left when the lines are closed: the relays' guard, requests, then
// what they use.
func (d *Daemon) closeRest() error {
	var errs []error
	if d.guard != nil {
		errs = append(errs, d.guard.Close())
	}
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
		defer cancel()
		errs = append(errs, d.server.Close(ctx))
	}
	if d.update != nil {
		d.update.close()
	}
	for _, stop := range d.stops {
		stop()
	}
	if d.sim != nil {
		errs = append(errs, d.sim.Close())
	}
	if d.store != nil {
		if err := d.store.Close(); err != nil {
			d.log.Warn("index of the mailboxes", "error", err) // it is made again
		}
	}
	return errors.Join(errs...)
}
