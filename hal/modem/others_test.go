package modem_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

const (
	stranger = `+CLCC: 2,1,0,0,0,"5559876",129`
	onHold   = `+CLCC: 1,0,1,0,0,"5550100",129`
)

// A module that answers who waits puts our call on hold: the message is not for strangers.
func TestAMessageIsNotPlayedIntoACallOnHold(t *testing.T) {
	tests := []struct {
		name   string
		calls  []string
		within time.Duration
	}{
		{"a stranger was answered instead", []string{onHold, stranger}, 2500 * time.Millisecond},
		{"for no known reason", []string{onHold}, 8 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				m := start(t, f, "gsm")
				answers(t, m)
				var held time.Time
				time.AfterFunc(5*time.Second, func() {
					held = time.Now()
					f.change(func() { f.calls = tt.calls })
				})
				_, err := m.Play(t.Context(), bytes.NewReader(tone(40*time.Second)), modem.Far{})
				if !errors.Is(err, modem.ErrUnsure) || !strings.Contains(err.Error(), "on hold") {
					t.Errorf("got %v", err)
				}
				if d := time.Since(held); d > tt.within {
					t.Errorf("given up after %v", d)
				}
				hangUp(t, m)
			})
		})
	}
}

// A call that another program has left, or that the module has answered by itself, is up when
// somebody is to be called.
func TestACallThatIsUpAlreadyIsEndedBeforeDialling(t *testing.T) {
	for _, left := range []string{ours, onHold, stranger} {
		t.Run(left, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				m := start(t, f, "gsm")
				f.change(func() { f.calls, f.got = []string{left}, nil })
				answers(t, m)
				got := f.received()
				hung, dialled := slices.Index(got, "AT+CHUP"), slices.Index(got, "ATD5550100;")
				if hung < 0 || hung > dialled {
					t.Errorf("commands: %q", got)
				}
				hangUp(t, m)
			})
		})
	}
	t.Run("that does not end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newGSM()
			m := start(t, f, "gsm")
			f.change(func() { f.answer["AT+CLCC"] = stranger + "\r\n\r\nOK" })
			_, err := m.Dial(t.Context(), "5550100", modem.Far{})
			if !errors.Is(err, modem.ErrNoService) || slices.Contains(f.received(), "ATD5550100;") {
				t.Errorf("got %v after %q", err, f.received())
			}
		})
	})
}

// Shapes of +CLCC that a modem sends all the time, with no other word about the call.
func TestEveryShapeOfTheListOfCalls(t *testing.T) {
	tests := map[string]string{
		"no type of number":           `+CLCC: 1,0,%,0,0,"5550100"`,
		"a quote is not closed":       `+CLCC: 1,0,%,0,0,"5550100,129`,
		"the mode is unknown":         `+CLCC: 1,0,%,9,0,"5550100",129`,
		"a name in UCS2":              `+CLCC:1,0,%,0,0,"0035003500350030",129,"0041006E006E0061"`,
		"an older call on hold first": `+CLCC: 1,0,1,0,0,"5550199",129` + "\r\n" + `+CLCC: 2,0,%,0,0,"5550100",129`,
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				stat := func(n string) { f.change(func() { f.calls = strings.Split(strings.ReplaceAll(line, "%", n), "\r\n") }) }
				f.onDial = func(*fake) {
					for _, n := range []string{"2", "3", "0"} {
						stat(n)
						time.Sleep(time.Second)
					}
				}
				m := start(t, f, "gsm")
				answers(t, m)
				if _, err := m.Play(t.Context(), bytes.NewReader(tone(30*time.Second)), modem.Far{}); err != nil {
					t.Error(err)
				}
				hangUp(t, m)
			})
		})
	}
}

// What ended a call that was answered is not the far end where the network or the SIM has gone.
func TestWhatACallEndedWith(t *testing.T) {
	tests := []struct {
		name string
		said []string
		want error
		text string
	}{
		{"the network is lost", []string{"+CREG: 2"}, modem.ErrNoService, "network was lost"},
		{"the network is lost for a moment", []string{"+CREG: 2", `+CREG: 5,"00C3","0000A1B2",7`}, modem.ErrHungUp, ""},
		{"the SIM is pulled", []string{"+CPIN: NOT INSERTED"}, modem.ErrNoService, "SIM was lost"},
		{"the far end hangs up as the network goes", []string{"+CREG: 2", "^CEND:1,10,104,16"}, modem.ErrHungUp, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				m := start(t, f, "gsm")
				answers(t, m)
				time.AfterFunc(5*time.Second, func() {
					for _, l := range tt.said {
						f.line(l)
					}
					f.stat("6")
				})
				_, err := m.Play(t.Context(), bytes.NewReader(tone(40*time.Second)), modem.Far{})
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("got %v", err)
				}
				hangUp(t, m)
			})
		})
	}
}

