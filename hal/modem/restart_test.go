package modem_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
)

func TestAModuleThatRestartsWithoutAWordIsSetUpAnewBeforeTheNextCall(t *testing.T) {
	readBack := func(f *fake, value string) { f.answer["AT+CMEE?"] = "+CMEE: " + value + "\r\n\r\nOK" }
	tests := []struct {
		name    string
		tells   bool // what AT+CMEE? reads back
		restart func(f *fake)
		says    string
		want    bool
	}{
		{"a factory setting is read back", true, func(f *fake) { readBack(f, "0") }, "", true},
		{"echo is back", false, func(f *fake) { f.echo = true }, "", true},
		{"SMS DONE, of a module that does not tell", false, nil, "SMS DONE", true},
		{"PB DONE", false, nil, "PB DONE", true},
		{"Call Ready", false, nil, "Call Ready", true},
		{"+CPIN: READY out of the blue", false, nil, "+CPIN: READY", true},
		{"*ATREADY", true, nil, "*ATREADY: 1", true},
		{"RDY", true, nil, "RDY", true},
		{"^SYSSTART", true, nil, "^SYSSTART", true},
		{"+CPIN: READY, and nothing is forgotten", true, nil, "+CPIN: READY", false},
		{"SMS DONE, and nothing is forgotten", true, nil, "SMS DONE", false},
		{"^BOOT, again and again", true, nil, "^BOOT:24052289,0,0,0,72", false},
		{"nothing has happened", true, nil, "", false},
	}
	for _, tt := range tests {
		for _, wait := range []time.Duration{0, time.Minute} { // the call comes before the idle check, or after
			t.Run(tt.name+" "+wait.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newGSM()
					f.onDial = says("stat 0")
					if tt.tells {
						readBack(f, "1")
					}
					m := start(t, f, "gsm")
					time.Sleep(time.Minute + 500*time.Millisecond) // between two idle checks, which ask AT+CPIN? too
					n := len(f.received())
					if tt.says != "" {
						f.line(tt.says)
					}
					if tt.restart != nil {
						f.change(func() { tt.restart(f) })
					}
					synctest.Wait() // what it says has been read
					time.Sleep(wait)
					changed := m.Changed()
					if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); errors.Is(err, modem.ErrGone) { // the keeper was first
						for m.Fault() != nil {
							<-changed
							changed = m.Changed()
						}
						answers(t, m)
					} else if err != nil {
						t.Fatal(err)
					}
					hangUp(t, m)
					cmds := f.received()[n:]
					dialled := slices.Index(cmds, "ATD5550100;")
					if got := slices.Contains(cmds[:dialled], "AT+CMEE=1"); got != tt.want {
						t.Errorf("set up anew: %v, want %v; sent %q", got, tt.want, cmds)
					}
				})
			})
		}
	}
}

// The power of a modem on a UART of its own fails for a moment: nothing is said, and echo,
// result codes and registers are the factory's again.
func TestAModemWhosePowerFailedForAMomentIsSetUpAnewBeforeTheNextCall(t *testing.T) {
	for name, kind := range map[string]sim.Personality{"voice": sim.V253, "gsm": sim.SIM7600, "quectel": sim.Quectel} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := sim.New(sim.Options{})
				line := x.Add(name, kind)
				cfg := modem.Config{Dialect: name, Open: line.Port}
				if kind.GSM {
					cfg.OpenPCM = line.PCM
				}
				m := modem.New(cfg)
				t.Cleanup(func() { _ = m.Close(); x.Check(t) })
				if err := m.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
				told := func() (n int) {
					for l := range strings.Lines(line.Log()) {
						if strings.HasPrefix(l, ">") && strings.Contains(l, "ATE0Q0V1") {
							n++
						}
					}
					return n
				}
				answers(t, m)
				hangUp(t, m)
				if told() != 1 {
					t.Errorf("set up %d times without need", told())
				}
				line.Restart()
				answers(t, m)
				if told() != 2 {
					t.Errorf("set up %d times", told())
				}
				hangUp(t, m)
				line.Restart()
				time.Sleep(time.Minute) // the idle check comes first
				if told() != 3 || m.Fault() != nil {
					t.Errorf("set up %d times, fault %v", told(), m.Fault())
				}
			})
		})
	}
}
