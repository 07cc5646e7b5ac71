package sim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/sim"
)

// lineTest runs f with a line on an exchange, in a bubble, and checks for contradictions.
func lineTest(t *testing.T, p sim.Personality, f func(t *testing.T, l *sim.Line)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := sim.New(sim.Options{})
		t.Cleanup(func() { _ = x.Close() })
		f(t, x.Add("line", p))
		x.Check(t)
	})
}

func TestDialTellsWhatTheFarEndDoes(t *testing.T) {
	tests := []struct {
		name, dial, want string
		least, most      time.Duration
	}{
		{"answers after two rings; ringback gone for +VRA", "ATDT5550100", "OK", 13 * time.Second, 16 * time.Second},
		{"busy", "ATDT5550101", "BUSY", 3 * time.Second, 8 * time.Second},
		{"rings for ever, S7", "ATDT5550102", "NO ANSWER", 50 * time.Second, 55 * time.Second},
		{"unobtainable", "ATDT5550105", "NO CARRIER", 3 * time.Second, 10 * time.Second},
		{"a number that nobody has", "ATDT5559999", "NO CARRIER", 6 * time.Second, 15 * time.Second},
		{"never any ringback, +VRN", "ATDT5550106", "OK", 10 * time.Second, 14 * time.Second},
		{"a semicolon does not wait", "ATDT5550100;", "OK", 1 * time.Second, 3 * time.Second},
		{"punctuation, prefix and modifiers", "ATD W 9, T (201) 555-0101", "BUSY", 5 * time.Second, 14 * time.Second},
		{"pulses", "ATDP5550101", "BUSY", 8 * time.Second, 20 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
				h := open(t, l)
				h.setUp("131")
				start := time.Now()
				h.ask(tt.dial, tt.want)
				if d := time.Since(start); d < tt.least || d > tt.most {
					t.Errorf("after %v, want %v to %v", d, tt.least, tt.most)
				}
				if off, want := l.OffHook(), tt.want == "OK"; off != want {
					t.Errorf("off-hook %v, want %v", off, want)
				}
				h.ask("ATH", "OK")
				if l.OffHook() {
					t.Error("off-hook after ATH")
				}
				h.close()
			})
		})
	}
}

func TestFarEndHearsWhatIsPlayed(t *testing.T) {
	for _, f := range []struct{ id, name string }{{"131", "u-law"}, {"1", "8 bits"}} {
		t.Run(f.name, func(t *testing.T) {
			lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
				h := open(t, l)
				h.setUp(f.id)
				h.ask("ATDT5550106", "OK")
				h.ask("AT+VTX", "CONNECT")
				data := strings.Repeat("\x20\xa0\x10\x10", 8000)
				start := time.Now()
				h.send(data + "\x10\x03")
				h.until("OK\r\n", 10*time.Second)
				if d := time.Since(start); d < 2900*time.Millisecond || d > 3200*time.Millisecond {
					t.Errorf("24000 samples took %v", d)
				}
				h.ask("ATH", "OK")
				h.close()
				if n := l.Underruns(); n != 0 {
					t.Errorf("%d underruns", n)
				}
			})
		})
	}
}
