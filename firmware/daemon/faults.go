package daemon

import (
	"log/slog"
	"slices"
	"time"

	"hookswitch/firmware/health"
)

// faultsEvery is how often the log is told of faults that are new.
const faultsEvery = 30 * time.Second

// faults are what is wrong with the board as a whole; each line has its own.
func (d *Daemon) faults() []string {
	list := append(health.List(health.File, d.cfg.Data), d.calls.Faults()...)
	if d.store != nil {
		list = append(list, d.store.Faults()...)
	}
	return list
}

// startFaultLog says in the log what becomes wrong, and what is no more.
func startFaultLog(list func() []string, log *slog.Logger) (stop func()) {
	var said []string
	return every(faultsEvery, func() {
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
	})
}
