package sim_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"hookswitch/hal/sim"
)

// pcm puts a host at a line's audio port.
func pcm(t *testing.T, l *sim.Line) *host {
	t.Helper()
	rw, err := l.PCM()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, rw)
	t.Cleanup(h.close)
	return h
}

func pcmBytes(s []int16) string {
	b := make([]byte, 0, 2*len(s))
	for _, v := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return string(b)
}

func TestTheAudioPortOfAUSBModemIsNoSerialPort(t *testing.T) {
	lineTest(t, sim.SIM7600, func(t *testing.T, l *sim.Line) {
		l.Fault(sim.Faults{Baud: 9600}) // 16 kB/s of sound would not go through that
		h, audio := open(t, l), pcm(t, l)
		h.ask("ATD5550107;", "OK")
		h.until("VOICE CALL: BEGIN\r\n", 10*time.Second)
		h.ask("AT+CPCMREG=1", "OK")
		want := ramp(8000)
		for data := pcmBytes(want); len(data) > 0; data = data[320:] {
			audio.send(data[:320])
			h.during(20 * time.Millisecond)
		}
		h.during(100 * time.Millisecond)
		h.ask("AT+CHUP", "OK")
		if find(l.Heard(), want, 0) < 0 {
			t.Error("the far end did not hear it in one piece")
		}
	})
}

func TestSoundOfAMobileCall(t *testing.T) {
	tests := []struct {
		p              sim.Personality
		name, on, up   string
		before, refuse bool // the audio path is switched before the call
	}{
		{sim.SIM7600, "SIM7600", "AT+CPCMREG=1", "VOICE CALL: BEGIN", false, true},
		{sim.Quectel, "Quectel", "AT+QPCMV=1,0", "", true, false},
		{sim.Huawei, "Huawei", "AT^DDSETEX=2", "^CONN:1,0", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lineTest(t, tt.p, func(t *testing.T, l *sim.Line) {
				h, audio := open(t, l), pcm(t, l)
				h.ask("ATE0", "OK")
				if tt.refuse {
					h.ask(tt.on, "ERROR")
				}
				if tt.before {
					h.ask(tt.on, "OK")
				}
				audio.send(pcmBytes(ramp(1600))) // no call: lost
				h.ask("ATD5550107;", "OK")
				h.during(time.Second)
				audio.send(pcmBytes(ramp(1600))) // not answered: lost
				if tt.up != "" {
					h.until(tt.up+"\r\n", 5*time.Second)
				} else {
					h.during(2 * time.Second)
				}
				if !tt.before {
					audio.send(pcmBytes(ramp(1600))) // not switched: lost
					h.during(20 * time.Millisecond)
					h.ask(tt.on, "OK")
				}
				if !l.OffHook() {
					t.Error("the exchange sees the line on-hook")
				}
				want := ramp(8000)
				data := pcmBytes(want)
				audio.send(data[:333]) // an odd number: the next byte belongs to it
				for data = data[333:]; len(data) > 320; data = data[320:] {
					audio.send(data[:320])
					h.during(20 * time.Millisecond)
				}
				audio.send(data)
				h.during(500 * time.Millisecond)
				heard := audio.during(time.Millisecond)
				if n := len(heard); n < 20000 || n%320 != 0 {
					t.Errorf("%d bytes of sound, not whole frames of 20 ms", n)
				}
				if rms([]byte(heard)) < 300 {
					t.Error("the far end was not to be heard")
				}
				h.ask("AT+CHUP", "OK")
				if find(l.Heard(), want, 0) < 0 {
					t.Error("the far end did not hear it in one piece")
				}
				if n := find(l.Heard(), ramp(1600), 0); n >= 0 && n != find(l.Heard(), want, 0) {
					t.Error("the far end heard what came too early")
				}
				if l.Underruns() != 0 || l.OffHook() {
					t.Errorf("%d underruns, off-hook %v", l.Underruns(), l.OffHook())
				}
				audio.during(time.Millisecond)
				if got := audio.during(time.Second); got != "" {
					t.Errorf("%d bytes of sound after the call", len(got))
				}
			})
		})
	}
}

