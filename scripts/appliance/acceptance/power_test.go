//go:build e2e

package acceptance

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hookswitch/scripts/appliance/emulator"
)

// acknowledged is what the board has said that it has done.
type acknowledged struct {
	setting string
	calls   []string
}

// TestPowerCuts cuts the power at random moments of starts, calls and configuration
// writes, and looks at the card and the next start each time: the file system is sane,
// what was acknowledged is there, and the relay is open. Cuts during an update are in
// TestAnUpdateOverTheLAN.
func TestPowerCuts(t *testing.T) {
	cuts := 3
	if *full {
		cuts = 25
	}
	s := newSite(t, "v1", 20)
	var done acknowledged
	for i := range cuts {
		if i%5 == 4 {
			s.cutWhileStarting(t)
		} else {
			s.cutAtWork(t, i, &done)
		}
		if err := emulator.CheckPerm(s.card); err != nil {
			t.Errorf("cut %d: %v", i+1, err)
		}
		m := s.boot(t, false) // which waits for the relay to be driven to on-hook
		s.remembers(t, m, done)
		m.Kill()
		t.Logf("cut %d of %d: %d calls and setting %s remembered", i+1, cuts, len(done.calls), done.setting)
	}
}

func (s *site) cutWhileStarting(t *testing.T) {
	t.Helper()
	m := start(t, emulator.Options{Card: s.card, Dir: s.dir})
	unplug := s.connect(t, m)
	d := time.Duration(rand.Int64N(int64(8 * time.Second)))
	select {
	case <-m.Exited():
		t.Fatal("stopped by itself")
	case <-time.After(d):
	}
	m.Kill()
	unplug()
	t.Logf("power cut %v after power-on", d.Round(time.Millisecond))
}

// cutAtWork makes a call and writes settings until the power goes, every other time only
// once the call is answered.
func (s *site) cutAtWork(t *testing.T, i int, done *acknowledged) {
	t.Helper()
	m := s.boot(t, false)
	call := playSoon(t, m, "5550100")
	done.calls = append(done.calls, call)
	if i%2 == 1 {
		waitState(t, m, call, "Connected", time.Minute)
	}
	end := time.Now().Add(time.Duration(rand.Int64N(int64(10 * time.Second))))
	for n := 0; n == 0 || time.Now().Before(end); n++ {
		value := fmt.Sprintf("555%02d%02d", i, n%100)
		if _, err := tryAsk(m, fmt.Sprintf("<SetPlayOnPhoneDialString %s><dialString>%s</dialString></SetPlayOnPhoneDialString>", messages, value)); err != nil {
			t.Fatal(err)
		}
		done.setting = value
	}
	st, _ := state(t, m, call)
	m.Kill()
	t.Logf("power cut while the call was %s", st)
}

// remembers compares what the board knows with what it had acknowledged.
func (s *site) remembers(t *testing.T, m *emulator.Machine, done acknowledged) {
	t.Helper()
	if got := element(t, ask(t, m, "<GetUMProperties "+messages+"/>"), "PlayOnPhoneDialString"); got != done.setting {
		t.Errorf("the last acknowledged setting was %s, now it is %q", done.setting, got)
	}
	var log []struct{ ID, State string }
	if err := json.Unmarshal(page(t, m, "/api/calls"), &log); err != nil {
		t.Fatal(err)
	}
	state := map[string]string{}
	for _, c := range log {
		state[c.ID] = c.State
	}
	for _, call := range done.calls {
		if state[call] != "Disconnected" {
			t.Errorf("call %s is %q in the log", call, state[call])
		}
	}
}
