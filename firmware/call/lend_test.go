package call_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

func TestALineIsLentToATechnician(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1")
		if _, err := b.Lend("fxo2"); !errors.Is(err, call.ErrUnknown) {
			t.Errorf("a line that there is not: %v", err)
		}
		lent, err := b.Lend("fxo1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Lend("fxo1"); !errors.Is(err, call.ErrNoLine) {
			t.Errorf("lent twice: %v", err)
		}
		if _, err := b.Start(request("5550100")); !errors.Is(err, call.ErrNoLine) {
			t.Errorf("a call on a line that is lent: %v", err)
		}
		if err := lent.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		port, err := lent.Port(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(port, "AT+FCLASS=8\rAT+VLS=1\r"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if l := b.Lines()[0]; l.State != "lent" || l.Hook != "off-hook" || !b.lines["fxo1"].OffHook() {
			t.Errorf("%+v, off-hook for the exchange: %v", l, b.lines["fxo1"].OffHook())
		}
		if err := port.Close(); err != nil {
			t.Error(err)
		}
		lent.Return()
		lent.Return()
		if b.lines["fxo1"].OffHook() {
			t.Error("returned, and off-hook")
		}
		time.Sleep(5 * time.Second)
		if l := b.Lines()[0]; l.State != "idle" || l.Hook != "on-hook" {
			t.Errorf("returned: %+v", l)
		}
		if info, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected); info.Answered.IsZero() {
			t.Errorf("the next call: %+v", info)
		}
	})
}

func TestALineIsTested(t *testing.T) {
	tests := []struct {
		name, line string
		fault      sim.Faults
		wrong      string // what is found to be wrong, "" is nothing
	}{
		{"that is in order", "fxo1", sim.Faults{}, ""},
		{"without dial tone", "fxo1", sim.Faults{NoDialTone: true}, "dial tone"},
		{"whose wire is cut", "fxo1", sim.Faults{NoLoop: true}, "loop current, dial tone"},
		{"with a mute modem", "fxo1", sim.Faults{Mute: true}, "modem"},
		{"that is mobile", "gsm1", sim.Faults{}, ""},
		{"that is mobile, without a network", "gsm1", sim.Faults{NoService: true}, "network"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t, nil, tt.line)
				b.lines[tt.line].Fault(tt.fault)
				lent, err := b.Lend(tt.line)
				if err != nil {
					t.Fatal(err)
				}
				var all, wrong []string
				if err := lent.Test(t.Context(), audio.PlanOf("us"), func(f call.Finding) {
					all = append(all, f.What)
					if !f.OK {
						wrong = append(wrong, f.What)
					}
				}); err != nil {
					t.Error(err)
				}
				if b.lines[tt.line].OffHook() && !tt.fault.Mute {
					t.Error("tested, and off-hook")
				}
				lent.Return()
				if got := strings.Join(wrong, ", "); got != tt.wrong || len(all) == 0 {
					t.Errorf("wrong: %s, want %q, of %q", got, tt.wrong, all)
				}
				b.lines[tt.line].Fault(sim.Faults{})
				time.Sleep(3 * time.Minute)
				if l := b.Lines()[0]; l.State != "idle" {
					t.Errorf("afterwards: %+v", l)
				}
				b.sim.Check(t)
			})
		})
	}
}
