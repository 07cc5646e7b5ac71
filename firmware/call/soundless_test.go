package call_test

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

// mobile is a board with one mobile line of a make, which has a fault from the start.
func mobile(t *testing.T, p sim.Personality, dialect string, fault sim.Faults, change func(*call.LineConfig)) (*board, *sim.Line) {
	x := sim.New(sim.Options{Numbers: numbers})
	l := x.Add("mobile", p)
	l.Fault(fault)
	b := newBoardOn(t, x, func(o *call.Options) {
		o.Lines[0].Modem.Dialect = dialect
		o.Lines[0].Modem.Open, o.Lines[0].Modem.OpenPCM = l.Port, l.PCM
		if change != nil {
			change(&o.Lines[0])
		}
	}, "gsm1")
	b.lines["gsm1"] = l
	return b, l
}

// Whoever is rung by a module that can't be heard was rung for nothing.
func TestNobodyIsRungByALineThatCannotBeHeard(t *testing.T) {
	tests := []struct {
		name    string
		kind    sim.Personality
		dialect string
		fault   sim.Faults
		change  func(*call.LineConfig)
		says    string
	}{
		{"a module without +CPCMREG", sim.SIM7600, "simcom", sim.Faults{Refuse: "+CPCMREG"}, nil, "no sound"},
		{"GPS has the sound's port", sim.Quectel, "quectel", sim.Faults{Refuse: "+QPCMV=1", RefuseWith: "+CME ERROR: 3"}, nil, "GPS"},
		{"a module with no way of sound", sim.SIM800, "gsm", sim.Faults{}, nil, "no PCM"},
		{"SMS only", sim.Quectel, "quectel", sim.Faults{CREG: 6, NoIMS: true}, nil, "no voice service"},
		{"LTE without voice", sim.SIM7600, "sim7600", sim.Faults{CREG: 2, NoIMS: true}, nil, "VoLTE"},
		{"no SIM", sim.SIM7600, "auto", sim.Faults{NoSIM: true}, nil, "SIM missing"},
		{"no network", sim.Huawei, "huawei", sim.Faults{NoService: true}, nil, "looking for a network"},
		{"no audio port", sim.SIM7600, "auto", sim.Faults{}, func(c *call.LineConfig) {
			c.Modem.OpenPCM = func() (io.ReadWriteCloser, error) { return nil, fs.ErrNotExist }
		}, "sound port is not there"},
		{"a voice modem", sim.Conexant, "simcom", sim.Faults{}, nil, "this is a voice modem"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, l := mobile(t, tt.kind, tt.dialect, tt.fault, tt.change)
				for range 2 {
					_, err := b.Start(request("5550106"))
					if !errors.Is(err, call.ErrFault) || !strings.Contains(err.Error(), tt.says) {
						t.Errorf("got %v, want %q", err, tt.says)
					}
					if info := b.Lines()[0]; info.State != "fault" || !strings.Contains(info.Fault, tt.says) {
						t.Errorf("line %+v", info)
					}
					time.Sleep(time.Minute)
				}
				if strings.Contains(l.Log(), "ATD") {
					t.Error("a telephone was rung")
				}
			})
		})
	}
}

// The audio port takes some sound and then nothing more (SIM7600 firmware LE20B06).
func TestAnAudioPortThatStallsEndsTheCallAndTheSecondTimeTheService(t *testing.T) {
	for _, after := range []int{-1, 4096, 24000} {
		synctest.Test(t, func(t *testing.T) {
			b, l := mobile(t, sim.SIM7600, "sim7600", sim.Faults{AudioStall: after}, nil)
			for i := range 2 {
				info, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected)
				if info.Cause != call.Other || !strings.Contains(info.Reason, "sound port") || info.Answered.IsZero() {
					t.Errorf("after %d bytes, call %d: %+v", after, i, info)
				}
				if d, most := info.Ended.Sub(info.Answered), 5*time.Second+time.Duration(max(0, after))*time.Second/16000; d > most {
					t.Errorf("after %d bytes, call %d ended %v after the answer", after, i, d)
				}
				if l.OffHook() {
					t.Error("not hung up")
				}
				time.Sleep(10 * time.Second)
				if got, want := b.Lines()[0].State, []string{"idle", "fault"}[i]; got != want {
					t.Fatalf("after call %d the line is %s, want %s", i, got, want)
				}
			}
			if _, err := b.Start(request("5550106")); !errors.Is(err, call.ErrFault) || !strings.Contains(err.Error(), "out of service") {
				t.Errorf("third call: %v", err)
			}
			l.Fault(sim.Faults{})
			time.Sleep(10 * time.Minute)
			if b.Lines()[0].State != "fault" {
				t.Error("in service again by itself")
			}
			lent, err := b.Lend("gsm1")
			if err != nil {
				t.Fatal(err)
			}
			if err := lent.Test(t.Context(), audio.PlanOf("us"), func(f call.Finding) {
				if !f.OK {
					t.Errorf("line test: %+v", f)
				}
			}); err != nil {
				t.Error(err)
			}
			lent.Return()
			time.Sleep(5 * time.Second)
			if info, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected); info.Reason != "played to the end" {
				t.Errorf("after the technician: %+v", info)
			}
		})
	}
}
