package call_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

// long is a request whose message lasts.
func long(number string) call.Request {
	req := request(number)
	req.Clip = minute()
	return req
}

var minute = sync.OnceValue(func() audio.Clip { return speech(time.Minute) })

// hangsUp disconnects a call, checks that it takes no longer than limit and that everybody is
// told the same afterwards, and returns the answer.
func (b *board) hangsUp(t *testing.T, id string, limit time.Duration) error {
	t.Helper()
	start := time.Now()
	err := b.Disconnect(t.Context(), id)
	if d := time.Since(start); d > limit {
		t.Errorf("Disconnect took %v, want %v at the most", d, limit)
	}
	checkAgree(t, b, id, err)
	return err
}

func (b *board) line(name string) (info call.LineInfo) {
	for _, l := range b.Lines() {
		if l.Name == name {
			info = l
		}
	}
	return info
}

// serves fails the test unless a call can be made on a board's only line.
func (b *board) serves(t *testing.T) {
	t.Helper()
	if l := b.Lines()[0]; l.State != "idle" || l.Hook != "on-hook" || l.Call != "" || l.Fault != "" {
		t.Errorf("the line afterwards: %+v", l)
	}
	info, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected)
	if info.Answered.IsZero() || info.Cause != call.None {
		t.Errorf("the next call: %+v", info)
	}
}

func TestWithoutARelayEveryDisconnectSaysSoUntilTheModemHasConfirmed(t *testing.T) {
	for _, line := range []string{"bare1", "gsm1"} {
		for name, strike := range map[string]func(*sim.Line){
			"is deaf":       func(l *sim.Line) { l.Fault(sim.Faults{Deaf: true}) },
			"takes nothing": func(l *sim.Line) { l.Fault(sim.Faults{Stall: true}) },
			"is unplugged":  func(l *sim.Line) { l.Vanish() },
			"falls silent then": func(l *sim.Line) {
				l.Fault(sim.Faults{MuteAt: map[bool]string{true: "CHUP", false: "ATH"}[l.Name() == "gsm1"]})
			},
		} {
			t.Run(line+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBoard(t, nil, line)
					id := b.start(t, long("5550100")).ID
					b.until(t, id, call.Connected)
					strike(b.lines[line])
					for i, limit := range []time.Duration{5 * time.Second, 0, 0, 0} {
						if err := b.hangsUp(t, id, limit); !errors.Is(err, call.ErrOnHook) {
							t.Errorf("Disconnect %d: %v", i, err)
						}
						if info, _ := b.Call(id); info.State != call.Connected || info.Cause != call.None || info.Reason == "" {
							t.Errorf("after Disconnect %d: %+v", i, info)
						}
						time.Sleep(time.Duration(i*i) * 10 * time.Second)
					}
					if _, err := b.Start(request("5550106")); !errors.Is(err, call.ErrFault) {
						t.Errorf("a call on that line: %v", err)
					}
					if err := b.Stuck(); err != nil {
						t.Errorf("the watchdogs are told: %v", err)
					}
					b.lines[line].Fault(sim.Faults{})
					_ = b.lines[line].Return()
					info, _ := b.until(t, id, call.Disconnected)
					byUser := info.Cause == call.None && info.Reason == "disconnected by the user"
					gone := name == "is unplugged" && info.Cause == call.Unavailable // which the call may have seen first
					if !byUser && !gone || b.lines[line].OffHook() {
						t.Errorf("confirmed at last: %+v, off-hook %v", info, b.lines[line].OffHook())
					}
					if err := b.hangsUp(t, id, 0); err != nil {
						t.Errorf("Disconnect after that: %v", err)
					}
					time.Sleep(time.Second)
					b.serves(t)
				})
			})
		}
	}
}

func TestACallThatCouldNotBeHungUpEndsForTheReasonThatItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "gsm1")
		b.lines["gsm1"].Fault(sim.Faults{MuteAt: "CHUP"})
		id := b.start(t, request("5550101")).ID // busy
		time.Sleep(30 * time.Second)
		info, _ := b.Call(id)
		if info.State == call.Disconnected || info.Reason == "" {
			t.Errorf("with a modem that has not confirmed: %+v", info)
		}
		if err := b.hangsUp(t, id, 0); !errors.Is(err, call.ErrOnHook) {
			t.Errorf("Disconnect: %v", err)
		}
		b.lines["gsm1"].Fault(sim.Faults{})
		if info, _ = b.until(t, id, call.Disconnected); info.Cause != call.UserBusy || info.Reason != "busy" {
			t.Errorf("at the end: %+v", info)
		}
		b.serves(t)
	})
}