func TestAnAudioPortTakesNoMoreThanASecondAhead(t *testing.T) {
	lineTest(t, sim.Quectel, func(t *testing.T, l *sim.Line) {
		h, audio := open(t, l), pcm(t, l)
		h.ask("AT+QPCMV=1,0", "OK")
		h.ask("ATD5550106;", "OK")
		h.during(3 * time.Second)
		start := time.Now()
		audio.send(pcmBytes(ramp(5 * 8000)))
		if d := time.Since(start); d < 2*time.Second || d > 4*time.Second {
			t.Errorf("5 s of sound were taken in %v", d)
		}
		h.during(3 * time.Second)
		h.ask("AT+CHUP", "OK")
		if find(l.Heard(), ramp(5*8000), 0) < 0 {
			t.Error("some of it was lost")
		}
	})
}

func TestAGapInTheSoundIsCounted(t *testing.T) {
	lineTest(t, sim.Quectel, func(t *testing.T, l *sim.Line) {
		h, audio := open(t, l), pcm(t, l)
		h.ask("AT+QPCMV=1,0", "OK")
		h.ask("ATD5550106;", "OK")
		h.during(3 * time.Second)
		audio.send(pcmBytes(ramp(800)))
		h.during(190 * time.Millisecond)
		audio.send(pcmBytes(ramp(800)))
		h.during(2 * time.Second) // a pause is none
		audio.send(pcmBytes(ramp(800)))
		h.during(time.Second)
		h.ask("AT+CHUP", "OK")
		if n := l.Underruns(); n != 1 {
			t.Errorf("%d underruns, want 1", n)
		}
	})
}

func TestKeysOnAMobileCall(t *testing.T) {
	lineTest(t, sim.SIM7600, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("ATD5550104;", "OK")
		got := h.during(15 * time.Second)
		if n := strings.Count(got, "+RXDTMF: "); n != 4 || !strings.Contains(got, "\r\n+RXDTMF: 1\r\n") || !strings.Contains(got, "+RXDTMF: #\r\n") {
			t.Errorf("got %q", got)
		}
		h.ask("AT+VTS=1;+VTS=\"#\"", "OK")
		h.during(time.Second)
		h.ask("AT+CHUP", "OK")
		h.ask("AT+DDET=0", "OK")
		h.ask("ATD5550104;", "OK")
		if got := h.during(15 * time.Second); strings.Contains(got, "DTMF") {
			t.Errorf("with AT+DDET=0: got %q", got)
		}
		h.ask("AT+CHUP", "OK")
	})
}

func TestAnIncomingMobileCall(t *testing.T) {
	lineTest(t, sim.SIM7600, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("ATE0", "OK")
		l.Call(sim.Caller{Number: "+12015550123", End: sim.FarEnd{HangUp: 3 * time.Second}})
		h.until("\r\nRING\r\n", time.Second)
		h.ask("AT+CRC=1;+CLIP=1", "OK")
		h.until("\r\n+CRING: VOICE\r\n\r\n+CLIP: \"+12015550123\",129", 6*time.Second)
		if got := h.ask("AT+CLCC", "OK"); !strings.Contains(got, `+CLCC: 1,1,4,0,0,"+12015550123",145`) {
			t.Errorf("got %q", got)
		}
		h.ask("ATA", "OK")
		h.until("VOICE CALL: BEGIN", time.Second)
		h.until("VOICE CALL: END: 000003\r\n\r\nNO CARRIER\r\n", 4*time.Second)
		l.Call(sim.Caller{Number: "2015550123", GiveUp: 2})
		h.until("MISSED_CALL: ", 20*time.Second)
		l.Call(sim.Caller{Number: "2015550123"})
		h.until("+CRING", time.Second)
		h.ask("AT+CHUP", "OK")
		h.ask("ATA", "NO CARRIER")
	})
}

