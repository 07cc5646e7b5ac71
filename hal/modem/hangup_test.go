package modem_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

func TestHangupPreemptsWhateverRuns(t *testing.T) {
	slowDial := func(f *fake) {
		time.Sleep(30 * time.Second)
		f.line("BUSY")
	}
	tests := []struct {
		name  string
		gsm   bool
		dial  func(f *fake)
		run   func(ctx context.Context, m *modem.Modem) error
		first string // the first thing that the modem hears of it, where it is text
	}{
		{"a dial", false, slowDial, func(ctx context.Context, m *modem.Modem) error {
			_, err := m.Dial(ctx, "5550100", modem.Far{})
			return err
		}, "CR"},
		{"a message", false, nil, playForEver, "ATH"},
		{"a recording", false, nil, recordForEver, "ATH"},
		{"a GSM dial", true, func(*fake) {}, func(ctx context.Context, m *modem.Modem) error {
			_, err := m.Dial(ctx, "5550100", modem.Far{})
			return err
		}, "AT+CHUP"},
		{"a GSM message", true, func(f *fake) { f.stat("0") }, playForEver, "AT+CHUP"},
		{"a GSM recording", true, func(f *fake) { f.stat("0") }, recordForEver, "AT+CHUP"},
	}
	for _, tt := range tests {
		for _, after := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond, 510 * time.Millisecond, 3 * time.Second, 7 * time.Second} {
			for _, cancels := range []bool{false, true} { // the caller's context first, as a Disconnect does
				t.Run(tt.name+" after "+after.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f := newFake()
						f.gsm, f.onDial = tt.gsm, tt.dial
						m := start(t, f, map[bool]string{true: "gsm", false: "voice"}[tt.gsm])
						why := errors.New("disconnected")
						ctx, cancel := context.WithCancelCause(t.Context())
						done := make(chan error)
						go func() { done <- tt.run(ctx, m) }()
						time.Sleep(after)
						synctest.Wait()
						before := len(f.received())
						begin := time.Now()
						if cancels {
							cancel(why)
						}
						if err := m.Hangup(t.Context()); err != nil {
							t.Error(err)
						}
						if d := time.Since(begin); d > 500*time.Millisecond {
							t.Errorf("took %v", d)
						}
						f.checkOnHook(t)
						err := <-done
						if cancels && err != why || !cancels && !errors.Is(err, context.Canceled) {
							t.Errorf("what ran returned %v", err)
						}
						if got := f.received()[before:]; after > time.Second && got[0] != tt.first {
							t.Errorf("the modem heard %q, want %q first", got, tt.first)
						}
						if err := m.Fault(); err != nil {
							t.Errorf("fault: %v", err)
						}
						cancel(nil)
					})
				})
			}
		}
	}
}

func playForEver(ctx context.Context, m *modem.Modem) error {
	if _, err := m.Dial(ctx, "5550100", modem.Far{}); err != nil {
		return err
	}
	_, err := m.Play(ctx, endless{}, modem.Far{})
	return err
}

func recordForEver(ctx context.Context, m *modem.Modem) error {
	if _, err := m.Dial(ctx, "5550100", modem.Far{}); err != nil {
		return err
	}
	return m.Record(ctx, io.Discard, modem.Far{})
}

func TestHangupOfAnIdleModem(t *testing.T) {
	for _, dialect := range []string{"voice", "gsm"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.gsm = dialect == "gsm"
			m := start(t, f, dialect)
			for range 3 {
				hangUp(t, m)
			}
			f.checkOnHook(t)
		})
	}
}

