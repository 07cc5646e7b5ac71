package modem_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
)

// checkNobodyRung fails the test where a telephone was rung.
func (f *fake) checkNobodyRung(t *testing.T) {
	t.Helper()
	if slices.ContainsFunc(f.received(), func(cmd string) bool { return strings.HasPrefix(cmd, "ATD") }) {
		t.Error("a telephone was rung")
	}
}

func TestWhetherAModuleCanBeHeardIsKnownBeforeATelephoneRings(t *testing.T) {
	const ok = "\r\n\r\nOK"
	tests := []struct {
		name, dialect string
		answer        map[string]string
		want          string // in the fault; "" is none
	}{
		{"SIM7600", "simcom", map[string]string{"AT+CPCMREG=?": "+CPCMREG: (0-1)" + ok}, ""},
		{"SIM7600 that refuses +CPCMREG=1 before the answer", "simcom", map[string]string{"AT+CPCMREG=?": "+CPCMREG: (0-1)" + ok, "AT+CPCMREG=1": "ERROR"}, ""},
		{"A7670E", "simcom", map[string]string{"AT+CPCMREG": "ERROR"}, "A7670"},
		{"A7670E with numbers", "sim7600", map[string]string{"AT+CPCMREG": "+CME ERROR: 100"}, "no sound"},
		{"a module that says no more than OK", "simcom", map[string]string{"AT+CPCMREG=?": "OK"}, ""},
		{"a module that does not answer the question", "simcom", map[string]string{"AT+CPCMREG=?": "-"}, ""},
		{"EC25", "quectel", map[string]string{"AT+QPCMV=1,0": "OK", "AT+QPCMV?": "+QPCMV: 1,0" + ok}, ""},
		{"EC25 whose port GPS has", "quectel", map[string]string{"AT+QPCMV=?": "+QPCMV: (0,1),(0-2)" + ok, "AT+QPCMV=1,0": "+CME ERROR: 3"}, "GPS"},
		{"EC25 that says that GPS has its port", "quectel", map[string]string{"AT+QPCMV=1,0": "ERROR", `AT+QGPSCFG="outport"`: `+QGPSCFG: "outport","usbnmea"` + ok}, "sound port is busy: GPS"},
		{"EC25 that says that GPS has not", "quectel", map[string]string{"AT+QPCMV=1,0": "ERROR", `AT+QGPSCFG="outport"`: `+QGPSCFG: "outport","none"` + ok}, "variant has no voice"},
		{"EC25 under the general dialect whose port GPS has", "gsm", map[string]string{"AT+CPCMREG": "ERROR", "AT+QPCMV=1,0": "ERROR", `AT+QGPSCFG="outport"`: `+QGPSCFG: "outport","usbnmea"` + ok}, "sound port is busy: GPS"},
		{"EC200A", "quectel", map[string]string{"AT+QPCMV": "ERROR"}, "AT+QPCMV=1,0 answered ERROR"},
		{"EC25 that takes the setting and does not keep it", "quectel", map[string]string{"AT+QPCMV=1,0": "OK", "AT+QPCMV?": "+QPCMV: 0,0" + ok}, "+QPCMV: 0,0"},
		{"EC25 that reports while it is asked", "quectel", map[string]string{"AT+QPCMV=1,0": "OK", "AT+QPCMV?": "+QPCMV: 0\r\n\r\n+QPCMV: 1,0" + ok}, ""},
		{"Huawei with voice", "huawei", map[string]string{"AT^CVOICE?": "^CVOICE:0,8000,16,20" + ok}, ""},
		{"Huawei whose voice is switched off", "huawei", map[string]string{"AT^CVOICE?": "^CVOICE:1" + ok}, "voice is switched off"},
		{"Huawei that tells through ^DDSETEX only", "huawei", map[string]string{"AT^CVOICE?": "ERROR"}, ""},
		{"a data stick", "huawei", map[string]string{"AT^CVOICE?": "ERROR", "AT^DDSETEX": "ERROR"}, "no way is known"},
		{"any module", "gsm", nil, ""},
		{"any module that has one way", "gsm", map[string]string{"AT+CPCMREG": "ERROR", "AT^CVOICE": "ERROR", "AT^DDSETEX=?": "^DDSETEX: (0-3)" + ok}, ""},
		{"any module that has none", "gsm", map[string]string{"AT+CPCMREG": "ERROR", "AT^CVOICE": "ERROR", "AT^DDSETEX": "ERROR"}, "no way is known"},
		{"a stick under the general dialect whose voice is switched off", "gsm", map[string]string{"AT+CPCMREG": "ERROR", "AT^CVOICE?": "^CVOICE:1" + ok}, "voice is switched off"},
		{"a module that has never voice", "simcom", map[string]string{"AT+CGMM": "SIM7070G" + ok}, "data only"},
		{"a SIM800 behind another's dialect", "simcom", map[string]string{"AT+CGMM": "SIMCOM_SIM800L" + ok}, "no PCM"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				if tt.answer != nil {
					f.answer = tt.answer
				}
				m := modem.New(f.config(tt.dialect))
				t.Cleanup(func() { f.shut(m) })
				err := m.WaitReady(t.Context())
				if tt.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if !errors.Is(err, modem.ErrSound) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("fault %v, want %q", err, tt.want)
				}
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrSound) {
					t.Errorf("Dial: %v", err)
				}
				time.Sleep(time.Minute)
				if m.Fault() == nil {
					t.Error("the fault has gone by itself")
				}
				f.checkNobodyRung(t)
			})
		})
	}
}

