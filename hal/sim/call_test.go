package sim_test

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/sim"
)

func TestACharacterAbortsADial(t *testing.T) {
	for _, after := range []time.Duration{200 * time.Millisecond, 2 * time.Second, 9 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
				h := open(t, l)
				h.setUp("131")
				h.send("ATDT5550102\r")
				h.during(50 * time.Millisecond)
				h.send("\r") // too early
				h.during(after - 50*time.Millisecond)
				start := time.Now()
				h.send("\r")
				h.until("NO CARRIER\r\n", time.Second)
				if d := time.Since(start); d > 50*time.Millisecond || l.OffHook() {
					t.Errorf("after %v, off-hook %v", d, l.OffHook())
				}
			})
		})
	}
}

func TestAnIncomingCall(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("ATE0", "OK")
		h.ask("AT+VCID=1", "OK")
		l.Call(sim.Caller{Number: "2015550123", Name: "Alice", End: sim.FarEnd{HangUp: time.Minute}})
		h.until("RING\r\n", time.Second)
		h.until("NMBR = 2015550123\r\n\r\nNAME = Alice\r\n", 4*time.Second)
		edges := 0
		ring, was := l.Ring(), false
		h.until("RING\r\n", 5*time.Second)
		for range 100 {
			now, _ := ring.Read()
			if now != was {
				edges++
			}
			was = now
			h.during(5 * time.Millisecond)
		}
		if edges < 20 {
			t.Errorf("%d edges of ringing current in half a second", edges)
		}
		h.ask("AT+FCLASS=8;+VSM=133,8000", "OK")
		h.ask("ATA", "OK")
		h.ask("AT+VTX", "CONNECT")
		want := ramp(4000)
		h.send(string(shield(formats[2].encode(want))) + "\x10\x03")
		h.until("OK\r\n", 2*time.Second)
		if !l.OffHook() || find(l.Heard(), want, 0) < 0 {
			t.Errorf("off-hook %v; the caller has not heard the answer", l.OffHook())
		}
		h.ask("ATH", "OK")
		l.Call(sim.Caller{GiveUp: 2})
		if got := h.during(30 * time.Second); strings.Count(got, "\x10R") != 2 {
			t.Errorf("a caller who gives up after two rings: got %q", got)
		}
		l.Call(sim.Caller{End: sim.FarEnd{}})
		h.ask("ATS0=2", "OK")
		h.during(8 * time.Second)
		if !l.OffHook() {
			t.Error("S0=2 did not answer")
		}
		h.ask("ATH", "OK")
	})
}

func TestAParallelTelephoneIsReported(t *testing.T) {
	lineTest(t, sim.Conexant, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("AT+FCLASS=8", "OK")
		h.ask("AT-STE=3", "OK")
		l.Parallel(true)
		h.until("\x10P", time.Second)
		if used, _ := l.InUse().Read(); !used {
			t.Error("the line is not in use")
		}
		l.Parallel(false)
		h.until("\x10p", time.Second)
	})
}

func TestAnsweredInTheWordsOfItsMake(t *testing.T) {
	lineTest(t, sim.Rockwell, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("AT+FCLASS=8", "OK")
		h.ask("ATDT5550106", "VCON")
		if !l.OffHook() {
			t.Error("on-hook after VCON")
		}
		h.ask("ATH", "OK")
	})
}

func TestEveryCountrysRingbackAndBusyTone(t *testing.T) {
	for name, tones := range sim.TonePlans {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := sim.New(sim.Options{Tones: &tones})
				t.Cleanup(func() { _ = x.Close() })
				h := open(t, x.Voice("line"))
				h.setUp("133")
				h.ask("ATDT5550101", "BUSY")
				h.ask("ATDT5550100", "OK")
				h.ask("ATH", "OK")
				for _, number := range []string{"5550101", "5550102"} {
					h.ask("ATDT"+number+";", "OK")
					h.ask("AT+VRX", "CONNECT")
					sound, _ := unshield(h.during(5 * time.Second))
					h.send("\x10!")
					h.until("OK\r\n", time.Second)
					h.ask("ATH", "OK")
					if level := 20 * math.Log10(rms(sound)/23170); level < -35 || level > -10 {
						t.Errorf("%s: %.1f dBm0", number, level)
					}
				}
				x.Check(t)
			})
		})
	}
}
