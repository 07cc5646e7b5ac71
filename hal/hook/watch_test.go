package hook_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal"
	"hookswitch/hal/hook"
)

// within fails the test unless State comes to hold ok between least and most from now on.
func within(t *testing.T, s *hook.Switch, least, most time.Duration, what string, ok func(hook.State) bool) {
	t.Helper()
	start := time.Now()
	for {
		changed := s.Changed()
		if st := s.State(); ok(st) {
			break
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatalf("not %s after a minute: %+v", what, s.State())
		}
	}
	if d := time.Since(start); d < least || d > most {
		t.Errorf("%s after %v, want %v to %v", what, d, least, most)
	}
}

func TestOnHookIsBelievedWhenTheCurrentHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, loop := newContact(), &level{}
		s, _ := hook.New(hook.Config{Relay: c, Loop: loop})
		defer s.Close()
		if err := s.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		loop.set(true)
		time.Sleep(ms(1000))
		if err := s.OnHook(); err != nil {
			t.Fatal(err)
		}
		if st := s.State(); st.Off || !st.Open || !st.Current || st.Fault != nil {
			t.Errorf("the relay has opened, and nobody has looked at the current: %+v", st)
		}
		loop.set(false)
		within(t, s, ms(20), ms(40), "without current", func(st hook.State) bool { return !st.Current })
	})
}

func TestCurrentThatFlowsOnIsAFaultUntilItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, loop := newContact(), &level{}
		s, _ := hook.New(hook.Config{Relay: c, Loop: loop})
		defer s.Close()
		if err := s.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		loop.set(true)
		time.Sleep(ms(1000))
		_ = s.OnHook()
		within(t, s, ms(690), ms(710), "in fault", func(st hook.State) bool { return errors.Is(st.Fault, hook.ErrCurrent) })
		if err := s.OffHook(t.Context()); !errors.Is(err, hook.ErrCurrent) || c.state() {
			t.Errorf("OffHook: %v, relay closed %v", err, c.state())
		}
		loop.set(false)
		within(t, s, 0, ms(20), "mended", func(st hook.State) bool { return st == hook.State{Open: true} })
		if err := s.OffHook(t.Context()); err != nil {
			t.Errorf("OffHook once the current has stopped: %v", err)
		}
	})
}

func TestCurrentWithoutACallIsToldAndNoCallIsPlaced(t *testing.T) {
	for _, relay := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c, loop := newContact(), &level{}
			cfg := hook.Config{Loop: loop}
			if relay {
				cfg.Relay = c
			}
			s, _ := hook.New(cfg)
			defer s.Close()
			time.Sleep(time.Minute)
			loop.set(true)
			within(t, s, ms(450), ms(600), "in fault", func(st hook.State) bool { return errors.Is(st.Fault, hook.ErrCurrent) })
			if err := s.State().Fault; strings.Contains(err.Error(), "relay") != relay {
				t.Errorf("with a relay %v: %v", relay, err)
			}
			if err := s.OffHook(t.Context()); !errors.Is(err, hook.ErrCurrent) || len(c.edges) > 0 {
				t.Errorf("OffHook: %v, %d edges", err, len(c.edges))
			}
			loop.set(false)
			within(t, s, 0, ms(60), "mended", func(st hook.State) bool { return st.Fault == nil })
			for range 20 { // ringing current through a modem's ringer
				loop.set(true)
				time.Sleep(ms(60))
				loop.set(false)
				time.Sleep(ms(60))
				if st := s.State(); st.Fault != nil {
					t.Fatalf("pulses: %+v", st)
				}
			}
		})
	}
}

func TestCurrentThatFlowsAtTheStartIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := hook.New(hook.Config{Relay: newContact(), Loop: &level{on: true}})
		defer s.Close()
		if st := s.State(); !st.Current {
			t.Errorf("a line with current counts as on-hook: %+v", st)
		}
		within(t, s, ms(600), ms(800), "in fault", func(st hook.State) bool { return errors.Is(st.Fault, hook.ErrCurrent) })
	})
}

func TestAnInputThatCannotBeReadIsAFaultThatNamesIt(t *testing.T) {
	for _, name := range []string{"loop-current", "ring", "in-use"} {
		synctest.Test(t, func(t *testing.T) {
			in := &level{}
			in.fails(-1)
			cfg := hook.Config{Relay: newContact()}
			switch name {
			case "loop-current":
				cfg.Loop = in
			case "ring":
				cfg.Ring = in
			default:
				cfg.InUse = in
			}
			s, err := hook.New(cfg)
			if err != nil {
				t.Errorf("New: %v: that is the relay's", err)
			}
			defer s.Close()
			st := s.State()
			kind := errors.Is(st.Fault, hook.ErrInput) && errors.Is(st.Fault, in.fail)
			if !kind || !strings.Contains(st.Fault.Error(), "the "+name+" input") {
				t.Errorf("before the first call: %v", st.Fault)
			}
			if err := s.OffHook(t.Context()); !errors.Is(err, hook.ErrInput) {
				t.Errorf("OffHook: %v", err)
			}
			in.fails(0)
			within(t, s, 0, ms(60), "mended", func(st hook.State) bool { return st == hook.State{Open: true} })
			in.fails(3)
			time.Sleep(time.Second)
			if st := s.State(); st.Fault != nil {
				t.Errorf("after three bad reads: %v", st.Fault)
			}
			in.fails(-1)
			within(t, s, ms(950), ms(1100), "in fault", func(st hook.State) bool { return errors.Is(st.Fault, hook.ErrInput) })
		})
	}
}

func TestOneBadReadDoesNotEndACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := &level{}
		s, _ := hook.New(hook.Config{Relay: newContact(), Loop: loop})
		defer s.Close()
		if err := s.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		loop.set(true)
		ctx, stop := s.WatchLoop(t.Context())
		defer stop()
		time.Sleep(ms(1000))
		for range 10 {
			loop.fails(60) // 600 ms
			time.Sleep(ms(700))
		}
		if ctx.Err() != nil {
			t.Fatalf("ended: %v", context.Cause(ctx))
		}
		start := time.Now()
		loop.fails(-1)
		<-ctx.Done()
		if d := time.Since(start); !errors.Is(context.Cause(ctx), hook.ErrInput) || d < ms(990) || d > ms(1020) {
			t.Errorf("ended by %v after %v, want ErrInput after 1s", context.Cause(ctx), d)
		}
		_ = s.OnHook()
		if st := s.State(); !st.Open || st.Current {
			t.Errorf("the relay's word holds where the input has none: %+v", st)
		}
	})
}

func TestARelayThatCouldNotBeOpenedIsOpenedAsSoonAsItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContact()
		c.fail = errors.New("pin taken")
		s, _ := hook.New(hook.Config{Relay: c})
		defer s.Close()
		time.Sleep(10*time.Second + ms(500))
		sets := c.driven()
		for range 100 {
			_, _ = s.State(), s.Free()
		}
		if c.driven() != sets {
			t.Error("a question drives the relay")
		}
		if err := s.OffHook(t.Context()); !errors.Is(err, hook.ErrRelay) {
			t.Errorf("OffHook: %v", err)
		}
		c.fix()
		within(t, s, 0, ms(1000), "open", func(st hook.State) bool { return st == hook.State{Open: true} })
	})
}

// slow is a relay behind a bus that hangs.
type slow struct {
	contact
	hangs chan struct{} // Set waits until it is closed
}

func (r *slow) Set(closed bool) error {
	<-r.hangs
	return r.contact.Set(closed)
}

func TestNobodyWaitsForARelayThatHangsButWhoDrivesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slow{hangs: make(chan struct{})}
		close(r.hangs)
		loop := &level{}
		s, _ := hook.New(hook.Config{Relay: r, Loop: loop})
		defer s.Close()
		time.Sleep(ms(3000))
		r.hangs = make(chan struct{})
		seized := make(chan error)
		go func() { seized <- s.OffHook(t.Context()) }()
		synctest.Wait()
		start := time.Now()
		if st := s.State(); st.Open || !st.Off {
			t.Errorf("while the relay is being closed: %+v", st)
		}
		_, _ = s.Free(), s.Changed()
		released := make(chan error)
		go func() { released <- s.OnHook() }()
		synctest.Wait()
		if st := s.State(); st.Open {
			t.Errorf("while it is being opened: %+v", st)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("a question took %v", d)
		}
		close(r.hangs)
		if err := <-released; err != nil {
			t.Errorf("OnHook: %v", err)
		}
		if err := <-seized; !errors.Is(err, hook.ErrReleased) {
			t.Errorf("OffHook: %v, want ErrReleased", err)
		}
		time.Sleep(ms(100))
		if st := s.State(); r.state() || !st.Open || st.Off {
			t.Errorf("relay closed %v, %+v", r.state(), st)
		}
	})
}

func TestCloseTwice(t *testing.T) {
	s, _ := hook.New(hook.Config{Relay: newContact(), Loop: &level{}})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// deadBus is a relay or an input that does not answer until it is closed.
type deadBus chan struct{}

func (d deadBus) Set(bool) error      { <-d; return nil }
func (d deadBus) Read() (bool, error) { <-d; return true, nil }

func TestARelayThatDoesNotAnswerAtTheStartIsAFaultOfItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := make(deadBus)
		start := time.Now()
		s, err := hook.New(hook.Config{Relay: bus})
		if d := time.Since(start); !errors.Is(err, hook.ErrRelay) || d > time.Second {
			t.Errorf("New: %v after %v", err, d)
		}
		if st := s.State(); st.Open || !errors.Is(st.Fault, hook.ErrRelay) {
			t.Errorf("%+v", st)
		}
		close(bus)
		time.Sleep(time.Second)
		if st := s.State(); !st.Open || st.Fault != nil {
			t.Errorf("once it answers: %+v", st)
		}
		_ = s.Close()
	})
}

func TestAnInputThatDoesNotAnswerIsAFaultAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, loop := make(deadBus), &level{}
		var in swapped
		in.set(loop)
		s, _ := hook.New(hook.Config{Relay: newContact(), Loop: &in})
		time.Sleep(time.Minute)
		in.set(bus)
		time.Sleep(4 * time.Second)
		if st := s.State(); !st.Open || st.Current || !errors.Is(st.Fault, hook.ErrInput) {
			t.Errorf("%+v", st)
		}
		start := time.Now()
		if err := s.OnHook(); err != nil || time.Since(start) > 0 {
			t.Errorf("OnHook: %v after %v", err, time.Since(start))
		}
		if err := s.Close(); err != nil || time.Since(start) > time.Second {
			t.Errorf("Close: %v after %v", err, time.Since(start))
		}
		close(bus)
	})
}

// swapped is an input that can be another.
type swapped struct {
	mu sync.Mutex
	in hal.Input
}

func (s *swapped) set(in hal.Input) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in = in
}

func (s *swapped) Read() (bool, error) {
	s.mu.Lock()
	in := s.in
	s.mu.Unlock()
	return in.Read()
}
