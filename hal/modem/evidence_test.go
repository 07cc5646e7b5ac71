package modem_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
)

// simLine is a modem of a make on a simulated line that lives as long as the test.
func simLine(t *testing.T, kind sim.Personality, dialect string, numbers map[string]sim.FarEnd) (*modem.Modem, *sim.Line) {
	t.Helper()
	x := sim.New(sim.Options{Numbers: numbers})
	line := x.Add("gsm1", kind)
	m := modem.New(modem.Config{Name: "gsm1", Dialect: dialect, Open: line.Port, OpenPCM: line.PCM})
	t.Cleanup(func() { _ = m.Close(); x.Check(t) })
	if err := m.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, line
}

// makes are GSM modules that tell of their calls, each in its own words.
var makes = []struct {
	dialect string
	kind    sim.Personality
}{{"sim7600", sim.SIM7600}, {"quectel", sim.Quectel}, {"huawei", sim.Huawei}}

// A stranger calls while our call is up, or while it rings, and gives up: SIMCom's VOICE CALL:
// END, ^CEND:2, ^DSCI of index 2 and NO CARRIER are theirs.
func TestAWaitingCallNeitherEndsNorAnswersOurs(t *testing.T) {
	stranger := sim.Caller{Number: "5559876", GiveUp: 1}
	for _, make := range makes {
		t.Run(make.dialect+" while a message plays", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, line := simLine(t, make.kind, make.dialect, nil)
				answers(t, m)
				time.AfterFunc(time.Second, func() { line.Call(stranger) })
				heard, err := m.Play(t.Context(), bytes.NewReader(sine(20*time.Second)), modem.Far{})
				if err != nil || heard != 20*time.Second {
					t.Errorf("heard %v, %v", heard, err)
				}
				hangUp(t, m)
			})
		})
		t.Run(make.dialect+" while it rings", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, line := simLine(t, make.kind, make.dialect, map[string]sim.FarEnd{"5550177": {Rings: 4}})
				begin := time.Now()
				time.AfterFunc(3*time.Second, func() { line.Call(stranger) })
				if _, err := m.Dial(t.Context(), "5550177", modem.Far{}); err != nil || time.Since(begin) < 15*time.Second {
					t.Errorf("after %v: %v", time.Since(begin), err)
				}
				hangUp(t, m)
			})
		})
	}
}

// A modem whose line of a data connection comes first, and whose call is the third.
func TestDataConnectionsAreNoCalls(t *testing.T) {
	for _, make := range makes {
		t.Run(make.dialect, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, line := simLine(t, make.kind, make.dialect, nil)
				line.Fault(sim.Faults{Contexts: 2, Lost: "NO CARRIER", Garble: "END"})
				answers(t, m)
				heard, err := m.Play(t.Context(), bytes.NewReader(sine(5*time.Second)), modem.Far{})
				if err != nil || heard != 5*time.Second {
					t.Errorf("heard %v, %v", heard, err)
				}
				hangUp(t, m)
				if m.Fault() != nil || line.OffHook() {
					t.Errorf("after it: %v, off-hook %v", m.Fault(), line.OffHook())
				}
			})
		})
	}
}

const ours = `+CLCC: 1,0,0,0,0,"5550100",129`

