package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/beevik/ntp"
	"golang.org/x/sys/unix"

	"hookswitch/firmware/statefile"
)

const (
	timeFile   = "/perm/clock"    // its modification time is the latest known time
	timeStatus = runDir + "/time" // one line for people
	ntpLimit   = 5 * time.Second
	ntpEvery   = time.Hour
	// smallStep is what the kernel makes good by running slower or faster.
	smallStep = 500 * time.Millisecond
)

// notBefore moves the clock forwards to t. There is no battery behind it on most boards:
// what is certain is that it is later than when this was built and when it last ran.
func notBefore(t time.Time) {
	if time.Now().Before(t) {
		setClock(t)
	}
}

func setClock(t time.Time) {
	tv := unix.NsecToTimeval(t.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		log.Printf("set clock: %v", err)
	}
}

func savedTime() time.Time {
	info, err := os.Stat(timeFile)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func saveTime() {
	if err := statefile.Replace(timeFile, nil, 0o600); err != nil {
		log.Printf("save time: %v", err)
	}
}

// keepTime asks time servers until ctx ends. The clock is never set back: certificates,
// call logs and lock-outs rely on it. If it is ahead it runs slow until it is right.
func keepTime(ctx context.Context, servers []string) {
	wait := 5 * time.Second
	for {
		for _, server := range servers {
			r, err := ntp.QueryWithOptions(server, ntp.QueryOptions{Timeout: ntpLimit})
			if err == nil {
				err = r.Validate()
			}
			if err != nil {
				continue
			}
			adjust(r.ClockOffset)
			saveTime()
			status := fmt.Sprintf("synchronised with %s at %s\n", server, time.Now().UTC().Format(time.RFC3339))
			_ = os.WriteFile(filepath.Clean(timeStatus), []byte(status), 0o644)
			wait = ntpEvery / 2
			break
		}
		wait = min(2*wait, ntpEvery)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func adjust(offset time.Duration) {
	if offset > smallStep {
		log.Printf("clock moves forwards by %v", offset)
		setClock(time.Now().Add(offset))
		return
	}
	if offset < -10*time.Second {
		log.Printf("clock is %v ahead: it runs slow until that is made good", -offset)
	}
	limited := max(offset, -30*time.Minute)
	slew := unix.Timex{Modes: unix.ADJ_OFFSET_SINGLESHOT}
	assign(&slew.Offset, limited.Microseconds())
	if _, err := unix.Adjtimex(&slew); err != nil {
		log.Printf("adjust clock: %v", err)
	}
}

// assign sets a field whose width is the machine's.
func assign[T int32 | int64](field *T, value int64) { *field = T(value) }