func TestHangupTakesTheNextRungWhereOneIsRefused(t *testing.T) {
	tests := []struct {
		name    string
		gsm     bool
		answers map[string]string
		want    []string // in this order
		limit   time.Duration
	}{
		{"ATH refused", false, map[string]string{"ATH": "ERROR"}, []string{"ATH", "AT+VLS=0"}, time.Second},
		{"ATH and +VLS=0 refused", false, map[string]string{"ATH": "ERROR", "AT+VLS=0": "ERROR"}, []string{"ATH", "AT+VLS=0", "AT+FCLASS=0"}, time.Second},
		{"all but ATZ refused", false, map[string]string{"ATH": "ERROR", "AT+VLS=0": "ERROR", "AT+FCLASS=0": "ERROR"}, []string{"ATH", "ATZ"}, 9 * time.Second},
		{"ATH unanswered", false, map[string]string{"ATH": "-"}, []string{"ATH", "ATH", "ATZ"}, 9 * time.Second},
		{"AT+CHUP refused", true, map[string]string{"AT+CHUP": "ERROR"}, []string{"AT+CHUP", "ATH"}, 2 * time.Second},
		{"AT+CHUP ignored", true, map[string]string{"AT+CHUP": "OK"}, []string{"AT+CHUP", "AT+CLCC", "ATH"}, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.gsm = tt.gsm
				if tt.gsm {
					f.onDial = func(f *fake) { f.stat("0") }
				}
				m := start(t, f, map[bool]string{true: "gsm", false: "voice"}[tt.gsm])
				answers(t, m)
				f.change(func() { f.answer = tt.answers; f.got = nil })
				begin := time.Now()
				hangUp(t, m)
				if d := time.Since(begin); d > tt.limit {
					t.Errorf("took %v", d)
				}
				got := f.received()
				for _, want := range tt.want {
					i := slices.Index(got, want)
					if i < 0 {
						t.Fatalf("sent %q, want %q in this order", f.received(), tt.want)
					}
					got = got[i+1:]
				}
				f.checkOnHook(t)
			})
		})
	}
}

// A SIM7600 says OK to an ATH that it ignores, and the call's end before the OK of one that
// it does not.
func TestAHangupIsBelievedOnlyWhenTheCallIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.gsm = true
		f.onDial = func(f *fake) { f.stat("0"); f.line("VOICE CALL: BEGIN") }
		f.answer = map[string]string{"AT+CHUP": "OK", "ATH": "OK", "ATZ": "ERROR", "ATI": "OK"}
		m := start(t, f, "sim7600")
		answers(t, m)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		err := m.Hangup(ctx)
		if err == nil || !strings.Contains(err.Error(), "on-hook not confirmed") {
			t.Errorf("got %v", err)
		}
		if m.Fault() == nil {
			t.Error("no fault")
		}
	})
}

func TestAHangupThatIsNotConfirmedStartsTheModemAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		answers(t, m)
		f.change(func() { f.mute = true })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		err := m.Hangup(ctx)
		if !errors.Is(err, modem.ErrTimeout) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("took %v", d)
		}
		if !errors.Is(m.Fault(), modem.ErrGone) {
			t.Errorf("fault %v", m.Fault())
		}
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); err == nil {
			t.Error("it dials")
		}
		changed := m.Changed()
		f.change(func() { f.mute = false })
		<-changed
		if err := m.Fault(); err != nil {
			t.Errorf("fault %v", err)
		}
		f.checkOnHook(t)
		answers(t, m)
		hangUp(t, m)
	})
}

// What a process that was killed leaves behind.
func TestTheFirstThingAModemIsToldIsToHangUp(t *testing.T) {
	tests := []struct {
		name    string
		gsm     bool
		leave   func(f *fake)
		dialect string
	}{
		{"off-hook", false, func(f *fake) {}, "voice"},
		{"playing", false, func(f *fake) { f.mode = playing; f.queued = time.Now().Add(400 * time.Millisecond) }, "voice"},
		{"playing and no DLE CAN", false, func(f *fake) {
			f.mode, f.noPurge = playing, true
			f.queued = time.Now().Add(500 * time.Millisecond)
		}, "auto"},
		{"playing, after an odd DLE", false, func(f *fake) { f.mode, f.oddDLE = playing, true }, "conexant"},
		{"recording", false, func(f *fake) { f.mode = recording; f.flood = true }, "voice"},
		{"recording, auto", false, func(f *fake) { f.mode = recording; f.flood = true }, "auto"},
		{"dialling", false, func(f *fake) { f.mode = dialling }, "usr"},
		{"in the middle of a command", false, func(f *fake) { f.partial = "ATDT5550" }, "auto"},
		{"in digits, with echo", false, func(f *fake) { f.answer["ATH"] = "0"; f.echo = true }, "auto"},
		{"in a GSM call", true, func(f *fake) { f.calls = []string{`+CLCC: 1,0,0,0,0,"5550100",129`} }, "gsm"},
		{"in a GSM call, auto", true, func(f *fake) { f.calls = []string{`+CLCC: 1,0,0,0,0,"5550100",129`} }, "auto"},
		{"in a GSM call that ATH does not end", true, func(f *fake) {
			f.calls = []string{`+CLCC: 1,0,3,0,0,"5550100",129`}
			f.answer["ATH"] = "OK"
		}, "auto"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.gsm, f.offHook = tt.gsm, true
				tt.leave(f)
				m := modem.New(f.config(tt.dialect))
				t.Cleanup(func() { f.shut(m) })
				begin := time.Now()
				for f.isOffHook() && time.Since(begin) < time.Minute {
					time.Sleep(10 * time.Millisecond)
				}
				if d := time.Since(begin); d > 3*time.Second {
					t.Errorf("on-hook after %v", d)
				}
				if err := m.WaitReady(t.Context()); err != nil {
					t.Error(err)
				}
				if tt.gsm {
					f.change(func() { f.onDial = func(f *fake) { f.stat("0") } })
				}
				answers(t, m)
				hangUp(t, m)
				f.checkOnHook(t)
			})
		})
	}
}

