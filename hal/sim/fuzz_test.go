package sim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/sim"
)

// FuzzModem sends anything to both kinds of modem: they must stay alive, and be on-hook in
// the end.
func FuzzModem(f *testing.F) {
	for _, s := range []string{
		"AT+FCLASS=8;+VLS=1;+VTX\r\x80\x80\x10\x10\x10\x03ATH\r", "AT+FCLASS=8\rATDT5550106\r",
		"ATDT5550104;\r", "AT+FCLASS=8;H1;+VRX\r\x10!", "AT+FCLASS=8;H1;+VTR\r\x80\x10^", "ATD5550100;\rAT+CLCC\rAT+CHUP\r",
		"AT+FCLASS=8;H1;+VSM=129,8000;+VTX\r\x12\x34\x10\x18\x10\x03", "AT+FCLASS=8;H1;+VTS=1,2,3;+VTX\rABC",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, typed []byte) {
		if len(typed) > 2000 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			x := sim.New(sim.Options{})
			lines := []*sim.Line{x.Voice("v"), x.GSM("g")}
			for _, l := range lines {
				h := open(t, l)
				h.send(string(typed))
				h.during(20 * time.Second)
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if l.OffHook() {
					t.Errorf("%s is off-hook after Close", l.Name())
				}
			}
		})
	})
}
