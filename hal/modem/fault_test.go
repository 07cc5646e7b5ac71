package modem_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

// Each fault strikes at each step of a call; after it the modem is on-hook, and serves again
// or says why not.
func TestFaultsAtEachStepOfACall(t *testing.T) {
	faults := []struct {
		name   string
		strike func(f *fake)
		// what the step may return; nil is that it may succeed
		want []error
		// the modem goes on by itself when the fault has passed
		passes func(f *fake)
		gone   bool // nothing can be confirmed while it lasts
	}{
		{name: "mute", strike: func(f *fake) { f.mute = true }, passes: func(f *fake) { f.mute = false }, gone: true,
			want: []error{modem.ErrTimeout, modem.ErrHungUp, modem.ErrNoAnswer, nil}},
		{name: "split", strike: func(f *fake) { f.split = true }, want: []error{nil}},
		{name: "delayed", strike: func(f *fake) { f.delay = 400 * time.Millisecond }, want: []error{nil}},
		{name: "echo that can't be turned off", strike: func(f *fake) { f.echo = true }, want: []error{nil}},
		{name: "each answer twice", strike: func(f *fake) { f.twice = true }, want: []error{nil}},
		{name: "RING flood", strike: func(f *fake) { f.ring = true }, want: []error{nil, modem.ErrRinging}, passes: func(f *fake) { f.ring = false }},
		{name: "ERROR to set-up", strike: func(f *fake) { f.answer["AT+V"] = "ERROR" }, want: []error{nil, modem.ErrRefused}},
		{name: "unplugged", strike: func(f *fake) { f.unplugged, f.offHook = true, false; _ = f.port.Close() },
			passes: func(f *fake) { f.unplugged = false }, gone: true, want: []error{modem.ErrGone}},
	}
	steps := []struct {
		name string
		gsm  bool
		run  func(t *testing.T, f *fake, m *modem.Modem, strike func()) error
	}{
		{"before a call", false, func(t *testing.T, _ *fake, m *modem.Modem, strike func()) error {
			strike()
			_, err := m.Dial(t.Context(), "5550100", modem.Far{})
			return err
		}},
		{"while it dials", false, func(t *testing.T, f *fake, m *modem.Modem, strike func()) error {
			f.dials(func(f *fake) {
				time.Sleep(time.Second)
				strike()
				time.Sleep(time.Second)
				q, _, _ := f.quirk("")
				if mode, _ := f.is(); mode == dialling && !q.mute {
					f.set(commands, true)
					f.line("OK")
				}
			})
			_, err := m.Dial(t.Context(), "5550100", modem.Far{})
			return err
		}},
		{"while it plays", false, func(t *testing.T, _ *fake, m *modem.Modem, strike func()) error {
			answers(t, m)
			time.AfterFunc(time.Second, strike)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			return endedInTime(m.Play(ctx, endless{}, modem.Far{}))
		}},
		{"while it records", false, func(t *testing.T, _ *fake, m *modem.Modem, strike func()) error {
			answers(t, m)
			time.AfterFunc(time.Second, strike)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			return endedInTime(0, m.Record(ctx, io.Discard, modem.Far{}))
		}},
		{"while a GSM network rings", true, func(t *testing.T, f *fake, m *modem.Modem, strike func()) error {
			f.dials(func(f *fake) {
				time.Sleep(time.Second)
				strike()
				time.Sleep(time.Second)
				f.stat("0")
			})
			_, err := m.Dial(t.Context(), "5550100", modem.Far{})
			return err
		}},
		{"while a GSM call is up", true, func(t *testing.T, f *fake, m *modem.Modem, strike func()) error {
			f.dials(func(f *fake) { f.stat("0") })
			answers(t, m)
			time.AfterFunc(time.Second, strike)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			return endedInTime(m.Play(ctx, endless{}, modem.Far{}))
		}},
	}
	for _, fault := range faults {
		for _, step := range steps {
			t.Run(fault.name+" "+step.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					f.gsm = step.gsm
					m := start(t, f, map[bool]string{true: "gsm", false: "voice"}[step.gsm])
					locked := func(change func(*fake)) {
						f.mu.Lock()
						defer f.mu.Unlock()
						change(f)
					}
					err := step.run(t, f, m, func() { locked(fault.strike) })
					if !isOneOf(err, fault.want) {
						t.Errorf("got %v, want one of %v", err, fault.want)
					}
					if fault.gone {
						checkUnconfirmed(t, m)
					} else {
						hangUp(t, m)
					}
					if fault.passes != nil {
						changed := m.Changed()
						locked(fault.passes)
						if m.Fault() != nil {
							<-changed
						}
					}
					_, rings := m.Ringing()
					time.Sleep(rings)
					f.checkOnHook(t)
					if err := m.Fault(); err != nil {
						t.Errorf("fault: %v", err)
					}
					f.dials(nil)
					if step.gsm {
						f.dials(func(f *fake) { f.stat("0") })
					}
					answers(t, m) // the line serves again
					hangUp(t, m)
					f.checkOnHook(t)
				})
			})
		}
	}
}

