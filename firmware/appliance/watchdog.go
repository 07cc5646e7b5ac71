package main

import (
	"log"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The BCM2835's watchdog counts to 15 s at most (kernel bcm2835_wdt.c, WDOG_TICKS).
const (
	watchdogTimeout = 15
	watchdogFeed    = 4 * time.Second
)

// feedWatchdog feeds the hardware watchdog as long as the daemon has been well not too
// long ago. It never closes the device, so nothing that stops this program stops the
// watchdog. The emulated board, whose watchdog bites at once, sets appliance_watchdog=0.
func feedWatchdog(daemon *supervisor) {
	if os.Getenv("appliance_watchdog") == "0" {
		log.Print("no hardware watchdog, as asked")
		return
	}
	f, err := os.OpenFile("/dev/watchdog", os.O_WRONLY, 0)
	if err != nil {
		fault("no hardware watchdog: %v", err)
		return
	}
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.WDIOC_SETTIMEOUT, watchdogTimeout); err != nil {
		log.Printf("watchdog keeps its own time-out: %v", err)
	}
	for {
		// A little longer than main waits before it restarts in order.
		if daemon.silence() < unhealthyLimit+30*time.Second {
			_, _ = f.Write([]byte{0})
		}
		time.Sleep(watchdogFeed)
	}
}
