package sim_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"hookswitch/hal/sim"
)

func TestFaultsInWhatTheHostReads(t *testing.T) {
	tests := []struct {
		name  string
		fault sim.Faults
		send  string
		want  string
	}{
		{"none", sim.Faults{}, "AT+FCLASS?\r", "\r\n0\r\n\r\nOK\r\n"},
		{"two CR around a line", sim.Faults{Header: sim.DoubleCR}, "AT+FCLASS?\r", "\r\r\n0\r\r\n\r\r\nOK\r\r\n"},
		{"no header", sim.Faults{Header: sim.NoHeader}, "AT+FCLASS?\r", "0\r\nOK\r\n"},
		{"LF before a line", sim.Faults{Header: sim.LFOnly}, "AT\r", "\nOK\r\n"},
		{"echo that can't be turned off", sim.Faults{Echo: true}, "ATE0\r", "ATE0\r\r\nOK\r\n"},
		{"a URC inside an answer", sim.Faults{URC: "RING"}, "AT+FCLASS?\r", "\r\n0\r\n\r\nRING\r\n\r\nOK\r\n"},
		{"ERROR to a command", sim.Faults{Refuse: "+fclass"}, "AT+FCLASS?\rAT\r", "\r\nERROR\r\n\r\nOK\r\n"},
		{"another result to a command", sim.Faults{Refuse: "FCLASS", RefuseWith: "+CME ERROR: 3"}, "AT+FCLASS=8\r", "\r\n+CME ERROR: 3\r\n"},
		{"ERROR the second time", sim.Faults{Refuse: "+FCLASS", RefuseAt: 2}, "AT+FCLASS=8\rAT+FCLASS=8\rAT+FCLASS=8\r", "\r\nOK\r\n\r\nERROR\r\n\r\nOK\r\n"},
		{"a lost result", sim.Faults{Lose: 1}, "AT+FCLASS?\rAT\r", "\r\n0\r\n\r\nOK\r\n"},
		{"a line that is lost", sim.Faults{Lost: "OK", LostAt: 2}, "AT\rAT\rAT\r", "\r\nOK\r\n\r\nOK\r\n"},
		{"a line that is garbled", sim.Faults{Garble: "+FCLASS", GarbleAt: 1}, "AT+FCLASS=?\rAT\r", "\r\n0,1,8\r\n\r\nOK\r\n\r\nOK\r\n"},
		{"each result garbled", sim.Faults{Garble: "OK"}, "AT\rAT\r", "\r\nO\r\n\r\nO\r\n"},
		{"mute", sim.Faults{Mute: true}, "AT+FCLASS?\rAT\r", ""},
		{"deaf", sim.Faults{Deaf: true}, "AT+FCLASS?\rAT\r", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
				h := open(t, l)
				h.ask("ATE0", "OK")
				l.Fault(tt.fault)
				h.send(tt.send)
				if got := h.during(time.Second); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				l.Fault(sim.Faults{})
				h.ask("AT", "OK")
			})
		})
	}
}

func TestWhatTheHostReadsIsSplit(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		l.Fault(sim.Faults{Split: true})
		h, err := l.Port()
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		if _, err := io.WriteString(h, "AT\r"); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		for _, want := range []byte("AT\r\r\nOK\r\n") {
			if n, err := h.Read(buf); n != 1 || err != nil || buf[0] != want {
				t.Fatalf("read %q, %v", buf[:n], err)
			}
		}
	})
}

func TestGarbageDelayAndRings(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("ATE0", "OK")
		l.Fault(sim.Faults{Garbage: 20})
		h.send("AT\r")
		if got := h.during(time.Second); len(got) != 26 || !strings.HasSuffix(got, "\r\nOK\r\n") {
			t.Errorf("garbage: got %q", got)
		}
		l.Fault(sim.Faults{Delay: 700 * time.Millisecond})
		start := time.Now()
		h.ask("AT", "OK")
		if d := time.Since(start); d != 700*time.Millisecond {
			t.Errorf("delayed by %v", d)
		}
		l.Fault(sim.Faults{Rings: true})
		if n := strings.Count(h.during(time.Second), "RING\r\n"); n < 9 || n > 10 {
			t.Errorf("%d times RING in a second", n)
		}
		l.Fault(sim.Faults{})
		h.during(time.Second)
		if got := h.during(time.Second); got != "" {
			t.Errorf("RING has not stopped: %q", got)
		}
	})
}

