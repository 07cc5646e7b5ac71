package daemon

import (
	"log/slog"
	"slices"
	"time"

	"hookswitch/firmware/fault"
)

// faultsEvery is how often the log is told of faults that are new.
const faultsEvery = 30 * time.Second

// faults are what is wrong with the board as a whole; each line has its own.
func (d *Daemon) faults() []string {
	list := append(fault.List(fault.File, d.cfg.Data), d.calls.Faults()...)
	if d.store != nil {
		list = append(list, d.store.Faults()...)
	}
	return list
}

// faultLog says in the log what becomes wrong, and what is no more.
type faultLog struct {
	stop chan struct{}
	done chan struct{}
}

func startFaultLog(list func() []string, log *slog.Logger) *faultLog {
	l := &faultLog{stop: make(chan struct{}), done: make(chan struct{})}
	go l.run(list, log)
	return l
}

func (l *faultLog) run(list func() []string, log *slog.Logger) {
	defer close(l.done)
	tick := time.NewTicker(faultsEvery)
	defer tick.Stop()
	var said []string
	for {
		now := list()
		for _, f := range now {
			if !slices.Contains(said, f) {
				log.Error("board", "fault", f)
			}
		}
		for _, f := range said {
			if !slices.Contains(now, f) {
				log.Info("board", "no longer", f)
			}
		}
		said = now
		select {
		case <-tick.C:
		case <-l.stop:
			return
		}
	}
}

func (l *faultLog) close() {
	close(l.stop)
	<-l.done
}