// A SIM7600 refuses +CPCMREG for some seconds after it has started.
func TestAModuleThatHasJustStartedIsAskedAgainForItsSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.onDial = says("stat 0")
		f.answer["AT+CPCMREG=?"] = "ERROR"
		time.AfterFunc(5*time.Second, func() {
			f.change(func() { f.answer["AT+CPCMREG=?"] = "+CPCMREG: (0-1)\r\n\r\nOK" })
		})
		m := modem.New(f.config("sim7600"))
		t.Cleanup(func() { f.shut(m) })
		begin := time.Now()
		if m.WaitReady(t.Context()) == nil {
			t.Fatal("no fault while it refuses")
		}
		<-m.Changed()
		if d := time.Since(begin); m.Fault() != nil || d > 8*time.Second {
			t.Errorf("after %v: %v", d, m.Fault())
		}
		answers(t, m)
		hangUp(t, m)
	})
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.answer["AT+CPCMREG=?"] = "ERROR"
		time.AfterFunc(5*time.Second, func() { f.change(func() { delete(f.answer, "AT+CPCMREG=?") }) })
		f.answer["AT+CGMM"] = "SIMCOM_SIM7600E\r\n\r\nOK"
		port, _ := f.open()
		if r, err := modem.Probe(t.Context(), port); err != nil || r.Fault != "" {
			t.Errorf("probe: %q, %v", r.Fault, err)
		}
	})
}

func TestVoiceServiceIsKnownBeforeATelephoneRings(t *testing.T) {
	const ok = "\r\n\r\nOK"
	tests := []struct {
		name                   string
		creg, cereg, ims, qcfg string
		want                   string // in the fault; "" is none
	}{
		{"registered", "0,1", "0,0", "", "", ""},
		{"roaming, on LTE too", "0,5", "0,5", "", "", ""},
		{"CSFB not preferred", "0,9", "0,1", "", "", ""},
		{"SMS only", "0,6", "0,1", "", "", "SMS only"},
		{"SMS only, roaming, not on LTE", "0,7", "0,0", "", "", "SMS only"},
		{"SMS only, with voice over LTE", "0,6", "0,1", "+CIREG: 1,1,15", "", ""},
		{"emergency calls only", "0,8", "0,0", "", "", "emergency"},
		{"LTE alone, of which nothing is told", "0,0", "0,1", "", "", ""},
		{"LTE alone without IMS", "0,2", "0,5", "+CIREG: 0,0", "", "VoLTE"},
		{"LTE alone with IMS", "0,0", "0,1", "+CIREG: 1,1", "", ""},
		{"LTE alone without Quectel's IMS", "0,0", "0,1", "", `+QCFG: "ims",1,0`, "VoLTE"},
		{"LTE alone with Quectel's IMS", "0,0", "0,1", "", `+QCFG: "ims",1,1`, ""},
		{"2G or 3G and LTE without IMS: not sure", "0,1", "0,1", "+CIREG: 0,0", `+QCFG: "ims",1,0`, ""},
		{"a modem that knows +CEREG only", "", "0,1", "+CIREG: 0,0", "", ""},
		{"refused", "0,3", "0,3", "", "", "refuses the SIM"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				for cmd, said := range map[string]string{"AT+CREG?": tt.creg, "AT+CEREG?": tt.cereg, "AT+CIREG?": tt.ims, `AT+QCFG="ims"`: tt.qcfg} {
					switch {
					case said == "":
						f.answer[cmd] = "ERROR"
					case said[0] == '+':
						f.answer[cmd] = said + ok
					default:
						f.answer[cmd] = strings.TrimSuffix(cmd[2:], "?") + ": " + said + ok
					}
				}
				m := modem.New(f.config("gsm"))
				t.Cleanup(func() { f.shut(m) })
				err := m.WaitReady(t.Context())
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("fault %v, want %q", err, tt.want)
				}
			})
		})
	}
}