// Answers to +CLCC, one every 2 s in a call, that are not what the modem has: none of them ends
// the call.
func TestABadAnswerEndsNoCall(t *testing.T) {
	tests := []struct {
		name   string
		script []string
	}{
		{"a character is missing", []string{"+CLC: 1,0,0,0,0,\"5550100\",129\r\n\r\nOK"}},
		{"a character is missing, twice", []string{"+CLC: 1,0,0,0,0,\"5550100\",129\r\n\r\nOK", "CLCC: 1,0,0,0,0,\"5550100\",129\r\n\r\nOK"}},
		{"cut in the middle", []string{"+CLCC: 1,0\r\n\r\nOK"}},
		{"cut before the type of number", []string{"+CLCC: 1,0,0,0,0,\"5550100\"\r\n\r\nOK"}},
		{"another line in its middle", []string{"+CLCC: 1,0,\r\nRING\r\n0,0,0,\"5550100\",129\r\n\r\nOK"}},
		{"empty once", []string{"OK"}},
		{"empty once, and again later", []string{"OK", "", "OK"}},
		{"empty, and it says that it rings", []string{"RING\r\n\r\nOK", "RING\r\n\r\nOK", "RING\r\n\r\nOK"}},
		{"ERROR once", []string{"ERROR"}},
		{"ERROR three times", []string{"ERROR", "+CME ERROR: 100", "ERROR"}},
		{"none", []string{"-"}},
		{"none, twice", []string{"-", "-"}},
		{"its OK is lost", []string{ours}},
		{"its OK is glued to it", []string{ours + "OK"}},
		{"echo", []string{"AT+CLCC\r\r\n" + ours + "\r\n\r\nOK"}},
		{"echo, garbled", []string{"T+CLCC\r\r\n" + ours + "\r\n\r\nOK"}},
		{"a number that changed the mode", []string{"+CLCC: 1,0,0,1,0,\"5550100\",129\r\n\r\nOK"}},
		{"ERROR for ever", slices.Repeat([]string{"ERROR"}, 1000)},
		{"all of this", []string{"OK", "+CLCC: 1", "", "ERROR", "-", "", "+CL\r\n\r\nOK"}},
		{"glued to who waits", []string{"+CLCC: 2,1,5,0,0,\"5559876\",129" + ours + "\r\n\r\nOK"}},
		{"behind who waits, and on hold", []string{"+CLCC: 2,1,5,0,0,\"5559876\",129\r\n+CLCC: 1,0,1,0,0,\"5550100\",129\r\n\r\nOK"}},
		{"renumbered", []string{"+CLCC: 3,0,0,0,0,\"5550100\",129\r\n\r\nOK"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				m := start(t, f, "gsm")
				answers(t, m)
				f.change(func() { f.script = tt.script })
				if _, err := m.Play(t.Context(), bytes.NewReader(tone(40*time.Second)), modem.Far{}); err != nil {
					t.Error(err)
				}
				hangUp(t, m)
			})
		})
	}
}

// Lines that get lost on the way, or come late, while a call is set up.
func TestOneLostLineLosesNoCall(t *testing.T) {
	tests := []struct {
		name, dialect string
		quirk         func(f *fake)
		said          []string
		limit         time.Duration
	}{
		{"OK to ATD, and +CLCC tells of the call", "gsm", func(f *fake) { f.lost = "ATD" }, []string{"stat 3", "", "stat 0"}, 7 * time.Second},
		{"OK to ATD, and the answer is told", "sim7600", func(f *fake) { f.lost = "ATD" }, []string{"stat 0", "VOICE CALL: BEGIN"}, 2 * time.Second},
		{"OK to ATD comes after the answer", "sim7600", func(f *fake) { f.lost = "ATD" }, []string{"stat 0", "VOICE CALL: BEGIN", "OK"}, 2 * time.Second},
		{"NO CARRIER as the answer to ATD, which was another's", "gsm", func(f *fake) { f.lost = "ATD" }, []string{"NO CARRIER of another", "", "stat 0"}, 4 * time.Second},
		{"VOICE CALL: BEGIN", "sim7600", nil, []string{"stat 0"}, 2 * time.Second},
		{"VOICE CALL: BEGIN, garbled", "sim7600", nil, []string{"stat 0", "VOICE CAL: BEGIN"}, 2 * time.Second},
		{"^CONN", "huawei", nil, []string{"^ORIG:1,0", "stat 0"}, 3 * time.Second},
		{"the reply to a command before the call", "gsm", func(f *fake) { f.lost = "AT+QPCMV=1,0" }, []string{"stat 0"}, 4 * time.Second},
		{"the reply to the command that switches sound", "sim7600", func(f *fake) { f.lost = "AT+CPCMREG=1" }, []string{"stat 0"}, 5 * time.Second},
		{"RING while it is dialled is a call that waits", "gsm", nil, []string{"RING", `+CLIP: "5559876",129`, "stat 0"}, 4 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = func(f *fake) {
					time.Sleep(500 * time.Millisecond)
					for _, l := range tt.said {
						time.Sleep(500 * time.Millisecond)
						if stat, ok := strings.CutPrefix(l, "stat "); ok {
							f.stat(stat)
						} else if l != "" {
							f.line(strings.TrimSuffix(l, " of another"))
						}
					}
				}
				m := start(t, f, tt.dialect)
				if tt.quirk != nil {
					f.change(func() { tt.quirk(f) })
				}
				begin := time.Now()
				answers(t, m)
				if d := time.Since(begin); d > tt.limit {
					t.Errorf("answered after %v", d)
				}
				f.change(func() { f.script = nil })
				if _, err := m.Play(t.Context(), bytes.NewReader(tone(5*time.Second)), modem.Far{}); err != nil {
					t.Error(err)
				}
				if n := len(slices.DeleteFunc(f.received(), func(c string) bool { return c != "ATD5550100;" })); n != 1 {
					t.Errorf("dialled %d times", n)
				}
				hangUp(t, m)
				f.checkOnHook(t)
			})
		})
	}
}

