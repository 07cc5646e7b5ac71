package sim_test

import (
	"bytes"
	"slices"
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
		{"a quiet answer", "ATDT5550100@", "OK", 13 * time.Second, 16 * time.Second},
		{"no answer that is quiet", "ATDT5550102@", "NO ANSWER", 50 * time.Second, 55 * time.Second},
		{"+VRA=0: the first ringback is enough", "AT+VRA=0;DT5550102", "OK", 2 * time.Second, 3 * time.Second},
		{"+VRA=30 takes the pause between two rings for an answer", "AT+VRA=30;DT5550102", "OK", 6 * time.Second, 9 * time.Second},
		{"+VRN=0: nothing is waited for", "AT+VRN=0;DT5550102", "OK", 1 * time.Second, 3 * time.Second},
		{"S7=5", "ATS7=5DT5550102", "NO ANSWER", 6 * time.Second, 8 * time.Second},
		{"blind dialling", "ATX3S6=4DT5550101", "BUSY", 7 * time.Second, 11 * time.Second},
		{"X0 does not know busy tone", "ATX0S7=20DT5550101", "NO CARRIER", 20 * time.Second, 25 * time.Second},
		{"a data call finds no carrier", "AT+FCLASS=0;S7=20;DT5550100", "NO CARRIER", 20 * time.Second, 25 * time.Second},
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
			})
		})
	}
}

func TestTheFarEndHearsWhatIsPlayed(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
				h := open(t, l)
				h.setUp(f.id)
				h.ask("ATDT5550106", "OK")
				h.ask("AT+VTX", "CONNECT")
				want := ramp(24000)
				start := time.Now()
				h.send(string(shield(f.encode(want))) + "\x10\x03")
				h.until("OK\r\n", 10*time.Second)
				if d := time.Since(start); d < 2900*time.Millisecond || d > 3200*time.Millisecond {
					t.Errorf("3 s of sound took %v", d)
				}
				h.ask("ATH", "OK")
				if find(l.Heard(), want, f.exact) < 0 {
					t.Error("it was not heard in one piece")
				}
				if n := l.Underruns(); n != 0 {
					t.Errorf("%d underruns", n)
				}
			})
		})
	}
}

func TestSubstituteForTwoShieldedBytes(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("130")
		h.ask("ATDT5550106", "OK")
		h.ask("AT+VTX", "CONNECT")
		h.send("\x90" + strings.Repeat("\x10\x1a", 500) + "\x90\x10\x10\x90\x10\x03")
		h.until("OK\r\n", 10*time.Second)
		h.ask("ATH", "OK")
		low, high := int16(0x10-0x80)<<8, int16(0x10)<<8
		want := slices.Concat([]int16{high}, slices.Repeat([]int16{low}, 1000), []int16{high, low, high})
		if find(l.Heard(), want, 0) < 0 {
			t.Error("DLE SUB was not two bytes DLE")
		}
	})
}

func TestRecordingHearsTheFarEnd(t *testing.T) {
	says := ramp(16000)
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				late := append(make([]int16, 13*8000), says...) // after the modem has found out
				x := sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550199": {Rings: 1, Silent: true, Says: late}}})
				t.Cleanup(func() { _ = x.Close() })
				h := open(t, x.Voice("line"))
				h.setUp(f.id)
				h.ask("AT+VSD=128,0", "OK")
				h.ask("ATDT5550199", "OK")
				h.ask("AT+VRX", "CONNECT")
				got := h.during(8 * time.Second)
				h.send("\x10!")
				got += h.until("\x10\x03\r\nOK\r\n", time.Second)
				sound, events := unshield(strings.TrimSuffix(got, "\r\nOK\r\n"))
				if events != "\x03" {
					t.Errorf("events %q, want only the end", events)
				}
				if want := f.encode(says); f.exact == 0 && !bytes.Contains(sound, want) {
					t.Error("the far end was not heard in one piece")
				}
				if n := len(sound) * 8 / len(f.encode(make([]int16, 64000))); n < 7 || n > 9 {
					t.Errorf("%d bytes in 8 s", len(sound))
				}
				h.ask("ATH", "OK")
				x.Check(t)
			})
		})
	}
}

