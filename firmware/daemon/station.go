package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"hookswitch/firmware/config"
	"hookswitch/firmware/console"
	"hookswitch/firmware/update"
	"hookswitch/firmware/web"
)

// station is a daemon through its configurations: a new one replaces the Daemon, and the
// technician's console stays.
type station struct {
	opt Options
	log *slog.Logger

	mu sync.Mutex // guards d; held while one Daemon is replaced by another
	d  *Daemon    // nil when not even the configuration of before works any more
}

// Run is the daemon's life, from all lines on-hook to all lines on-hook: it returns when
// ctx ends, or the HTTP front fails.
func Run(ctx context.Context, opt Options) error {
	defer surviveReaders()()
	limitMemory()
	queue := newLogQueue(opt.out())
	defer queue.close()
	tail := console.NewTail(queue)
	opt.lines = tail
	s := &station{opt: opt, log: newLogger(tail, "info")}
	con := console.New(s.technician(tail))
	s.opt.Show = s.show(con, queue)
	lock, err := lockFirst(opt, s.log)
	if err != nil {
		return err
	}
	defer lock.release()
	s.opt.lock = lock
	if err := s.open(); err != nil {
		return err
	}
	consoles, stop := context.WithCancel(ctx)
	defer stop()
	var technicians sync.WaitGroup
	technicians.Go(func() { con.Run(consoles, consolePorts(s.d.cfg)...) })
	err = s.watch(ctx)
	stop() // technicians give their lines back, for which those wait a moment
	if d := s.current(); d != nil {
		err = errors.Join(err, d.Close())
	}
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	gone := make(chan struct{})
	go func() { technicians.Wait(); close(gone) }()
	limit := time.NewTimer(drainLimit)
	defer limit.Stop()
	select {
	case <-gone:
	case <-limit.C:
		err = errors.Join(err, errors.New("daemon: a console's port does not end"))
	}
	return err
}

// open opens the first Daemon. A configuration that was on trial when the daemon ended has
// not proved itself: the one of before is back.
func (s *station) open() (err error) {
	if s.opt.Config != "" {
		was, err := config.RollBack(s.opt.Config)
		if was {
			s.log.Warn("the configuration was on trial and not confirmed: the one of before is back", "error", err)
		}
	}
	s.d, err = Open(s.opt)
	return err
}

// watch returns when ctx ends, or there is no HTTP front any more.
func (s *station) watch(ctx context.Context) error {
	for {
		d := s.current()
		if d == nil {
			return errors.New("daemon: neither the new configuration works nor the one of before")
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.server.Failed(): // also when it is being replaced
			if s.current() == d {
				return err
			}
		}
	}
}

func (s *station) current() *Daemon {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.d
}

// reload replaces the Daemon by one of the configuration that is now in the file; where that
// does not work, by one of the configuration of before. Calls end.
func (s *station) reload(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.d == nil {
		return errors.New("daemon: it is ending")
	}
	if _, err := load(s.opt); err != nil { // before anything has changed
		return err
	}
	before := s.d.cfg
	if err := s.d.Close(); err != nil {
		s.log.Error("closing for a new configuration", "error", err)
	}
	_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
	d, err := Open(s.opt)
	if err != nil {
		s.log.Error("the new configuration does not work: the one of before is back", "error", err)
		opt := s.opt
		opt.configuration = before
		if d, _ = Open(opt); d != nil && d.server == nil {
			d = nil
		}
	}
	s.d = d
	return err
}

// technician is what the console is connected to.
func (s *station) technician(tail *console.Tail) console.Config {
	c := console.Config{
		Version: "hookswitch " + web.Build().Version, Path: s.opt.Config, Tail: tail, Log: s.log,
		Board: s.board, Reload: s.reload,
	}
	if card, err := update.OpenCard(); err == nil {
		c.Card, c.Restart, c.SetTime = card, update.Restart.Request, console.SetTime
	}
	return c
}

// board is what is in force now.
func (s *station) board() console.Board {
	d := s.current()
	if d == nil {
		return console.Board{Config: &config.Config{}}
	}
	return console.Board{
		Config: d.cfg, Calls: d.calls, Store: d.store, Host: hostName(d.cfg),
		Play: d.soap.play, URL: d.url(), Fingerprint: d.fingerprint,
	}
}

// url is where clients reach the board.
func (d *Daemon) url() string {
	scheme, usual := "http", "80"
	if d.cfg.HTTP.TLS != config.TLSOff {
		scheme, usual = "https", "443"
	}
	host, port, err := net.SplitHostPort(d.Addr().String())
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() {
		host = hostName(d.cfg)
	}
	if port != usual {
		host = net.JoinHostPort(host, port)
	}
	return fmt.Sprintf("%s://%s/", scheme, host)
}

// show tells something to the technician; where there is no console, where the log goes, but
// not to the tail of it that is remembered.
func (s *station) show(con *console.Console, log io.Writer) func(string) {
	return func(text string) {
		d := s.current()
		if d != nil && len(consolePorts(d.cfg)) > 0 && con.Show(text) == nil {
			return
		}
		fmt.Fprintln(log, text)
	}
}

// consolePorts are the ports of the technician's console. Which there are is looked at once:
// a console does not move.
func consolePorts(cfg *config.Config) []string {
	_, err := update.OpenCard()
	return cfg.TechnicianPorts(err == nil)
}
