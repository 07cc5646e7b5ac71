package call_test

import (
	"errors"
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
	{"a character is missing in each answer to +CLCC", sim.Faults{Garble: "+CLCC:"}},
	{"data connections listed with the calls", sim.Faults{Contexts: 2}},
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
// Disconnect (or the call's own end) the relay is open, and a line with one known to be
// on-hook; what is told of call and line agrees; and a minute after the fault has gone the line
// is in service, and its modem on-hook. With -short each fault strikes either line at one step.
func TestEveryFaultAtEveryStep(t *testing.T) {
	for l, line := range []string{"fxo1", "gsm1"} {
		for i, f := range faults {
			for s, at := range steps {
				if testing.Short() && (i+l)%len(steps) != s {
					continue
				}
				t.Run(fmt.Sprintf("%s: %s at %v", line, f.name, at), func(t *testing.T) {
					t.Parallel()
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
	checkAgree(t, b, info.ID, err)
	if line == "fxo1" && l.OffHook() {
		t.Errorf("after Disconnect (%v) the exchange sees the line off-hook", err)
	}
	if err == nil && l.OffHook() {
		t.Error("Disconnect has returned without an error, and the modem is off-hook")
	}
	if line == "fxo1" && err != nil {
		t.Errorf("the relay has opened, and Disconnect says %v", err)
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

// checkAgree fails the test unless what a Disconnect has answered, what its call is and what
// its line is are one and the same story.
func checkAgree(t *testing.T, b *board, id string, answer error) {
	t.Helper()
	info, err := b.Call(id)
	if err != nil {
		t.Fatal(err)
	}
	ended := info.State == call.Disconnected
	if ended != (answer == nil) || answer != nil && !errors.Is(answer, call.ErrOnHook) {
		t.Errorf("Disconnect has said %v, and the call is %s (%s)", answer, info.State, info.Reason)
	}
	for _, l := range b.Lines() {
		if l.Name != info.Line {
			continue
		}
		if another := l.Call != "" && l.Call != id; ended && !another && (l.Hook != "on-hook" || l.Call == id) {
			t.Errorf("the call is %s (%s), and the line is %+v", info.State, info.Reason, l)
		}
		if !ended && (l.Hook == "on-hook" || l.State != "fault" || l.Call != id || l.Fault == "" || info.Reason == "") {
			t.Errorf("Disconnect was not confirmed: the call is %s (%s), the line is %+v", info.State, info.Reason, l)
		}
	}
}
