package hook_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/hook"
)

// contact is a relay as an oscilloscope sees it: its state and the time of each edge.
type contact struct {
	mu     sync.Mutex
	closed bool
	start  time.Time
	edges  []time.Duration // since start, alternately closed and opened
	sets   int
	fail   error
}

func newContact() *contact { return &contact{start: time.Now()} }

func (c *contact) Set(closed bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sets++
	if c.fail != nil {
		return c.fail
	}
	if closed != c.closed {
		c.edges = append(c.edges, time.Since(c.start))
	}
	c.closed = closed
	return nil
}

func (c *contact) driven() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sets
}

func (c *contact) fix() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = nil
}

func (c *contact) state() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// level is an input that the test switches.
type level struct {
	mu   sync.Mutex
	on   bool
	fail error
	bad  int // so many reads fail; -1: all
}

func (l *level) Read() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad != 0 {
		l.bad--
		return false, l.fail
	}
	return l.on, nil
}

// fails has the next n reads fail; -1 is for ever, 0 is no more.
func (l *level) fails(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail, l.bad = errors.New("no such chip"), n
}

func (l *level) set(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = on
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestNewDrivesTheRelayOnHookBeforeItReturns(t *testing.T) {
	c := newContact()
	c.closed = true // as a killed process leaves it
	s, err := hook.New(hook.Config{Relay: c})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if c.state() {
		t.Error("relay still closed after New")
	}
}

func TestOffHookSettlesAndRestsBetweenCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContact()
		s, _ := hook.New(hook.Config{Relay: c, Settle: ms(20), MinOnHook: ms(2000)})
		defer s.Close()
		time.Sleep(ms(5000))
		if err := s.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(c.start); got != ms(5020) {
			t.Errorf("first OffHook returned at %v, want 5.02s", got)
		}
		if err := s.OnHook(); err != nil {
			t.Fatal(err)
		}
		if err := s.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{ms(5000), ms(5020), ms(7020)}
		if !slices.Equal(c.edges, want) {
			t.Errorf("edges at %v, want %v", c.edges, want)
		}
	})
}

func TestOnHookDuringOffHookWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContact()
		s, _ := hook.New(hook.Config{Relay: c})
		defer s.Close()
		_ = s.OffHook(t.Context())
		_ = s.OnHook()
		result := make(chan error)
		go func() { result <- s.OffHook(t.Context()) }() // rests 2 s first
		time.Sleep(ms(500))
		if err := s.OnHook(); err != nil {
			t.Fatal(err)
		}
		if err := <-result; !errors.Is(err, hook.ErrReleased) {
			t.Errorf("OffHook: got %v, want ErrReleased", err)
		}
		if c.state() || s.State().Off {
			t.Error("line off-hook after OnHook")
		}
	})
}

func TestCancelledOffHookLeavesTheLineOnHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContact()
		s, _ := hook.New(hook.Config{Relay: c, Settle: ms(100)})
		defer s.Close()
		time.Sleep(ms(3000))
		why := errors.New("client gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(ms(50), func() { cancel(why) })
		if err := s.OffHook(ctx); !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
		if c.state() {
			t.Error("relay closed after a cancelled OffHook")
		}
	})
}

func TestARelayThatFailsIsTriedAgainAndReported(t *testing.T) {
	c := newContact()
	c.fail = errors.New("pin taken")
	s, err := hook.New(hook.Config{Relay: c})
	defer func() { _ = s.Close() }() // it can be used whatever the error says
	if !errors.Is(err, c.fail) {
		t.Fatalf("New: got %v, want the relay's error", err)
	}
	if st := s.State(); st.Open || !errors.Is(st.Fault, hook.ErrRelay) {
		t.Errorf("a line whose relay can't be opened counts as on-hook: %+v", st)
	}
	c.fix()
	if err := s.OnHook(); err != nil || !s.State().Open {
		t.Errorf("OnHook after the repair: %v, %+v", err, s.State())
	}
}

func TestALineInUseIsNeverSeized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, used := newContact(), &level{on: true}
		s, _ := hook.New(hook.Config{Relay: c, InUse: used})
		defer s.Close()
		if err := s.OffHook(t.Context()); !errors.Is(err, hook.ErrInUse) {
			t.Errorf("got %v, want ErrInUse", err)
		}
		if len(c.edges) != 0 {
			t.Error("the relay moved")
		}
	})
}