func TestDuplexSpeaksAndListensAtOnce(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("133")
		h.ask("ATDT5550107;", "OK")
		h.until("\x10r", 5*time.Second)
		h.ask("AT+VTR", "CONNECT")
		want := ramp(8000)
		h.during(3 * time.Second) // ringback, and the answer
		h.send(string(shield(formats[2].encode(want))))
		heard, _ := unshield(h.during(2 * time.Second))
		h.send("\x10^")
		h.until("\x10\x03\r\nOK\r\n", time.Second)
		h.ask("ATH", "OK")
		if find(l.Heard(), want, 0) < 0 {
			t.Error("the far end did not hear us")
		}
		if rms(heard) < 300 {
			t.Error("we did not hear the far end")
		}
	})
}

func TestPlaybackCanBeCutAtOnce(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		h.ask("ATDT5550106", "OK")
		for _, cut := range []string{"\x10\x18\x10\x03", "\x10!", "\x10\x1b", "\x10\x03\x10\x18"} {
			h.ask("AT+VTX", "CONNECT")
			h.send(strings.Repeat("\x20", 3000))
			h.during(100 * time.Millisecond)
			start := time.Now()
			h.send(cut)
			h.until("OK\r\n", time.Second)
			if d := time.Since(start); d > 40*time.Millisecond {
				t.Errorf("%q took %v", cut, d)
			}
		}
		h.ask("ATH", "OK")
	})
}

func TestAnUnderrunIsTold(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		h.ask("ATDT5550106", "OK")
		h.ask("AT+VTX", "CONNECT")
		h.send(strings.Repeat("\x20", 1600))
		h.until("\x10u", 300*time.Millisecond)
		h.send(strings.Repeat("\x20", 1600) + "\x10\x03")
		h.until("OK\r\n", time.Second)
		h.ask("ATH", "OK")
		if n := l.Underruns(); n != 1 {
			t.Errorf("%d underruns, want 1", n)
		}
	})
}

func TestKeysOfTheFarEnd(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		h.ask("ATDT5550104;", "OK")
		h.during(500 * time.Millisecond)
		h.ask("AT+VTX", "CONNECT")
		h.until("\x10u", time.Second)
		got := h.during(14 * time.Second)
		for _, want := range []string{"\x10/\x101", "\x10/\x102", "\x10/\x10#", "\x10~"} {
			if !strings.Contains(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if n := strings.Count(got, "\x10/"); n != 4 || strings.Count(got, "\x10~") != 4 {
			t.Errorf("%d beginnings of keys in %q", n, got)
		}
		h.send("\x10\x03")
		h.until("OK\r\n", time.Second)
		h.ask("ATH", "OK")
	})
}

func TestTheFarEndHangsUp(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		loop := l.Loop()
		h.ask("ATDT5550103", "OK")
		h.ask("AT+VRX", "CONNECT")
		h.until("\x10b\x10b", 8*time.Second)
		var broken time.Duration
		for range 500 {
			if on, _ := loop.Read(); !on {
				broken += 20 * time.Millisecond
			}
			h.during(20 * time.Millisecond)
		}
		if broken < 350*time.Millisecond || broken > 800*time.Millisecond {
			t.Errorf("the loop was broken for %v", broken)
		}
		if !l.OffHook() {
			t.Error("on-hook, though nobody has hung up")
		}
		h.send("\x10!")
		h.until("OK\r\n", time.Second)
		h.ask("ATH", "OK")
	})
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		h.ask("ATDT5550103", "OK")
		h.ask("AT+VTX", "CONNECT")
		h.until("\x10d", 20*time.Second) // dial tone again
		h.send("\x10\x03")
		h.until("OK\r\n", time.Second)
		h.ask("ATH", "OK")
	})
}
