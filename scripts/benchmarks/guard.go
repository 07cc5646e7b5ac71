package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/daemon"
	"hookswitch/hal/sim"
)

const (
	deathRounds = 3
	// deathLimit is how long a line may stay off-hook when the daemon no longer works, in ms.
	deathLimit = 1000
	// loopArgument has this program be a daemon that loops on every processor at SIGUSR1.
	loopArgument = "--daemon-that-loops"
)

// deaths measures how long after a daemon's death, or its standing still, in the middle of a
// message its guard has opened the hook relay.
func deaths() ([]Result, error) {
	ours := []string{"bin/hookswitch", "serve", "--config"}
	var results []Result
	for _, death := range []struct {
		name    string
		program []string
		signal  syscall.Signal
	}{
		{"kill -9", ours, syscall.SIGKILL},
		{"SIGABRT", ours, syscall.SIGABRT},
		{"SIGSTOP", ours, syscall.SIGSTOP},
		{"loops on every processor", []string{os.Args[0], loopArgument}, syscall.SIGUSR1},
	} {
		var ms []float64
		for range deathRounds {
			took, err := die(death.program, death.signal)
			if err != nil {
				return results, fmt.Errorf("%s: %w", death.name, err)
			}
			ms = append(ms, us(took)/1000)
		}
		name := fmt.Sprintf("daemon: %s, to hook relay open, worst of %d", death.name, deathRounds)
		results = append(results, bound(name, "ms", percentile(ms, 1), deathLimit))
	}
	return results, nil
}

// die has a daemon in a call get a signal, and returns when the relay was open after that.
func die(program []string, s syscall.Signal) (time.Duration, error) {
	r, err := newRigOf(program, 1, 0, 0, audio.Tone([]float64{1000}, time.Minute, -13), sim.FarEnd{Rings: 1})
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.close() }()
	defer func() { _ = r.cmd.Process.Kill() }()
	if _, err := r.callAll(); err != nil {
		return 0, err
	}
	time.Sleep(2 * time.Second) // the lease was extended often
	sent := time.Now()
	if err := r.cmd.Process.Signal(s); err != nil {
		return 0, err
	}
	for time.Since(sent) < 10*time.Second {
		if at := r.lastOpened("fxo1"); at.After(sent) {
			return at.Sub(sent), nil
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("the relay stays closed")
}

// loopingDaemon serves until SIGUSR1, and then loops in a way that no scheduler interrupts:
// with GODEBUG=asyncpreemptoff=1, which it sets for itself.
func loopingDaemon(config string) error {
	if os.Getenv("GODEBUG") == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		return syscall.Exec(self, os.Args, append(os.Environ(), "GODEBUG=asyncpreemptoff=1"))
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	go func() {
		<-told
		for range 2 * runtime.GOMAXPROCS(0) {
			go func() {
				for i := 0; ; i++ {
				}
			}()
		}
	}()
	return daemon.Run(context.Background(), daemon.Options{Config: config, Guard: []string{"bin/hookswitch", "guard"}})
}