// A module that another program, or a power cut, has left in flight mode is switched on.
func TestARadioThatIsOffIsSwitchedOn(t *testing.T) {
	for _, level := range []string{"0", "4"} {
		synctest.Test(t, func(t *testing.T) {
			f := newGSM()
			f.answer["AT+CFUN?"] = "+CFUN: " + level + "\r\n\r\nOK"
			f.answer["AT+CREG?"] = "+CREG: 0,0\r\n\r\nOK"
			f.answer["AT+CEREG?"] = "+CEREG: 0,0\r\n\r\nOK"
			if level == "0" {
				f.answer["AT+CPIN?"] = "+CME ERROR: 13"
			}
			m := modem.New(f.config("gsm"))
			t.Cleanup(func() { f.shut(m) })
			err := m.WaitReady(t.Context())
			if !errors.Is(err, modem.ErrNoService) || !strings.Contains(err.Error(), "+CFUN: "+level) {
				t.Errorf("level %s: fault %v", level, err)
			}
			if !slices.Contains(f.received(), "AT+CFUN=1") {
				t.Errorf("level %s: not switched on: %q", level, f.received())
			}
			f.change(func() {
				for _, cmd := range []string{"AT+CFUN?", "AT+CREG?", "AT+CEREG?", "AT+CPIN?"} {
					delete(f.answer, cmd)
				}
			})
			if time.Sleep(6 * time.Second); m.Fault() != nil {
				t.Errorf("level %s: then %v", level, m.Fault())
			}
		})
	}
}

// A modem that is silent when it is asked for sound has none, as one that refuses.
func TestAModemThatDoesNotAnswerForItsSoundRingsNoThirdPerson(t *testing.T) {
	tests := []struct {
		name, dialect, cmd string
		f                  *fake
	}{
		{"voice modem", "voice", "AT+VTX", newFake()},
		{"SIM7600", "sim7600", "AT+CPCMREG=1", newGSM()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := tt.f
				if f.gsm {
					f.onDial = says("stat 0")
				}
				m := start(t, f, tt.dialect)
				f.change(func() { f.answer[tt.cmd] = "-" })
				for range 2 {
					_, err := m.Dial(t.Context(), "5550100", modem.Far{})
					if err == nil {
						_, err = m.Play(t.Context(), bytes.NewReader(tone(5*time.Second)), modem.Far{})
					}
					if !errors.Is(err, modem.ErrSound) {
						t.Errorf("got %v", err)
					}
					hangUp(t, m)
				}
				if err := m.Fault(); !errors.Is(err, modem.ErrSound) || !strings.Contains(err.Error(), "out of service") {
					t.Errorf("fault: %v", err)
				}
			})
		})
	}
}

// A module restarts as it begins to send, with no word but its echo.
func TestAModuleThatRestartsAsItDialsIsKnownByItsEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.onDial = func(f *fake) { f.change(func() { f.calls, f.echo = nil, true }) }
		m := start(t, f, "gsm")
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrRestarted) {
			t.Errorf("got %v", err)
		}
		f.change(func() { f.echo = false })
		hangUp(t, m)
	})
}

// The stored profile of a modem has Q1: it does what it is told and says nothing until it is
// told Q0, and after each ATZ anew.
func TestAModemThatIsToldToBeQuietIsAskedToSpeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, quiet := newFake(), true
		f.mutedBy = &quiet
		f.heeds = func(cmd string) {
			switch {
			case strings.Contains(cmd, "Q0"):
				quiet = false
			case cmd == "ATZ":
				quiet = true
			}
		}
		m := modem.New(f.config("voice"))
		t.Cleanup(func() { f.shut(m) })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := m.WaitReady(ctx); err != nil {
			t.Fatal(err)
		}
		answers(t, m)
		hangUp(t, m)
	})
}

// A modem that leaves voice data mode in the middle of a message, or does not say that it has
// played it.
func TestAModemThatStopsPlayingSaysSoInASentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		answers(t, m)
		time.AfterFunc(2*time.Second, func() {
			f.set(commands, true)
			f.say("\x10\x03\r\nOK\r\n")
		})
		_, err := m.Play(t.Context(), bytes.NewReader(tone(20*time.Second)), modem.Far{})
		if !errors.Is(err, modem.ErrRefused) || !strings.Contains(err.Error(), "stopped playing by itself") {
			t.Errorf("got %v", err)
		}
		hangUp(t, m)
	})
}

// A module whose list of calls is always empty: +CPAS tells whether its own words are right.
func TestAListThatNeverHasTheCallSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.answer["AT+CLCC"] = "OK"
		f.onDial = says("", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "VOICE CALL: BEGIN")
		activity := func(n string) { f.change(func() { f.answer["AT+CPAS"] = "+CPAS: " + n + "\r\n\r\nOK" }) }
		m := start(t, f, "sim7600")
		activity("4")
		answers(t, m)
		if _, err := m.Play(t.Context(), bytes.NewReader(tone(20*time.Second)), modem.Far{}); err != nil {
			t.Error(err)
		}
		activity("0")
		begin := time.Now()
		_, err := m.Play(t.Context(), bytes.NewReader(tone(20*time.Second)), modem.Far{})
		if d := time.Since(begin); !errors.Is(err, modem.ErrHungUp) || d > 5*time.Second {
			t.Errorf("after %v: %v", d, err)
		}
		hangUp(t, m)
	})
}

// A module that does not answer when it is told to switch its sound on.
func TestAModuleThatDoesNotAnswerForItsSoundRingsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.answer["AT+QPCMV=1,0"] = "OK"
		m := start(t, f, "quectel")
		f.change(func() { f.answer["AT+QPCMV=1,0"] = "-" })
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrSound) {
			t.Errorf("Dial: %v", err)
		}
		hangUp(t, m)
		f.checkNobodyRung(t)
		if time.Sleep(30 * time.Second); !errors.Is(m.Fault(), modem.ErrSound) {
			t.Errorf("fault: %v", m.Fault())
		}
	})
}