func TestWhyAnAudioPortCannotBeOpenedIsKnownBeforeATelephoneRings(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "/dev/ttyUSB4", Err: syscall.ENOENT}, "is not there"},
		{fmt.Errorf("rpi: open /dev/ttyUSB4: %w", syscall.EACCES), "may not be opened by this user"},
		{fmt.Errorf("rpi: /dev/ttyUSB4 is in use: %w", syscall.EWOULDBLOCK), "in use by another program"},
		{syscall.EBUSY, "in use by another program"},
		{errors.New("strange"), "strange"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				cfg := f.config("gsm")
				broken := true
				cfg.OpenPCM = func() (io.ReadWriteCloser, error) {
					f.mu.Lock()
					bad := broken
					f.mu.Unlock()
					if bad {
						return nil, tt.err
					}
					return f.openPCM()
				}
				m := modem.New(cfg)
				t.Cleanup(func() { f.shut(m) })
				err := m.WaitReady(t.Context())
				if !errors.Is(err, modem.ErrSound) || !strings.Contains(err.Error(), "sound port") || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("fault %v, want %q", err, tt.want)
				}
				changed := m.Changed()
				f.change(func() { broken = false })
				<-changed
				if err := m.Fault(); err != nil {
					t.Error(err)
				}
				// It is taken away while the line is idle: the next call fails before it rings.
				f.change(func() { broken = true })
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrSound) {
					t.Errorf("Dial: %v", err)
				}
				hangUp(t, m)
				time.Sleep(2 * time.Second)
				if m.Fault() == nil {
					t.Error("no fault afterwards")
				}
				f.checkNobodyRung(t)
			})
		})
	}
}

// GPS is switched on, on the sound's port, while the line is idle.
func TestAModuleThatRefusesItsSoundBeforeACallIsLookedIntoAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.answer["AT+QPCMV=1,0"] = "OK"
		m := start(t, f, "quectel")
		f.change(func() { f.answer["AT+QPCMV=1,0"] = "+CME ERROR: 3" })
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrSound) || !strings.Contains(err.Error(), "GPS") {
			t.Errorf("Dial: %v", err)
		}
		hangUp(t, m)
		f.checkNobodyRung(t)
		time.Sleep(2 * time.Second)
		if err := m.Fault(); err == nil || !strings.Contains(err.Error(), "GPS") {
			t.Errorf("fault %v", err)
		}
		changed := m.Changed()
		f.change(func() { f.answer["AT+QPCMV=1,0"] = "OK" })
		<-changed
		if err := m.Fault(); err != nil {
			t.Error(err)
		}
	})
}

func TestTwoCallsWithoutSoundTakeTheLineOutOfService(t *testing.T) {
	stall := func(t *testing.T, f *fake, cfg *modem.Config) {
		cfg.OpenPCM = func() (io.ReadWriteCloser, error) {
			near, far := net.Pipe()
			t.Cleanup(func() { _ = far.Close() })
			return near, nil // nobody reads it
		}
	}
	tests := []struct {
		name, dialect string
		spoil         func(t *testing.T, f *fake, cfg *modem.Config)
	}{
		{"the module says that it has voice and refuses it after the answer", "huawei", func(t *testing.T, f *fake, _ *modem.Config) {
			f.answer["AT^CVOICE?"] = "^CVOICE:0,8000,16,20\r\n\r\nOK"
			f.answer["AT^DDSETEX=2"] = "ERROR"
		}},
		{"a module that is restarted for it refuses it again", "simcom", func(t *testing.T, f *fake, _ *modem.Config) { f.answer["AT+CPCMREG=1"] = "ERROR" }},
		{"the audio port stalls at once", "gsm", stall},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				cfg := f.config(tt.dialect)
				tt.spoil(t, f, &cfg)
				m := modem.New(cfg)
				t.Cleanup(func() { f.shut(m) })
				if err := m.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
				call := func() error {
					_, err := m.Dial(t.Context(), "5550100", modem.Far{})
					if err == nil {
						_, err = m.Play(t.Context(), endless{}, modem.Far{})
					}
					hangUp(t, m)
					time.Sleep(10 * time.Second)
					return err
				}
				if err := call(); !errors.Is(err, modem.ErrSound) || m.Fault() != nil {
					t.Errorf("first call: %v, fault %v", err, m.Fault())
				}
				if err := call(); !errors.Is(err, modem.ErrSound) {
					t.Errorf("second call: %v", err)
				}
				time.Sleep(5 * time.Minute)
				err := m.Fault()
				if !errors.Is(err, modem.ErrSound) || !strings.Contains(err.Error(), "out of service") {
					t.Fatalf("fault %v", err)
				}
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrSound) {
					t.Errorf("third call: %v", err)
				}
				port, err := m.Borrow(t.Context()) // a technician tests the line
				if err != nil {
					t.Fatal(err)
				}
				changed := m.Changed()
				_ = port.Close()
				<-changed
				if err := m.Fault(); err != nil {
					t.Errorf("after the technician: %v", err)
				}
			})
		})
	}
}

