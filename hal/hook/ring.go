package hook

import (
	"sync"
	"time"

	"hookswitch/hal"
)

// A ring detector gives pulses at twice the ringing frequency (16⅔ to 50 Hz) through the
// opto-coupler: three edges within 200 ms are ringing, one or two are a glitch. Between
// two bursts a line is silent for up to 4 s (US), so it counts as ringing for 6 s more.
const (
	ringPoll   = 4 * time.Millisecond
	ringEdges  = 3
	ringWindow = 200 * time.Millisecond
	ringSilent = 6 * time.Second
)

type ringWatch struct {
	stop chan struct{}
	done chan struct{}
	mu   sync.Mutex // guards last
	last time.Time  // the latest moment of ringing
}

// watchRing starts the watch; close stops it.
func watchRing(in hal.Input) *ringWatch {
	w := &ringWatch{stop: make(chan struct{}), done: make(chan struct{})}
	go w.run(in)
	return w
}

func (w *ringWatch) ringing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.last.IsZero() && time.Since(w.last) < ringSilent
}

func (w *ringWatch) close() {
	close(w.stop)
	<-w.done
}

func (w *ringWatch) run(in hal.Input) {
	defer close(w.done)
	tick := time.NewTicker(ringPoll)
	defer tick.Stop()
	var edges [ringEdges]time.Time // the latest ones, oldest first
	level := false
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
		on, err := in.Read()
		if err != nil || on == level { // an input that can't be read says nothing of ringing
			continue
		}
		level = on
		copy(edges[:], edges[1:])
		edges[ringEdges-1] = time.Now()
		if edges[ringEdges-1].Sub(edges[0]) <= ringWindow {
			w.mu.Lock()
			w.last = edges[ringEdges-1]
			w.mu.Unlock()
		}
	}
}