func TestAUserMayCallAgainWhileALineIsNotKnownToBeOnHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "gsm1", "gsm2")
		stuck := b.start(t, long("5550100")).ID
		b.until(t, stuck, call.Connected)
		b.lines["gsm1"].Fault(sim.Faults{Deaf: true})
		_ = b.hangsUp(t, stuck, 5*time.Second)
		info, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected)
		if info.Line != "gsm2" || info.Cause != call.None {
			t.Errorf("the next call: %+v", info)
		}
		b.lines["gsm1"].Fault(sim.Faults{})
		b.until(t, stuck, call.Disconnected)
	})
}

func TestBehindAnOpenRelayNobodyWaitsForTheModem(t *testing.T) {
	for name, strike := range map[string]func(*sim.Line){
		"a deaf modem":              func(l *sim.Line) { l.Fault(sim.Faults{Deaf: true}) },
		"a port that takes nothing": func(l *sim.Line) { l.Fault(sim.Faults{Stall: true}) },
		"an unplugged modem":        func(l *sim.Line) { l.Vanish() },
		"a modem silent at ATH":     func(l *sim.Line) { l.Fault(sim.Faults{MuteAt: "ATH"}) },
		"a modem silent at +VLS":    func(l *sim.Line) { l.Fault(sim.Faults{MuteAt: "VLS=0"}) },
	} {
		moments := map[string]time.Duration{"while it dials": 2500 * time.Millisecond, "in the message": 12 * time.Second}
		for when, after := range moments {
			t.Run(name+" "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBoard(t, nil, "fxo1")
					id := b.start(t, long("5550100")).ID
					time.Sleep(after)
					strike(b.lines["fxo1"])
					if err := b.hangsUp(t, id, time.Second); err != nil {
						t.Errorf("the relay is open: %v", err)
					}
					if l := b.line("fxo1"); l.State != "fault" || l.Fault == "" || l.Hook != "on-hook" {
						t.Errorf("the line: %+v", l)
					}
					if _, err := b.Start(request("5550106")); !errors.Is(err, call.ErrFault) {
						t.Errorf("a call on that line: %v", err)
					}
					time.Sleep(time.Minute)
					b.lines["fxo1"].Fault(sim.Faults{})
					_ = b.lines["fxo1"].Return()
					time.Sleep(time.Minute)
					b.serves(t)
				})
			})
		}
	}
}

func TestTwoClientsDisconnectAtOnce(t *testing.T) {
	for _, tt := range []struct {
		line  string
		fault sim.Faults
		want  error
	}{
		{"fxo1", sim.Faults{}, nil}, {"fxo1", sim.Faults{Deaf: true}, nil},
		{"gsm1", sim.Faults{}, nil}, {"gsm1", sim.Faults{Deaf: true}, call.ErrOnHook},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoard(t, nil, tt.line)
			id := b.start(t, long("5550100")).ID
			b.until(t, id, call.Connected)
			b.lines[tt.line].Fault(tt.fault)
			var clients sync.WaitGroup
			for range 5 {
				clients.Go(func() {
					if err := b.Disconnect(t.Context(), id); !errors.Is(err, tt.want) {
						t.Errorf("%s, %+v: %v, want %v", tt.line, tt.fault, err, tt.want)
					}
				})
			}
			clients.Wait()
			checkAgree(t, b, id, tt.want)
			b.lines[tt.line].Fault(sim.Faults{})
			b.until(t, id, call.Disconnected)
		})
	}
}

func TestDisconnectInTheQueueAndBetweenTwoAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.Queue, o.Redial, o.PerUser = 1, 1, -1 }, "fxo1")
		first := b.start(t, request("5550101")).ID // busy
		queued := b.start(t, request("5550100")).ID
		time.Sleep(9 * time.Second)
		if l := b.line("fxo1"); l.State != "in-call" || l.Hook != "on-hook" {
			t.Fatalf("between two attempts: %+v", l)
		}
		b.lines["fxo1"].Fault(sim.Faults{Deaf: true})
		for _, id := range []string{queued, first} {
			if err := b.Disconnect(t.Context(), id); err != nil {
				t.Error(err)
			}
			if info, _ := b.Call(id); info.State != call.Disconnected || info.Cause != call.None {
				t.Errorf("%+v", info)
			}
		}
		b.lines["fxo1"].Fault(sim.Faults{})
	})
}