// A voice modem of today's makes says OK to ATH in voice mode, and keeps the line for ten
// minutes unless it is told +VLS=0 as well.
func TestAVoiceModemsOKToATHIsNotBelievedAlone(t *testing.T) {
	tests := []struct {
		name    string
		answers map[string]string
		want    string
	}{
		{"one that needs +VLS=0", map[string]string{"ATH": "OK"}, "ATH AT+VLS=0"},
		{"one that needs to leave voice mode", map[string]string{"ATH": "OK", "AT+VLS=0": "ERROR"}, "ATH AT+VLS=0 AT+FCLASS=0"},
		{"one that hangs up at ATH and is in no voice mode", map[string]string{"AT+VLS=0": "ERROR", "AT+FCLASS=0": "ERROR"}, "ATH AT+VLS=0 AT+FCLASS=0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				m := start(t, f, "voice")
				answers(t, m)
				f.change(func() { f.answer, f.got = tt.answers, nil })
				begin := time.Now()
				hangUp(t, m)
				if d := time.Since(begin); d > 500*time.Millisecond {
					t.Errorf("took %v", d)
				}
				if got := strings.Join(f.received(), " "); got != tt.want {
					t.Errorf("sent %s, want %s", got, tt.want)
				}
				f.checkOnHook(t)
			})
		})
	}
}

func TestWhatIsKnownOfTheHookSwitch(t *testing.T) {
	for _, dialect := range []string{"voice", "gsm"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.gsm, f.mute, f.onDial = dialect == "gsm", true, nil
			if f.gsm {
				f.onDial = func(f *fake) { f.stat("0") }
			}
			m := modem.New(f.config(dialect))
			t.Cleanup(func() { f.shut(m) })
			is := func(want modem.Hook, when string) {
				t.Helper()
				if got := m.Hook(); got != want {
					t.Errorf("%s: %s, want %s", when, got, want)
				}
			}
			_ = m.WaitReady(t.Context())
			is(modem.Unknown, "not reached")
			f.change(func() { f.mute = false })
			<-m.Changed()
			is(modem.OnHook, "reached")
			time.Sleep(time.Second)
			answers(t, m)
			is(modem.OffHook, "in a call")
			f.change(func() { f.mute = true })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_ = m.Hangup(ctx)
			is(modem.OffHook, "told to hang up, and silent")
			f.change(func() { f.mute = false })
			<-m.Changed()
			is(modem.OnHook, "reached again")
			port, err := m.Borrow(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			is(modem.Unknown, "in somebody else's hands")
			_ = port.Close()
			time.Sleep(5 * time.Second)
			is(modem.OnHook, "given back")
		})
	}
}

// Some modems say NO CARRIER in voice data mode, and stay there: what they are sent then is
// sound to them, a hang-up too.
func TestTheLineIsFreeAtOnceWhenTheFarEndHangsUp(t *testing.T) {
	for _, word := range []string{"NO CARRIER", "BUSY"} {
		for _, stays := range []bool{false, true} {
			for _, gsm := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					var said time.Time
					ends := func(f *fake) {
						time.Sleep(3 * time.Second)
						said = time.Now()
						if f.gsm {
							f.stat("6")
						} else if !stays {
							f.set(commands, false)
						}
						f.line(word)
					}
					f.gsm, f.onTalk = gsm, ends
					if gsm {
						f.onDial = func(f *fake) { f.stat("0"); ends(f) }
					}
					m := start(t, f, map[bool]string{true: "gsm", false: "voice"}[gsm])
					if err := playForEver(t.Context(), m); !errors.Is(err, modem.ErrHungUp) {
						t.Errorf("%s: %v", word, err)
					}
					hangUp(t, m)
					if d := time.Since(said); d > 100*time.Millisecond {
						t.Errorf("%s, stays in voice data mode %v, GSM %v: on-hook after %v", word, stays, gsm, d)
					}
					if f.isOffHook() {
						t.Error("off-hook")
					}
				})
			}
		}
	}
}