// endedInTime is nil where the operation went on until its context ended.
func endedInTime(_ time.Duration, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func isOneOf(err error, list []error) bool {
	for _, want := range list {
		if want == nil && err == nil || want != nil && errors.Is(err, want) {
			return true
		}
	}
	return false
}

// checkUnconfirmed expects a Hangup that can't be confirmed, in time, and a fault.
func checkUnconfirmed(t *testing.T, m *modem.Modem) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	begin := time.Now()
	if err := m.Hangup(ctx); err == nil {
		t.Error("a hang-up was confirmed by nobody")
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("Hangup took %v", d)
	}
	if err := m.Fault(); err == nil || !strings.Contains(err.Error(), " ") {
		t.Errorf("fault %v", err)
	}
}

func TestAnyInitCommandMayBeRefused(t *testing.T) {
	for _, isGSM := range []bool{false, true} {
		t.Run(map[bool]string{true: "gsm", false: "voice"}[isGSM], func(t *testing.T) {
			for _, cmd := range initCommands(t, isGSM) {
				t.Run(cmd, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f := newFake()
						f.gsm, f.answer = isGSM, map[string]string{cmd: "ERROR"}
						if isGSM {
							f.onDial = func(f *fake) { f.stat("0") }
						}
						m := modem.New(f.config(map[bool]string{true: "gsm", false: "voice"}[isGSM]))
						t.Cleanup(func() { f.shut(m) })
						err := m.WaitReady(t.Context())
						if cmd == "AT+FCLASS=8" {
							if !errors.Is(err, modem.ErrNoService) {
								t.Errorf("no voice mode: %v", err)
							}
							return
						}
						if err != nil {
							t.Fatal(err)
						}
						if cmd == "AT+CLCC" {
							f.dials(says("VOICE CALL: BEGIN"))
						}
						answers(t, m)
						hangUp(t, m)
						f.checkOnHook(t)
					})
				})
			}
		})
	}
}

// initCommands are the commands of an opening that goes well.
func initCommands(t *testing.T, isGSM bool) (cmds []string) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.gsm = isGSM
		start(t, f, map[bool]string{true: "gsm", false: "voice"}[isGSM])
		cmds = f.received()
	})
	return cmds
}

func TestWhyAModemCannotBeUsed(t *testing.T) {
	tests := []struct {
		name string
		make func(f *fake)
		kind error
		want string
	}{
		{"mute", func(f *fake) { f.mute = true }, modem.ErrTimeout, "does not answer"},
		{"garbage", func(f *fake) { f.answer[""] = "\x86\x9e\x86\xe6\r\n\x98" }, modem.ErrTimeout, "baud rate"},
		{"nothing but ERROR", func(f *fake) { f.answer[""] = "ERROR" }, modem.ErrRefused, "refuses"},
		{"takes nothing", func(f *fake) { f.deaf = true }, modem.ErrGone, "takes nothing"},
		{"not there", func(f *fake) { f.unplugged = true }, modem.ErrGone, "can't be opened"},
		{"no voice mode", func(f *fake) { f.answer["AT+FCLASS=?"] = "0,1,1.0,2\r\n\r\nOK"; f.answer["AT+FCLASS=8"] = "ERROR" }, modem.ErrNoService, "no voice mode"},
		{"9600 Hz only", func(f *fake) { f.answer["AT+VSM=?"] = "1;CELP;1;0;(9600)\r\n2;ADPCM;2;0;(9600)\r\n\r\nOK" }, modem.ErrNoService, "1 CELP at 9600 Hz"},
		{"11025 and 7200 Hz only", func(f *fake) { f.answer["AT+VSM=?"] = "1,\"UNSIGNED PCM\",8,0,(7200,11025),0,0\r\n\r\nOK" }, modem.ErrNoService, "8000 Hz"},
		{"12 bits only", func(f *fake) {
			f.answer["AT+VSM=?"] = "128,\"SIGNED PCM\",12,0,(7200-8000,11025),(127-129),(0-50)\r\n132,\"ADPCM/AQ\",2,40,(7200),(128),(0-50)\r\n\r\nOK"
		}, modem.ErrNoService, "SIGNED PCM"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				tt.make(f)
				m := modem.New(f.config("voice"))
				t.Cleanup(func() { f.shut(m) })
				begin := time.Now()
				err := m.WaitReady(t.Context())
				if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), ": ") {
					t.Errorf("got %v, want a sentence with %q", err, tt.want)
				}
				if d := time.Since(begin); d > 15*time.Second {
					t.Errorf("known after %v", d)
				}
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, tt.kind) {
					t.Errorf("Dial: %v", err)
				}
			})
		})
	}
}

func TestAModemThatComesBackIsSetUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		for range 3 {
			changed := m.Changed()
			f.unplug()
			<-changed
			if !errors.Is(m.Fault(), modem.ErrGone) {
				t.Errorf("fault %v", m.Fault())
			}
			time.Sleep(90 * time.Second)
			changed = m.Changed()
			f.change(func() { f.unplugged = false })
			begin := time.Now()
			<-changed
			if d := time.Since(begin); d > 31*time.Second {
				t.Errorf("back after %v", d)
			}
			answers(t, m)
			hangUp(t, m)
		}
	})
}

func TestAModemThatDiesWhileIdleIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		f.change(func() { f.mute = true })
		begin := time.Now()
		<-m.Changed()
		if d := time.Since(begin); d > time.Minute {
			t.Errorf("noticed after %v", d)
		}
		if m.Fault() == nil {
			t.Error("no fault")
		}
	})
}

func TestAModemThatRestartsByItselfIsSetUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		m := start(t, f, "gsm")
		f.change(func() { f.got = nil })
		f.line("RDY")
		time.Sleep(time.Second)
		if err := m.Fault(); err != nil {
			t.Error(err)
		}
		got := f.received()
		if hung, told := slices.Index(got, "AT+CHUP"), slices.Index(got, "AT+CMEE=1"); hung < 0 || told < hung {
			t.Errorf("after a restart it was told %q", got)
		}
	})
}

func TestThePowerOfAModemThatStaysMuteIsSwitched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.mute = true
		cfg := f.config("voice")
		cycles := 0
		cfg.Power = func(context.Context) error {
			cycles++
			f.mu.Lock()
			defer f.mu.Unlock()
			f.mute = false
			return nil
		}
		m := modem.New(cfg)
		t.Cleanup(func() { f.shut(m) })
		<-m.Changed()
		if err := m.Fault(); err != nil || cycles != 1 {
			t.Errorf("fault %v after %d switchings", err, cycles)
		}
	})
}

func TestCloseEndsWhateverRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.onDial = func(*fake) {}
		m := start(t, f, "voice")
		done := make(chan error)
		go func() { _, err := m.Dial(t.Context(), "5550100", modem.Far{}); done <- err }()
		time.Sleep(time.Second)
		for range 2 {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-done; !errors.Is(err, modem.ErrGone) {
			t.Errorf("Dial: %v", err)
		}
		if err := m.Hangup(t.Context()); err == nil {
			t.Error("a closed modem was hung up")
		}
	})
}

// An OK that comes late must not pass for an answer, nor for the confirmation of a hang-up.
func TestALateAnswerIsNotTakenForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.onDial = func(f *fake) {
			time.Sleep(5 * time.Second)
			f.set(commands, false)
			f.line("BUSY")
		}
		m := start(t, f, "voice")
		f.change(func() { f.answer["AT+VRN"] = "-" })
		f.tasks.Go(func() {
			for len(f.received()) == 0 || f.received()[len(f.received())-1] != "AT+VRN=10" {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(5100 * time.Millisecond) // after its limit of 5 s
			f.line("OK")
		})
		f.change(func() { f.got = nil })
		_, err := m.Dial(t.Context(), "5550100", modem.Far{})
		if err == nil {
			t.Error("an OK that came late was taken for an answer")
		}
		hangUp(t, m)
		f.checkOnHook(t)
	})
}

// A port whose driver blocks, as one with RTS held by the modem does.
func TestAPortThatStopsTakingBytesInAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		cfg := f.config("voice")
		var stuck []io.Closer
		cfg.Open = func() (io.ReadWriteCloser, error) {
			port, err := f.open()
			if err != nil {
				return nil, err
			}
			near, far := net.Pipe()
			stuck = append(stuck, far)
			limit := int64(1 << 30)
			if len(stuck) == 1 { // the first opening
				limit = 20000 // two seconds into the message
			}
			go func() { _, _ = io.CopyN(port, far, limit) }()
			go func() { _, _ = io.Copy(far, port) }()
			stuck = append(stuck, port)
			return near, nil
		}
		m := modem.New(cfg)
		t.Cleanup(func() {
			f.shut(m)
			for _, s := range stuck {
				_ = s.Close()
			}
		})
		if err := m.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		answers(t, m)
		begin := time.Now()
		if _, err := m.Play(t.Context(), endless{}, modem.Far{}); !errors.Is(err, modem.ErrGone) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d > 4*time.Second {
			t.Errorf("given up after %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := m.Hangup(ctx); err != nil { // by the port being opened anew
			t.Error(err)
		}
		f.checkOnHook(t)
	})
}