// What ends a call is what was proven: one that can't be read for long is given up as such.
func TestHowACallEndsIsWhatWasProven(t *testing.T) {
	noCall := slices.Repeat([]string{"OK"}, 100)
	garbled := slices.Repeat([]string{"+CLC: 1,0,0,0,0,\"5550100\",129\r\n\r\nOK"}, 100)
	tests := []struct {
		name   string
		quirk  func(f *fake)
		said   string
		want   error
		within time.Duration // 0: it does not end
	}{
		{"NO CARRIER, and +CLCC agrees", func(f *fake) { f.calls = nil }, "NO CARRIER", modem.ErrHungUp, 100 * time.Millisecond},
		{"NO CARRIER, and +CLCC lists the call", nil, "NO CARRIER", nil, 0},
		{"NO CARRIER, and the call goes a moment later", func(f *fake) { time.AfterFunc(200*time.Millisecond, func() { f.stat("6") }) }, "NO CARRIER", modem.ErrHungUp, time.Second},
		{"NO CARRIER, garbled, and +CLCC agrees", func(f *fake) { f.calls = nil }, "NO CRRIER", modem.ErrHungUp, 100 * time.Millisecond},
		{"NO CARRIER glued to another line", func(f *fake) { f.calls = nil }, "+CSQ: 20,99NO CARRIER", modem.ErrHungUp, 100 * time.Millisecond},
		{"NO CARRIER, and +CLCC can't be read", func(f *fake) { f.script = garbled }, "NO CARRIER", modem.ErrHungUp, 2 * time.Second},
		{"NO CARRIER, and no answer to +CLCC", func(f *fake) { f.answer["AT+CLCC"] = "-" }, "NO CARRIER", modem.ErrHungUp, 5 * time.Second},
		{"the end of our index", nil, "^CEND:1,10,104,16", modem.ErrHungUp, 100 * time.Millisecond},
		{"the end of another index", nil, "^CEND:2,10,104,16", nil, 0},
		{"an incoming call's end", nil, "^DSCI: 2,1,6,0,5559876,129", nil, 0},
		{"our +CLCC with 6", nil, `+CLCC: 1,0,6,0,0,"5550100",129`, modem.ErrHungUp, 100 * time.Millisecond},
		{"another's +CLCC with 6", nil, `+CLCC: 2,1,6,0,0,"5559876",129`, nil, 0},
		{"the end is not said", func(f *fake) { f.calls = nil }, "", modem.ErrHungUp, 2400 * time.Millisecond},
		{"whole lists without the call", func(f *fake) { f.script = noCall }, "", modem.ErrHungUp, 2400 * time.Millisecond},
		{"no list can be read", func(f *fake) { f.script = garbled }, "", modem.ErrUnsure, 12 * time.Second},
		{"ERROR for ever, and NO CARRIER", func(f *fake) { f.answer["AT+CLCC"] = "ERROR"; f.answer["AT+CPAS"] = "+CPAS: 0\r\n\r\nOK" }, "NO CARRIER", modem.ErrHungUp, time.Second},
		{"no list is given", func(f *fake) { f.answer["AT+CLCC"] = "-" }, "", modem.ErrTimeout, 12 * time.Second},
		{"the module restarts", func(f *fake) { f.calls = nil }, "SMS DONE", modem.ErrRestarted, 100 * time.Millisecond},
		{"the module says that it has started, and has the call", nil, "SMS DONE", nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				m := start(t, f, "gsm")
				answers(t, m)
				var told time.Time
				time.AfterFunc(5*time.Second, func() {
					if tt.quirk != nil {
						f.change(func() { tt.quirk(f) })
					}
					told = time.Now()
					if tt.said != "" {
						f.line(tt.said)
					}
				})
				_, err := m.Play(t.Context(), bytes.NewReader(tone(40*time.Second)), modem.Far{})
				if !errors.Is(err, tt.want) || (err == nil) != (tt.within == 0) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if after := time.Since(told); tt.within > 0 && after > tt.within {
					t.Errorf("noticed after %v", after)
				}
				f.change(func() { f.script = nil; delete(f.answer, "AT+CLCC") })
				hangUp(t, m)
			})
		})
	}
}