// A module at another rate takes sound at half the pace: what is heard is in pieces.
func TestAnAudioPortThatIsTooSlowEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.onDial = says("stat 0")
		cfg := f.config("gsm")
		cfg.OpenPCM = func() (io.ReadWriteCloser, error) {
			near, far := net.Pipe()
			t.Cleanup(func() { _ = far.Close() })
			f.tasks.Go(func() {
				buf := make([]byte, 320)
				for {
					if _, err := io.ReadFull(far, buf); err != nil {
						return
					}
					time.Sleep(40 * time.Millisecond)
				}
			})
			return near, nil
		}
		m := modem.New(cfg)
		t.Cleanup(func() { f.shut(m) })
		if err := m.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		answers(t, m)
		begin := time.Now()
		if _, err := m.Play(t.Context(), endless{}, modem.Far{}); !errors.Is(err, modem.ErrSound) || !strings.Contains(err.Error(), "more slowly") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("after %v", d)
		}
		hangUp(t, m)
	})
}

// A module that tells nothing of its sound and has refused it once rings nobody again.
func TestAModuleThatRefusesItsSoundInACallIsNotTriedOnSomebodyElse(t *testing.T) {
	for dialect, refuse := range map[string][]string{"huawei": {"AT^DDSETEX=2"}, "gsm": {"AT+CPCMREG=1", "AT^DDSETEX=2"}} {
		t.Run(dialect, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				for _, cmd := range refuse {
					f.answer[cmd] = "ERROR"
				}
				m := start(t, f, dialect)
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrSound) {
					t.Errorf("Dial: %v", err)
				}
				hangUp(t, m)
				time.Sleep(10 * time.Minute)
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, modem.ErrSound) || !errors.Is(m.Fault(), modem.ErrSound) {
					t.Errorf("Dial: %v, fault %v", err, m.Fault())
				}
				rung := 0
				for _, cmd := range f.received() {
					if strings.HasPrefix(cmd, "ATD") {
						rung++
					}
				}
				if rung != 1 {
					t.Errorf("%d people were rung", rung)
				}
			})
		})
	}
}

func TestACallThatIsHeardBeginsTheCountAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.answer["AT^CVOICE?"] = "^CVOICE:0,8000,16,20\r\n\r\nOK"
		f.onDial = says("stat 0")
		m := start(t, f, "huawei")
		for i := range 6 {
			refuse := map[bool]string{true: "ERROR", false: "OK"}[i%2 == 0]
			f.change(func() { f.answer["AT^DDSETEX=2"] = refuse })
			_, err := m.Dial(t.Context(), "5550100", modem.Far{})
			if err == nil {
				_, err = m.Play(t.Context(), bytes.NewReader(tone(2*time.Second)), modem.Far{})
			}
			if errors.Is(err, modem.ErrSound) != (i%2 == 0) {
				t.Errorf("call %d: %v", i, err)
			}
			hangUp(t, m)
			time.Sleep(10 * time.Second)
		}
		if err := m.Fault(); err != nil {
			t.Error(err)
		}
	})
}

// The audio port of an unplugged modem goes first: that the modem is gone is what is told.
func TestAnUnpluggedModemIsNotTakenForAnAudioPortThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := sim.New(sim.Options{})
		line := x.GSM("gsm1")
		m := modem.New(modem.Config{Dialect: "sim7600", Open: line.Port, OpenPCM: line.PCM})
		t.Cleanup(func() { _ = m.Close(); _ = x.Close() })
		if err := m.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, line.Vanish)
		if _, err := m.Play(t.Context(), endless{}, modem.Far{}); !errors.Is(err, modem.ErrGone) {
			t.Errorf("got %v", err)
		}
	})
}

// "The modem refused a command" helps nobody.
func TestARefusalNamesTheCommand(t *testing.T) {
	tests := []struct{ cmd, at, says string }{
		{"AT+FCLASS=8", "dial", "AT+FCLASS=8 answered ERROR"},
		{"AT+VTX", "play", "no sound: the modem refuses to play (AT+VTX answered ERROR)"},
	}
	for _, tt := range tests {
		t.Run(tt.cmd, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				m := start(t, f, "voice")
				f.change(func() { f.answer[tt.cmd] = "ERROR" })
				_, err := m.Dial(t.Context(), "5550100", modem.Far{})
				if tt.at == "play" {
					if err != nil {
						t.Fatal(err)
					}
					_, err = m.Play(t.Context(), bytes.NewReader(tone(time.Second)), modem.Far{})
				}
				var says interface{ Sentence() string }
				if !errors.Is(err, modem.ErrRefused) || !errors.As(err, &says) || !strings.Contains(says.Sentence(), tt.says) {
					t.Errorf("got %v, want %q", err, tt.says)
				}
				hangUp(t, m)
			})
		})
	}
}
