package call_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

// faults are what can befall a line at work. mended says that the line is expected to serve
// again by itself when the fault has gone.
var faults = []struct {
	name  string
	fault sim.Faults
}{
	{"split reads", sim.Faults{Split: true}},
	{"echo that can't be turned off", sim.Faults{Echo: true}},
	{"two CRs around everything", sim.Faults{Header: sim.DoubleCR}},
	{"no header at all", sim.Faults{Header: sim.NoHeader}},
	{"late replies", sim.Faults{Delay: 300 * time.Millisecond}},
	{"RING inside every answer", sim.Faults{URC: "RING"}},
	{"a flood of RING", sim.Faults{Rings: true}},
	{"garbage before every answer", sim.Faults{Garbage: 20}},
	{"a lost result code", sim.Faults{Lose: 1}},
	{"two lost result codes", sim.Faults{Lose: 2}},
	{"an aborted dial that answers twice", sim.Faults{Twice: true}},
	{"a dial that can't be aborted", sim.Faults{Unheed: true}},
	{"a mute modem", sim.Faults{Mute: true}},
	{"a deaf modem", sim.Faults{Deaf: true}},
	{"a port that takes nothing", sim.Faults{Stall: true}},
	{"voice data that won't end", sim.Faults{Wedged: true}},
	{"the true pace of 115200 baud", sim.Faults{Baud: 115200}},
	{"ERROR to ATH", sim.Faults{Refuse: "ATH"}},
	{"ERROR to AT+VTX", sim.Faults{Refuse: "+VTX"}},
	{"ERROR to AT+FCLASS", sim.Faults{Refuse: "+FCLASS"}},
	{"ERROR to AT+VLS", sim.Faults{Refuse: "+VLS"}},
	{"ERROR to ATD", sim.Faults{Refuse: "ATD"}},
	{"ERROR to AT+CHUP", sim.Faults{Refuse: "+CHUP"}},
	{"ERROR to AT+CLCC", sim.Faults{Refuse: "+CLCC"}},
	{"ERROR to AT+CPCMREG once", sim.Faults{Refuse: "+CPCMREG=1", RefuseAt: 1}},
	{"no dial tone", sim.Faults{NoDialTone: true}},
	{"a cut wire", sim.Faults{NoLoop: true}},
	{"no network", sim.Faults{NoService: true}},
	{"NO CARRIER a second after dialling", sim.Faults{NoCarrier: time.Second}},
}

// steps are moments of a call at which a fault strikes: before it, while it is dialled, rings,
// and plays.
var steps = []time.Duration{0, 500 * time.Millisecond, 4 * time.Second, 12 * time.Second}

// TestEveryFaultAtEveryStep holds what the board promises: whatever happens, a moment after
// Disconnect (or the call's own end) the relay is open and the call is Disconnected; and a
// minute after the fault has gone the line is in service, and its modem on-hook.
func TestEveryFaultAtEveryStep(t *testing.T) {
	for _, line := range []string{"fxo1", "gsm1"} {
		for _, f := range faults {
			for _, at := range steps {
				t.Run(fmt.Sprintf("%s: %s at %v", line, f.name, at), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { strike(t, line, f.fault, at) })
				})
			}
		}
	}
}

func strike(t *testing.T, line string, fault sim.Faults, at time.Duration) {
	b := newBoard(t, func(o *call.Options) { o.MaxCall = 2 * time.Minute }, line)
	l := b.lines[line]
	if at == 0 {
		l.Fault(fault)
	}
	req := request("5550100")
	req.Clip = speech(10 * time.Second)
	info := b.start(t, req)
	if at > 0 {
		time.Sleep(at)
		l.Fault(fault)
	}
	time.Sleep(5 * time.Second)
	err := b.Disconnect(t.Context(), info.ID)
	if info, _ = b.Call(info.ID); info.State != call.Disconnected {
		t.Errorf("after Disconnect (%v) the call is %s", err, info.State)
	}
	if line == "fxo1" && l.OffHook() {
		t.Errorf("after Disconnect (%v) the exchange sees the line off-hook", err)
	}
	if err == nil && l.OffHook() {
		t.Error("Disconnect has returned without an error, and the modem is off-hook")
	}
	l.Fault(sim.Faults{})
	time.Sleep(time.Minute)
	if l.OffHook() {
		t.Error("a minute after the fault the modem is still off-hook")
	}
	if i := b.Lines()[0]; i.State != "idle" || i.Hook != "on-hook" {
		t.Errorf("a minute after the fault the line is %+v", i)
	}
	again, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected)
	if again.Cause != call.None || again.Answered.IsZero() {
		t.Errorf("the next call: %s, %s", again.Cause, again.Reason)
	}
}
