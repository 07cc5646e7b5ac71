package daemon

import (
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"hookswitch/firmware/call"
)

// heartbeat tells the supervisor that the daemon lives: once that it is ready, then again
// and again, each time only after the call engine has answered and has found that every
// line and every call makes progress. A daemon that is stuck falls silent and is restarted.
type heartbeat struct {
	stop chan struct{}
	done chan struct{}
}

func startHeartbeat(calls *call.Exchange, log *slog.Logger) *heartbeat {
	h := &heartbeat{stop: make(chan struct{}), done: make(chan struct{})}
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 { // nobody listens
		close(h.done)
		return h
	}
	go h.run(calls, every/3, log)
	return h
}

func (h *heartbeat) run(calls *call.Exchange, every time.Duration, log *slog.Logger) {
	defer close(h.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := calls.Stuck(); err != nil { // it also waits for whatever holds the engine
				log.Error("the watchdog is fed no more", "error", err)
				continue
			}
			_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
		case <-h.stop:
			return
		}
	}
}

func (h *heartbeat) close() {
	close(h.stop)
	<-h.done
}