// A card that hangs holds up the deleting of a message, and nothing else.
func TestACardThatHangsKeepsNoLineOffHook(t *testing.T) {
	for _, line := range []string{"fxo1", "gsm1"} {
		for _, who := range []string{"the user", "max_call"} {
			t.Run(line+" "+who, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBoard(t, func(o *call.Options) { o.MaxCall = 30 * time.Second }, line)
					card := make(chan struct{})
					req := long("5550104") // presses a key
					req.Next = func() (call.Recording, bool) { <-card; return call.Recording{}, false }
					req.Delete = func() error { <-card; return nil }
					id := b.start(t, req).ID
					b.until(t, id, call.Connected)
					time.Sleep(10 * time.Second)
					if who == "the user" {
						if err := b.hangsUp(t, id, time.Second); err != nil {
							t.Error(err)
						}
					} else {
						time.Sleep(30 * time.Second)
					}
					if b.lines[line].OffHook() {
						t.Error("off-hook")
					}
					close(card)
					b.until(t, id, call.Disconnected)
					time.Sleep(time.Second)
					b.serves(t)
				})
			})
		}
	}
}

func TestAModemThatKeepsTheLineAtATHIsHungUp(t *testing.T) {
	for _, line := range []string{"bare1", "fxo1"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoard(t, nil, line)
			b.lines[line].Fault(sim.Faults{Holds: true})
			id := b.start(t, long("5550100")).ID
			b.until(t, id, call.Connected)
			if err := b.hangsUp(t, id, 500*time.Millisecond); err != nil || b.lines[line].ModemOffHook() {
				t.Errorf("Disconnect: %v, the modem is off-hook: %v", err, b.lines[line].ModemOffHook())
			}
		})
	}
}

func TestAModemThatHasNotBeenReachedIsNotCalledOnHook(t *testing.T) {
	for _, line := range []string{"bare1", "gsm1", "fxo1"} {
		synctest.Test(t, func(t *testing.T) {
			x := sim.New(sim.Options{Numbers: numbers})
			b := newBoardOn(t, x, func(*call.Options) { x.Lines()[0].Vanish() }, line)
			time.Sleep(100 * time.Millisecond)
			want := map[bool]string{true: "on-hook", false: "unknown"}[line == "fxo1"] // its relay is open
			if l := b.line(line); l.Hook != want || l.State != "fault" || l.Fault == "" {
				t.Errorf("not reached: %+v, want %s", l, want)
			}
			if err := b.lines[line].Return(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			b.serves(t)
		})
	}
}

func TestCloseDoesNotWaitForEverAndWritesNoEndThatWasNotSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.jsonl")
	withLog := func(o *call.Options) { o.LogPath = path }
	var id string
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, withLog, "gsm1")
		id = b.start(t, long("5550100")).ID
		b.until(t, id, call.Connected)
		b.lines["gsm1"].Fault(sim.Faults{Deaf: true})
		start := time.Now()
		for range 2 {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(start); d > 15*time.Second {
			t.Errorf("Close took %v", d)
		}
		if info, _ := b.Call(id); info.State != call.Connected || info.Reason == "" {
			t.Errorf("after Close: %+v", info)
		}
		if err := b.Disconnect(t.Context(), id); !errors.Is(err, call.ErrOnHook) {
			t.Errorf("Disconnect after Close: %v", err)
		}
		b.lines["gsm1"].Vanish() // else it is off-hook at the end
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, withLog, "gsm1")
		if info, err := b.Call(id); err != nil || info.State != call.Disconnected || info.Cause != call.Other {
			t.Errorf("after the next start: %+v, %v", info, err)
		}
	})
}

