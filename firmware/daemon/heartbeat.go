package daemon

import (
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"

	"hookswitch/firmware/call"
)

// startHeartbeat tells the supervisor that the daemon lives: once that it is ready, then again
// and again, each time only after the call engine has answered and has found that every
// line and every call makes progress. A daemon that is stuck falls silent and is restarted.
func startHeartbeat(calls *call.Exchange, log *slog.Logger) (stop func()) {
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 { // nobody listens
		return func() {}
	}
	return every(interval/3, func() {
		if err := calls.Stuck(); err != nil { // it also waits for whatever holds the engine
			log.Error("the watchdog is fed no more", "error", err)
			return
		}
		_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
	})
}
