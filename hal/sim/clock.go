package sim

import "time"

// clock turns real time into frames of line time while it runs.
type clock struct {
	speed   float64
	ticker  *time.Ticker
	running bool
	origin  time.Time // when frame 0 was due
	done    int64     // frames since then
}

const (
	shortestTick = time.Millisecond
	// mostFrames is how far the line may lag behind before its clock is set back: a machine
	// that is too busy to keep the pace makes the line slow, it does not tear the sound.
	mostFrames = 10
)

func newClock(speed float64) *clock {
	c := &clock{speed: speed, ticker: time.NewTicker(time.Hour)}
	c.ticker.Stop()
	return c
}

// real is how long line time d takes.
func (c *clock) real(d time.Duration) time.Duration { return time.Duration(float64(d) / c.speed) }

// run starts or stops the clock.
func (c *clock) run(on bool) {
	switch {
	case on && !c.running:
		c.origin, c.done = time.Now(), 0
		c.ticker.Reset(max(shortestTick, c.real(frameTime)))
	case !on && c.running:
		c.ticker.Stop()
	}
	c.running = on
}

// due is how many frames have become due since it was last asked.
func (c *clock) due() int {
	if !c.running {
		return 0
	}
	total := int64(float64(time.Since(c.origin)) * c.speed / float64(frameTime))
	n := total - c.done
	c.done = total
	perTick := int64(c.speed * float64(shortestTick) / float64(frameTime))
	return int(min(n, max(mostFrames, 2*perTick)))
}