func TestNoServiceAndNoSIM(t *testing.T) {
	lineTest(t, sim.SIM7600, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		h.ask("ATE0", "OK")
		h.ask("AT+CMEE=1", "OK")
		l.Fault(sim.Faults{NoService: true})
		if got := h.ask("AT+CREG?;+CSQ;+COPS?", "OK"); got != "\r\n+CREG: 0,2\r\n\r\n+CSQ: 99,99\r\n\r\n+COPS: 0\r\n\r\nOK\r\n" {
			t.Errorf("got %q", got)
		}
		h.ask("ATD5550100;", "+CME ERROR: 30")
		l.Fault(sim.Faults{NoSIM: true})
		h.ask("AT+CPIN?", "+CME ERROR: 10")
		h.ask("ATD5550100;", "+CME ERROR: 10")
	})
}

func TestACallThatWaits(t *testing.T) {
	tests := []struct {
		p    sim.Personality
		name string
		want []string // what is said of it
	}{
		{sim.SIM7600, "SIM7600", []string{`+CCWA: "5559876",129,1`, `+CLCC: 2,1,5,0,0,"5559876",129`, `+CLCC: 2,1,6,0,0,"5559876",129`, "VOICE CALL: END: 000000", "NO CARRIER"}},
		{sim.Quectel, "Quectel", []string{`+CCWA: "5559876",129,1`, "^DSCI: 2,1,5,0,5559876,129", "^DSCI: 2,1,6,0,5559876,129", "NO CARRIER"}},
		{sim.Huawei, "Huawei", []string{`+CCWA: "5559876",129,1`, "^CEND:2,0,29,16", "NO CARRIER"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lineTest(t, tt.p, func(t *testing.T, l *sim.Line) {
				h := open(t, l)
				for _, cmd := range []string{"AT+CCWA=1", "AT+CLCC=1", "AT^DSCI=1"} {
					h.send(cmd + "\r")
					h.during(100 * time.Millisecond)
				}
				h.ask("ATD5550107;", "OK")
				h.during(10 * time.Second)
				l.Call(sim.Caller{Number: "5559876", GiveUp: 2})
				said := h.during(time.Second)
				h.send("AT+CLCC\r")
				if list := h.during(time.Second); !strings.Contains(list, `+CLCC: 1,0,0,0,0,"5550107",129`+"\r\n"+`+CLCC: 2,1,5,0,0,"5559876",129`) {
					t.Errorf("listed %q", list)
				}
				said += h.during(10 * time.Second)
				var got []string
				for line := range strings.Lines(said) {
					if line = strings.TrimSpace(line); line != "" {
						got = append(got, line)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("said %q, want %q", got, tt.want)
				}
				h.send("AT+CLCC\r")
				if list := h.during(time.Second); strings.Contains(list, "5559876") || !strings.Contains(list, "5550107") {
					t.Errorf("afterwards %q", list)
				}
				l.Call(sim.Caller{Number: "5559877"})
				h.ask("AT+CHUP", "OK")
				h.until("RING", 10*time.Second) // who waits is next
			})
		})
	}
}

func TestDataConnectionsAreListedFirst(t *testing.T) {
	lineTest(t, sim.SIM7600, func(t *testing.T, l *sim.Line) {
		h := open(t, l)
		l.Fault(sim.Faults{Contexts: 2})
		h.ask("ATD5550107;", "OK")
		h.during(10 * time.Second)
		h.send("AT+CLCC\r")
		want := `+CLCC: 1,0,0,1,0,"",128` + "\r\n" + `+CLCC: 2,1,0,1,0,"",128` + "\r\n" + `+CLCC: 3,0,0,0,0,"5550107",129`
		if list := h.during(time.Second); !strings.Contains(list, want) {
			t.Errorf("listed %q", list)
		}
		h.ask("AT+CHUP", "OK")
	})
}