// A call that was cut off with the daemon is over when its line is known to be on-hook: a line
// without a relay is not before its modem has been reached.
func TestACallThatWasCutOffAfterItsAnswerTellsWhatIsKnown(t *testing.T) {
	for _, tt := range []struct {
		name, started, answered string
		lasted                  time.Duration // at most, from the beginning
	}{
		{"half a minute before the start", "1999-12-31T23:59:30Z", "1999-12-31T23:59:35Z", 31 * time.Second},
		{"a week before the start", "1999-12-25T10:00:00Z", "1999-12-25T10:00:05Z", 10*time.Minute + 5*time.Second},
		{"in the future, for a clock that was lost", "2026-11-27T10:00:00Z", "2026-11-27T10:00:05Z", 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "calls.jsonl")
			record := `{"id":"cut","state":"Connected","cause":"None","line":"taken away","number":"5550100","item":"item",` +
				`"user":"anna","started":"` + tt.started + `","answered":"` + tt.answered + `"}` + "\n"
			if err := os.WriteFile(path, []byte(record), 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				x := sim.New(sim.Options{Numbers: numbers})
				b := newBoardOn(t, x, func(o *call.Options) { o.LogPath = path }, "fxo1")
				info, err := b.Call("cut")
				lasted := info.Ended.Sub(info.Started)
				if err != nil || info.Answered.IsZero() || info.Ended.Before(info.Answered) || lasted > tt.lasted ||
					!strings.Contains(info.Reason, "is not known") {
					t.Errorf("%v, lasted %v: %+v", err, lasted, info)
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestACallThatWasCutOffIsOverWhenItsLineIsOnHook(t *testing.T) {
	for _, line := range []string{"bare1", "gsm1", "fxo1"} {
		t.Run(line, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "calls.jsonl")
			record := func(id, state string) string {
				return `{"id":"` + id + `","state":"` + state + `","cause":"None","line":"` + line +
					`","number":"5550100","item":"item","user":"anna","started":"2026-11-27T10:00:00Z"}` + "\n"
			}
			log := record("earlier", "Connecting") + record("cut", "Connecting") +
				strings.Replace(record("elsewhere", "Connecting"), line, "taken away", 1)
			if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
				t.Fatal(err)
			}
			over := func(t *testing.T, b *board, id string) {
				t.Helper()
				info, _ := b.Call(id)
				err := b.Disconnect(t.Context(), id)
				if err != nil || info.Cause != call.Other || info.SIPCode != 487 || info.Ended.IsZero() {
					t.Errorf("%s: %v, %+v", id, err, info)
				}
			}
			withLog := func(o *call.Options) { o.LogPath = path }
			for range 2 { // and again: the modem was never reached, and the daemon restarted
				synctest.Test(t, func(t *testing.T) {
					x := sim.New(sim.Options{Numbers: numbers})
					b := newBoardOn(t, x, func(o *call.Options) { withLog(o); x.Lines()[0].Vanish() }, line)
					time.Sleep(time.Second)
					over(t, b, "earlier")
					over(t, b, "elsewhere")
					if line == "fxo1" {
						over(t, b, "cut")
						return
					}
					for range 2 {
						if err := b.hangsUp(t, "cut", 0); !errors.Is(err, call.ErrOnHook) {
							t.Errorf("Disconnect: %v", err)
						}
					}
					if l := b.line(line); l.Hook != "unknown" || l.State != "fault" {
						t.Errorf("the line: %+v", l)
					}
					start := time.Now()
					if err := b.Close(); err != nil || time.Since(start) > time.Second {
						t.Errorf("Close: %v after %v", err, time.Since(start))
					}
				})
			}
			synctest.Test(t, func(t *testing.T) {
				x := sim.New(sim.Options{Numbers: numbers})
				b := newBoardOn(t, x, func(o *call.Options) { withLog(o); x.Lines()[0].Vanish() }, line)
				time.Sleep(time.Minute)
				if err := b.lines[line].Return(); err != nil {
					t.Fatal(err)
				}
				b.until(t, "cut", call.Disconnected)
				over(t, b, "cut")
				time.Sleep(time.Minute)
				b.serves(t)
			})
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t, withLog, line)
				over(t, b, "cut")
			})
		})
	}
}

// A far end that hangs up ends the call at once, wherever it is.
func TestNoCarrierEndsACallAtOnce(t *testing.T) {
	greeting := &call.Greeting{Keep: func(audio.Clip) error { return nil }, Delete: func() error { return nil }}
	for _, line := range []string{"fxo1", "gsm1"} {
		for name, change := range map[string]func(*call.Request, *call.LineConfig){
			"in the message": func(*call.Request, *call.LineConfig) {},
			"at a prompt":    func(_ *call.Request, l *call.LineConfig) { l.PressOne = true },
			"in the lead-in": func(_ *call.Request, l *call.LineConfig) { l.LeadIn = time.Minute },
			"at a menu":      func(r *call.Request, _ *call.LineConfig) { r.Greeting, r.Dial = greeting, "5550106" },
			"in a recording": func(r *call.Request, _ *call.LineConfig) { r.Greeting, r.Dial = greeting, "5550129" },
		} {
			for _, after := range []time.Duration{15 * time.Second, 22*time.Second + 7*time.Millisecond} {
				t.Run(line+" "+name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						req := long("5550106")
						far := map[string]sim.FarEnd{
							"5550106": {}, "5550129": {Says: minute(), Keys: []sim.Key{{At: 6 * time.Second, Key: '2'}}},
						}
						b := newBoardOn(t, sim.New(sim.Options{Numbers: far}), func(o *call.Options) { change(&req, &o.Lines[0]) }, line)
						b.lines[line].Fault(sim.Faults{NoCarrier: after})
						id := b.start(t, req).ID
						b.until(t, id, call.Connected)
						for b.lines[line].ModemOffHook() {
							time.Sleep(time.Millisecond)
						}
						said := time.Now()
						info, _ := b.until(t, id, call.Disconnected)
						if d := time.Since(said); d > 100*time.Millisecond || info.Reason != "the far end hung up" {
							t.Errorf("%v after %v: %s, %s", d, after, info.Cause, info.Reason)
						}
					})
				})
			}
		}
	}
}
