package sim_test

import (
	"testing"
	"time"

	"hookswitch/hal/sim"
)

func TestASIMBlocksItselfAtTheThirdWrongPIN(t *testing.T) {
	lineTest(t, sim.SIM7600, func(t *testing.T, l *sim.Line) {
		l.LockSIM("1234")
		h := open(t, l)
		h.ask("ATE0", "OK")
		h.ask("AT+CPIN?", "+CPIN: SIM PIN"+"\r\n\r\nOK")
		h.ask("AT+CREG?", "+CREG: 0,2"+"\r\n\r\nOK")
		h.ask(`AT+CPIN="4321"`, "ERROR")
		h.ask("AT+SPIC", "+SPIC: 2,10,3,10"+"\r\n\r\nOK")
		h.send("AT+CPIN=\"1234\"\r")
		if got := h.during(time.Second); got != "\r\nOK\r\n\r\n+CPIN: READY\r\n" {
			t.Errorf("got %q", got)
		}
		h.ask("AT+SPIC", "+SPIC: 3,10,3,10"+"\r\n\r\nOK")
		l.Restart("SMS DONE")
		if got := h.during(time.Second); got != "\r\nSMS DONE\r\n" {
			t.Errorf("got %q", got)
		}
		h.ask("ATE0", "OK")
		for range 3 {
			h.ask("AT+CPIN=0000", "ERROR")
		}
		h.ask("AT+CPIN?", "+CPIN: SIM PUK"+"\r\n\r\nOK")
		h.ask("AT+CPIN=1234", "ERROR")
	})
}
