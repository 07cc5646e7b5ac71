package sim_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/sim"
)

func flows(t *testing.T, l *sim.Line) bool {
	t.Helper()
	on, err := l.Loop().Read()
	if err != nil {
		t.Fatal(err)
	}
	return on
}

func TestCurrentFlowsThroughRelayAndModem(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("ATH1", "OK")
		if !l.OffHook() {
			t.Error("without a relay: on-hook")
		}
		relay := l.Relay()
		if l.OffHook() || flows(t, l) {
			t.Error("with an open relay: off-hook")
		}
		_ = relay.Set(true)
		if !l.OffHook() || !flows(t, l) {
			t.Error("with a closed relay: on-hook")
		}
		l.Fault(sim.Faults{NoLoop: true})
		if l.OffHook() || flows(t, l) {
			t.Error("with the wire cut: off-hook")
		}
		l.Fault(sim.Faults{})
		h.ask("ATH", "OK")
		if l.OffHook() || flows(t, l) {
			t.Error("with an on-hook modem: off-hook")
		}
		_ = relay.Set(false)
	})
}

func TestAnOpenRelayEndsTheCall(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		relay := l.Relay()
		_ = relay.Set(true)
		h := open(t, l)
		h.setUp("131")
		h.ask("ATDT5550106", "OK")
		heard := func() int { return len(l.Heard()) }
		before := heard()
		_ = relay.Set(false)
		h.during(200 * time.Millisecond) // a flash: the call stays
		_ = relay.Set(true)
		h.during(time.Second)
		if n := heard(); n < before+8000 {
			t.Errorf("the far end heard %d samples in 1.2 s with a flash", n-before)
		}
		_ = relay.Set(false)
		h.during(time.Second)
		before = heard()
		h.during(time.Second)
		if heard() != before {
			t.Error("the call goes on with the relay open")
		}
		h.ask("ATH", "OK")
	})
}

func TestTheExchangeIsDead(t *testing.T) {
	for name, f := range map[string]sim.Faults{"no dial tone": {NoDialTone: true}, "no loop current": {NoLoop: true}} {
		t.Run(name, func(t *testing.T) {
			lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
				l.Fault(f)
				h := open(t, l)
				h.setUp("131")
				start := time.Now()
				h.ask("ATDT5550100", "NO DIALTONE")
				if d := time.Since(start); d < 5*time.Second || d > 6*time.Second || l.OffHook() {
					t.Errorf("after %v, off-hook %v", d, l.OffHook())
				}
			})
		})
	}
}

// dialPulses dials with the hook relay as hook.Switch does: 60 ms break, 40 ms make.
func dialPulses(h *host, l *sim.Line, digits string) {
	relay := l.Relay()
	for _, d := range digits {
		n := int(d - '0')
		if n == 0 {
			n = 10
		}
		for range n {
			_ = relay.Set(false)
			h.during(60 * time.Millisecond)
			_ = relay.Set(true)
			h.during(40 * time.Millisecond)
		}
		h.during(700 * time.Millisecond)
	}
}

func TestTheRelayDialsPulses(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		relay := l.Relay()
		_ = relay.Set(true)
		h := open(t, l)
		h.setUp("131")
		h.ask("AT+VLS=1", "OK")
		h.during(time.Second)
		dialPulses(h, l, "5550101")
		h.until("\x10b", 5*time.Second)
		h.ask("ATH", "OK")
		_ = relay.Set(false)
	})
}

func TestContradictions(t *testing.T) {
	tests := []struct {
		name string
		do   func(h *host, l *sim.Line)
		want string // "" is none
	}{
		{"a call as it should be", func(h *host, l *sim.Line) {
			_ = l.Relay().Set(true)
			h.ask("ATDT5550106", "OK")
			h.ask("ATH", "OK")
			_ = l.Relay().Set(false)
		}, ""},
		{"a dial that one CR aborts", func(h *host, l *sim.Line) {
			h.send("ATDT5550102\r")
			h.during(time.Second)
			h.send("\r")
			h.until("NO CARRIER\r\n", time.Second)
		}, ""},
		{"the ladder of a restarted host", func(h *host, l *sim.Line) {
			h.send("\x10\x18\x10\x03\x10!\r")
			h.ask("ATH", "OK")
		}, ""},
		{"ATD with the relay open", func(h *host, l *sim.Line) {
			l.Relay()
			h.ask("ATDT5550100", "NO DIALTONE")
		}, "hook relay open"},
		{"digits on an open loop", func(h *host, l *sim.Line) {
			l.Relay()
			h.ask("ATX1S7=5DT5550100", "OK")
			h.ask("ATH", "OK")
		}, "without loop current"},
		{"a poll while ATD is pending", func(h *host, l *sim.Line) {
			h.send("ATDT5550102\r")
			h.during(time.Second)
			h.send("AT+CLCC\r")
			h.during(time.Second)
		}, "pending ATD"},
		{"sound before CONNECT", func(h *host, l *sim.Line) {
			h.send(strings.Repeat("\x80\x81\x7f", 100))
			h.during(time.Second)
		}, "voice data where a command is expected"},
		{"a relay left closed", func(h *host, l *sim.Line) { _ = l.Relay().Set(true) }, "relay is left closed"},
		{"a modem left off-hook", func(h *host, l *sim.Line) { h.ask("ATH1", "OK") }, "left off-hook"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := sim.New(sim.Options{})
				l := x.Voice("fxo1")
				h := open(t, l)
				h.ask("AT+FCLASS=8;+VRN=0", "OK")
				tt.do(h, l)
				if err := x.Close(); err != nil {
					t.Error(err)
				}
				got := strings.Join(x.Contradictions(), "; ")
				if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestEdgesTraceAndLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var edges []bool
		var sent, got strings.Builder
		x := sim.New(sim.Options{
			Edge: func(line string, closed bool) { edges = append(edges, line == "fxo1" && closed) },
			Trace: func(line string, byHost bool, b []byte) {
				if byHost {
					sent.Write(b)
				} else {
					got.Write(b)
				}
			},
		})
		l := x.Voice("fxo1")
		h := open(t, l)
		_ = l.Relay().Set(true)
		_ = l.Relay().Set(true)
		_ = l.Relay().Set(false)
		h.ask("AT+FCLASS?", "OK")
		h.during(2500 * time.Millisecond)
		h.ask("ATE0", "OK")
		h.ask("AT+FCLASS=8;H1;+VTX", "CONNECT")
		h.send("\x80\x80\x10\x03")
		h.until("OK\r\n", time.Second)
		h.ask("ATH", "OK")
		x.Check(t)
		if want := []bool{true, false}; !slices.Equal(edges, want) {
			t.Errorf("edges %v, want %v", edges, want)
		}
		if !strings.HasPrefix(sent.String(), "AT+FCLASS?\rATE0\r") || !strings.HasPrefix(got.String(), "AT+FCLASS?\r\r\n0\r\n") {
			t.Errorf("sent %q, got %q", sent.String(), got.String())
		}
		want := `> AT+FCLASS?\r
< AT+FCLASS?\r\r\n0\r\n\r\nOK\r\n
@2.5
> ATE0\r
< ATE0\r\r\nOK\r\n
> AT+FCLASS=8;H1;+VTX\r
< \r\nCONNECT\r\n
# > 4 bytes of voice data
@0.02
< \r\nOK\r\n
> ATH\r
< \r\nOK\r\n
`
		if log := l.Log(); log != want {
			t.Errorf("the log is\n%swant\n%s", log, want)
		}
	})
}