func TestWatchLoopEnds(t *testing.T) {
	tests := []struct {
		name string
		act  func(loop, used *level)
		want error
		at   time.Duration
	}{
		{"when current is gone for longer than a flash", func(loop, _ *level) {
			time.Sleep(ms(1000))
			loop.set(false)
		}, hook.ErrLoopLost, ms(1350)},
		{"not for a break of 90 ms, but for the next long one", func(loop, _ *level) {
			time.Sleep(ms(1000))
			loop.set(false)
			time.Sleep(ms(90))
			loop.set(true)
			time.Sleep(ms(910))
			loop.set(false)
		}, hook.ErrLoopLost, ms(2350)},
		{"when current never comes", func(loop, _ *level) { loop.set(false) }, hook.ErrNoLoop, ms(5000)},
		{"when a person lifts a parallel telephone", func(_, used *level) {
			time.Sleep(ms(700))
			used.set(true)
		}, hook.ErrInUse, ms(900)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				loop, used := &level{on: true}, &level{}
				s, _ := hook.New(hook.Config{Relay: newContact(), Loop: loop, InUse: used})
				defer s.Close()
				start := time.Now()
				ctx, stop := s.WatchLoop(t.Context())
				defer stop()
				tt.act(loop, used)
				<-ctx.Done()
				if got := context.Cause(ctx); !errors.Is(got, tt.want) {
					t.Errorf("cause %v, want %v", got, tt.want)
				}
				if got := time.Since(start); got < tt.at-ms(10) || got > tt.at+ms(10) {
					t.Errorf("ended at %v, want %v", got, tt.at)
				}
			})
		})
	}
}

func TestRingingIsToldFromAGlitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &level{}
		s, _ := hook.New(hook.Config{Relay: newContact(), Ring: in})
		defer s.Close()
		in.set(true)
		time.Sleep(ms(25))
		in.set(false)
		time.Sleep(ms(1000))
		if err := s.Free(); err != nil {
			t.Errorf("after one pulse: %v", err)
		}
		for range 20 { // half a second of 20 Hz ringing
			in.set(true)
			time.Sleep(ms(12))
			in.set(false)
			time.Sleep(ms(13))
		}
		if err := s.OffHook(t.Context()); !errors.Is(err, hook.ErrRinging) {
			t.Errorf("while ringing: got %v, want ErrRinging", err)
		}
		time.Sleep(ms(4000)) // the pause between two US bursts
		if err := s.Free(); !errors.Is(err, hook.ErrRinging) {
			t.Errorf("between two bursts: got %v, want ErrRinging", err)
		}
		time.Sleep(ms(3000))
		if err := s.Free(); err != nil {
			t.Errorf("after the last burst: %v", err)
		}
	})
}

func TestPulseDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContact()
		s, _ := hook.New(hook.Config{Relay: c, Settle: ms(20)})
		defer s.Close()
		if err := s.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := s.Dial(t.Context(), "10", hook.PulseOf("")); err != nil {
			t.Fatal(err)
		}
		if got, want := time.Since(start), ms(100+800+1000); got != want {
			t.Errorf("dialling 10 took %v, want %v", got, want)
		}
		if got, want := len(c.edges), 1+2*(1+10); got != want {
			t.Errorf("%d edges, want %d", got, want)
		}
		if d := c.edges[2] - c.edges[1]; d != ms(60) {
			t.Errorf("break of %v, want 60ms", d)
		}
		edges := len(c.edges)
		if err := s.Dial(t.Context(), "5#", hook.PulseOf("")); !errors.Is(err, hook.ErrDigit) || len(c.edges) != edges {
			t.Errorf("a rotary dial has no #: %v, %d pulses", err, len(c.edges)-edges)
		}
	})
}

func TestTheLineIsSelectedForAsLongAsACallHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		relay, line := newContact(), newContact()
		s, _ := hook.New(hook.Config{Relay: relay, Select: line})
		defer s.Close()
		if line.sets != 1 || line.state() {
			t.Error("not driven to its safe level at the start")
		}
		if err := s.OffHook(t.Context()); err != nil || !line.state() {
			t.Errorf("off-hook: %v, selected %v", err, line.state())
		}
		if err := s.Dial(t.Context(), "3", hook.PulseOf("")); err != nil || len(line.edges) != 1 {
			t.Errorf("pulses: %v, %d edges of the line-select relay", err, len(line.edges))
		}
		if err := s.OnHook(); err != nil || line.state() {
			t.Errorf("on-hook: %v, selected %v", err, line.state())
		}
		line.fail = errors.New("burnt")
		if err := s.OffHook(t.Context()); !errors.Is(err, line.fail) || relay.state() {
			t.Errorf("a line that can't be selected: %v, relay closed %v", err, relay.state())
		}
	})
}

func TestAFlashIsNotAHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContact()
		s, _ := hook.New(hook.Config{Relay: c})
		defer s.Close()
		if err := s.Flash(t.Context(), ms(500)); !errors.Is(err, hook.ErrReleased) {
			t.Errorf("flash on-hook: got %v, want ErrReleased", err)
		}
		if err := s.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Flash(t.Context(), ms(2500)); err == nil {
			t.Error("a flash as long as a release was not refused")
		}
		if err := s.Flash(t.Context(), hook.FlashOf("us")); err != nil || !c.state() {
			t.Errorf("flash: %v, relay closed %v", err, c.state())
		}
		if d := c.edges[2] - c.edges[1]; d != ms(500) {
			t.Errorf("flash of %v, want 500ms", d)
		}
	})
}