func TestAStalledPortBlocksTheHost(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		rw, err := l.Port()
		if err != nil {
			t.Fatal(err)
		}
		defer rw.Close()
		l.Fault(sim.Faults{Stall: true})
		wrote := make(chan int)
		go func() {
			n, _ := rw.Write(make([]byte, 100_000))
			wrote <- n
		}()
		select {
		case n := <-wrote:
			t.Errorf("%d bytes were taken", n)
		case <-time.After(time.Minute):
		}
		_ = rw.Close()
		if n := <-wrote; n == 100_000 || n < 4096 {
			t.Errorf("%d bytes were taken", n)
		}
	})
}

func TestAWedgedModemStaysInVoiceData(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		h.ask("ATDT5550106", "OK")
		h.ask("AT+VTX", "CONNECT")
		l.Fault(sim.Faults{Wedged: true})
		h.send("\x10\x18\x10\x03\x10!\rATH\r+++ATH\r")
		if got := h.during(5 * time.Second); strings.Contains(got, "OK") {
			t.Errorf("got %q", got)
		}
		if !l.OffHook() {
			t.Error("on-hook")
		}
		l.Restart()
		if l.OffHook() {
			t.Error("off-hook after a restart")
		}
		h.ask("AT+FCLASS?", "0\r\n\r\nOK")
	})
}

func TestFaultsOfACall(t *testing.T) {
	t.Run("an abort that is not heeded", func(t *testing.T) {
		lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
			l.Fault(sim.Faults{Unheed: true})
			h := open(t, l)
			h.setUp("131")
			h.send("ATDT5550106\r")
			h.during(3 * time.Second)
			h.send("\r")
			h.until("OK\r\n", 20*time.Second)
			h.ask("ATH", "OK")
		})
	})
	t.Run("a second answer to an abort", func(t *testing.T) {
		lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
			l.Fault(sim.Faults{Twice: true})
			h := open(t, l)
			h.setUp("131")
			h.send("ATDT5550106\r")
			h.during(3 * time.Second)
			h.send("\r")
			h.until("NO CARRIER\r\n", time.Second)
			h.ask("ATH", "OK")
			h.until("NO CARRIER\r\n", time.Second)
		})
	})
	for name, p := range map[string]sim.Personality{"voice": sim.V253, "gsm": sim.SIM7600} {
		t.Run("an early end on a "+name+" modem", func(t *testing.T) {
			lineTest(t, p, func(t *testing.T, l *sim.Line) {
				l.Fault(sim.Faults{NoCarrier: 2 * time.Second})
				h := open(t, l)
				h.send(map[bool]string{false: "ATDT5550100\r", true: "ATD5550100;\r"}[p.GSM])
				h.until("NO CARRIER\r\n", 4*time.Second)
				if l.OffHook() {
					t.Error("off-hook")
				}
			})
		})
	}
}

func TestAModemVanishesAndReturns(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		h.ask("ATDT5550106", "OK")
		l.Vanish()
		if l.OffHook() {
			t.Error("off-hook without power")
		}
		if _, open := <-h.in; open {
			t.Error("the port can still be read")
		}
		if _, err := h.rw.Write([]byte("AT\r")); err == nil {
			t.Error("the port can still be written")
		}
		if _, err := l.Port(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Port: got %v, want os.ErrNotExist", err)
		}
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
		again := open(t, l)
		if got := again.ask("AT+FCLASS?", "OK"); got != "AT+FCLASS?\r\r\n0\r\n\r\nOK\r\n" {
			t.Errorf("after its return: got %q", got)
		}
	})
}

func TestTheTrueRateOfASerialPort(t *testing.T) {
	lineTest(t, sim.V253, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.setUp("131")
		l.Fault(sim.Faults{Baud: 9600})
		start := time.Now()
		h.ask("AT+FCLASS?", "OK") // 11 characters and 11
		if d, want := time.Since(start), 22*time.Second*10/9600; d < want || d > want+2*time.Millisecond {
			t.Errorf("took %v, want %v", d, want)
		}
	})
}