// A modem that does not know +CLCC is asked for its activity; one that knows neither is believed,
// unless somebody who waited explains the end.
func TestWithoutCLCC(t *testing.T) {
	tests := []struct {
		name  string
		said  []string
		pas   string
		want  error
		after time.Duration
	}{
		{"NO CARRIER, and a call is in progress", []string{"NO CARRIER"}, "+CPAS: 4\r\n\r\nOK", nil, 0},
		{"NO CARRIER, and none is", []string{"NO CARRIER"}, "+CPAS: 0\r\n\r\nOK", modem.ErrHungUp, 0},
		{"NO CARRIER alone", []string{"NO CARRIER"}, "ERROR", modem.ErrHungUp, 0},
		{"NO CARRIER of who waited", []string{`+CCWA: "5559876",129,1`, "NO CARRIER"}, "ERROR", nil, 0},
		{"NO CARRIER of who waited, and ours", []string{`+CCWA: "5559876",129,1`, "NO CARRIER", "NO CARRIER"}, "ERROR", modem.ErrHungUp, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.answer["AT+CLCC"], f.answer["AT+CPAS"] = "ERROR", tt.pas
				f.onDial = says("VOICE CALL: BEGIN")
				m := start(t, f, "sim7600")
				answers(t, m)
				f.tasks.Go(func() {
					time.Sleep(5 * time.Second)
					for _, l := range tt.said {
						f.line(l)
						time.Sleep(2 * time.Second)
					}
				})
				_, err := m.Play(t.Context(), bytes.NewReader(tone(20*time.Second)), modem.Far{})
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				hangUp(t, m)
			})
		})
	}
}

// One lost or garbled line on an analogue line, where nothing can be asked while the modem dials.
func TestOneBadLineLosesNoVoiceCall(t *testing.T) {
	tests := []struct {
		name string
		lost string   // the answer to this command is
		said []string // after ATDT
	}{
		{"OK to ATDT, garbled", "", []string{"O"}},
		{"OK to ATDT, with one more", "", []string{"RINGING", "OKK"}},
		{"the reply to AT+FCLASS=8", "AT+FCLASS=8", []string{"OK"}},
		{"the reply to AT+VLS=1", "AT+VLS=1", []string{"OK"}},
		{"CONNECT to AT+VTX", "AT+VTX", []string{"OK"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.onDial = func(f *fake) {
					for _, l := range tt.said {
						time.Sleep(4 * time.Second)
						if l != "RINGING" {
							f.set(commands, true)
						}
						f.line(l)
					}
				}
				m := start(t, f, "voice")
				f.change(func() { f.lost = tt.lost })
				begin := time.Now()
				answers(t, m)
				heard, err := m.Play(t.Context(), bytes.NewReader(tone(3*time.Second)), modem.Far{})
				if err != nil || heard != 3*time.Second || time.Since(begin) > 15*time.Second {
					t.Errorf("heard %v after %v, %v", heard, time.Since(begin), err)
				}
				hangUp(t, m)
				f.checkOnHook(t)
			})
		})
	}
}
