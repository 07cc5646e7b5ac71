// Command appliance, /init on the card, is process 1 of the appliance. It mounts what there is, starts the daemon
// and keeps it alive, brings up the network and the clock behind it, and stops in order.
//
// It holds no telephone and opens no port but mDNS. Whatever goes wrong it goes on: the
// daemon must run without data partition, network or clock, and is told of what is
// missing in /run/hookswitch/faults, one line each.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"hookswitch/firmware/update"
)

func main() {
	log.SetFlags(0)
	if os.Getpid() != 1 {
		log.Fatal("init: runs as process 1 of the appliance only")
	}
	mountSystem()
	release, err := update.ReadRelease(update.ReleaseFile)
	if err != nil {
		fault("%v", err)
	}
	notBefore(time.Unix(release.Built, 0))
	mountCard()
	seedRandom()
	notBefore(savedTime())
	onTrial := settleUpdate()
	if err := firstBoot(); err != nil {
		fault("first start: %v", err)
	}

	tellBadConfig()
	nameBoard()

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.Signal(update.Again), syscall.Signal(update.Try), syscall.Signal(update.PowerOff))
	ctx, stop := context.WithCancel(context.Background())
	var background sync.WaitGroup
	daemon := newSupervisor()
	background.Go(func() { daemon.run(ctx) })
	background.Go(func() { runNetwork(ctx) })
	background.Go(func() { linkSerialPorts(ctx) })
	background.Go(func() { showFirstBoot(ctx) })
	go feedWatchdog(daemon) // to the very end

	how := waitForEnd(signals, daemon, onTrial)
	log.Printf("stopping: %v", syscall.Signal(how))
	stop()
	background.Wait()
	leave(how)
}

const (
	// unhealthyLimit is how long the daemon may be dead or mute, through all its restarts,
	// before the whole board starts anew. It is long enough for a daemon that works.
	unhealthyLimit = 2 * time.Minute
	// trialLimit is how long a new version has to prove itself, trialSilence how long it
	// may be mute: it has an older one to fall back on.
	trialLimit   = 3 * time.Minute
	trialSilence = 45 * time.Second
)

// waitForEnd returns how the board is to be restarted, as soon as it has to be.
func waitForEnd(signals <-chan os.Signal, daemon *supervisor, onTrial bool) update.Restart {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	started := time.Now()
	for {
		select {
		case s := <-signals:
			return update.Restart(s.(syscall.Signal))
		case <-tick.C:
		}
		limit := unhealthyLimit
		if onTrial {
			limit = trialSilence
		}
		if daemon.silence() > limit {
			log.Printf("the daemon has not been well for %v", limit)
			return update.Again
		}
		if onTrial && time.Since(started) > trialLimit {
			if card, err := update.OpenCard(); err != nil || card.Trial() {
				log.Printf("this version has not proved itself in %v: back to the one before", trialLimit)
				return update.Again
			}
			onTrial = false
		}
	}
}

// settleUpdate finishes what a power cut or a failed update left, and says whether the
// running version is on trial.
func settleUpdate() bool {
	card, err := update.OpenCard()
	if err != nil {
		return false
	}
	note, err := card.Settle()
	if err != nil {
		fault("%v", err)
	}
	if note != "" {
		fault("%s", note)
	}
	trial := card.Trial()
	if trial {
		log.Printf("version %s is on trial", card.Running.Version)
	}
	return trial
}
