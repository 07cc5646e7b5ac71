package call_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/dialing"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
)

// board is an Exchange whose lines are simulated; names beginning with "gsm" are mobile, those
// beginning with "bare" have neither relay nor inputs.
type board struct {
	*call.Exchange
	sim   *sim.Exchange
	lines map[string]*sim.Line
}

func newBoard(t *testing.T, change func(*call.Options), names ...string) *board {
	t.Helper()
	return newBoardOn(t, sim.New(sim.Options{Numbers: numbers}), change, names...)
}

func newBoardOn(t *testing.T, x *sim.Exchange, change func(*call.Options), names ...string) *board {
	t.Helper()
	b := &board{sim: x, lines: map[string]*sim.Line{}}
	opt := call.Options{Rules: &dialing.Rules{Allow: []string{"55501xx"}}, Host: "test", RetryWindow: time.Second}
	if testing.Verbose() {
		opt.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	for _, name := range names {
		cfg := call.LineConfig{Name: name}
		if strings.HasPrefix(name, "gsm") {
			l := b.sim.GSM(name)
			b.lines[name] = l
			cfg.Modem = modem.Config{Name: name, Dialect: "gsm", Open: l.Port, OpenPCM: l.PCM}
		} else {
			l := b.sim.Voice(name)
			b.lines[name] = l
			cfg.Modem = modem.Config{Name: name, Dialect: "voice", Open: l.Port}
			if !strings.HasPrefix(name, "bare") {
				cfg.Hook = hook.Config{Relay: l.Relay(), Loop: l.Loop()}
			}
		}
		opt.Lines = append(opt.Lines, cfg)
	}
	if change != nil {
		change(&opt)
	}
	var err error
	if b.Exchange, err = call.New(opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		for name, l := range b.lines {
			if l.OffHook() {
				t.Errorf("line %s is off-hook at the end", name)
			}
		}
		_ = b.sim.Close()
	})
	return b
}

// speech is a clip that no tone of the exchange resembles.
func speech(d time.Duration) audio.Clip {
	c := make(audio.Clip, int(d*audio.Rate/time.Second))
	for i := range c {
		x := float64(i) / audio.Rate
		c[i] = int16(6000 * math.Sin(2*math.Pi*(300+200*math.Sin(5*x))*x) * math.Abs(math.Sin(3*x)))
	}
	return c
}

func request(number string) call.Request {
	return call.Request{User: "anna", Dial: number, Item: "item", Clip: speech(3 * time.Second)}
}

// until waits for a call to reach a state and returns every state it was seen in.
func (b *board) until(t *testing.T, id string, want call.State) (info call.Info, states []call.State) {
	t.Helper()
	for {
		changed := b.Changed()
		info, err := b.Call(id)
		if err != nil {
			t.Fatal(err)
		}
		if len(states) == 0 || states[len(states)-1] != info.State {
			states = append(states, info.State)
		}
		if info.State == want {
			return info, states
		}
		if info.State == call.Disconnected {
			t.Fatalf("call ended (%s: %s) before it was %s", info.Cause, info.Reason, want)
		}
		<-changed
	}
}

func (b *board) start(t *testing.T, req call.Request) call.Info {
	t.Helper()
	info, err := b.Start(req)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// hears says how much of clip the far end of a line has heard, as a correlation. Where a few
// samples are not alike, all of them are not looked at.
func (b *board) hears(line string, clip audio.Clip) (best float64) {
	heard := b.lines[line].Heard()
	for at := 0; at+len(clip) <= len(heard); at++ {
		alike := likeness(heard[at:], clip, 211)
		if alike > 0.7 {
			alike = likeness(heard[at:], clip, 7)
		}
		best = max(best, alike)
	}
	return best
}

// likeness is the correlation of every nth sample.
func likeness(heard, clip []int16, n int) float64 {
	var ab, aa, bb float64
	for i := 0; i < len(clip); i += n {
		x, y := float64(heard[i]), float64(clip[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb+1)
}

func TestACallFromRequestToOnHook(t *testing.T) {
	for _, line := range []string{"fxo1", "gsm1"} {
		t.Run(line, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t, nil, line)
				req := request("555-0100")
				info := b.start(t, req)
				id, err := base64.StdEncoding.DecodeString(info.ID)
				if err != nil || !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@test$`).Match(id) {
					t.Errorf("call id %q is not base64 of guid@host", info.ID)
				}
				if info.State != call.Connecting || info.Line != line || info.Number != "5550100" {
					t.Errorf("at the start: %+v", info)
				}
				info, states := b.until(t, info.ID, call.Disconnected)
				if got := fmt.Sprint(states); got != "[Connecting Alerted Connected Disconnected]" {
					t.Errorf("states %s", got)
				}
				if info.Cause != call.None || info.SIPCode != 0 || info.Answered.IsZero() || info.Ended.Before(info.Answered) {
					t.Errorf("at the end: %+v", info)
				}
				if b.lines[line].OffHook() {
					t.Error("Disconnected, and the line is off-hook")
				}
				if c := b.hears(line, req.Clip); c < 0.98 {
					t.Errorf("what the far end heard correlates %.3f with the message", c)
				}
				if l := b.Lines()[0]; l.State != "idle" || l.Hook != "on-hook" || l.Call != "" {
					t.Errorf("the line afterwards: %+v", l)
				}
			})
		})
	}
}

func TestHowACallEnds(t *testing.T) {
	tests := []struct {
		name, number string
		cause        call.Cause
		sip          int
	}{
		{"busy is UserBusy", "5550101", call.UserBusy, 486},
		{"ringing for ever is NoAnswer", "5550102", call.NoAnswer, 480},
		{"a far end that hangs up in the message is None", "5550103", call.None, 0},
		{"an answer without ringback is a call like any other", "5550106", call.None, 0},
	}
	for _, tt := range tests {
		for _, line := range []string{"fxo1", "gsm1"} {
			t.Run(tt.name+" on "+line, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBoard(t, nil, line)
					info, _ := b.until(t, b.start(t, request(tt.number)).ID, call.Disconnected)
					if info.Cause != tt.cause || info.SIPCode != tt.sip {
						t.Errorf("cause %s, SIP %d (%s), want %s, %d", info.Cause, info.SIPCode, info.Reason, tt.cause, tt.sip)
					}
				})
			})
		}
	}
}

func TestDisconnectAtEveryMoment(t *testing.T) {
	for _, line := range []string{"fxo1", "gsm1"} {
		for _, after := range []time.Duration{0, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 3 * time.Second, 8 * time.Second, 9 * time.Second, 10 * time.Second, 11 * time.Second} {
			t.Run(fmt.Sprintf("%s after %v", line, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBoard(t, nil, line)
					info := b.start(t, request("5550100"))
					time.Sleep(after)
					if err := b.Disconnect(t.Context(), info.ID); err != nil {
						t.Fatal(err)
					}
					if b.lines[line].OffHook() {
						t.Error("Disconnect has returned, and the line is off-hook")
					}
					info, _ = b.Call(info.ID)
					if info.State != call.Disconnected || info.Cause != call.None {
						t.Errorf("after Disconnect: %s, %s", info.State, info.Cause)
					}
					if err := b.Disconnect(t.Context(), info.ID); err != nil {
						t.Errorf("Disconnect of an ended call: %v", err)
					}
					b.until(t, b.start(t, request("5550106")).ID, call.Connected) // the line serves again
				})
			})
		}
	}
}

func TestWhoMayCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1", "gsm1")
		first := b.start(t, request("5550102"))
		if again := b.start(t, request("5550102")); again.ID != first.ID {
			t.Error("a retry within the window made a second call")
		}
		time.Sleep(2 * time.Second)
		for name, tt := range map[string]struct {
			req  call.Request
			want error
		}{
			"a second call of one user":     {request("5550100"), call.ErrUserBusy},
			"a number that is not allowed":  {call.Request{User: "ben", Dial: "5559999"}, dialing.ErrDenied},
			"an emergency number":           {call.Request{User: "ben", Dial: "911"}, dialing.ErrDenied},
			"something that is no number":   {call.Request{User: "ben", Dial: "5550100;ATH"}, dialing.ErrNumber},
			"nothing for a number":          {call.Request{User: "ben", Dial: " "}, dialing.ErrNumber},
			"a number with a modem's pause": {call.Request{User: "ben", Dial: "5550100,,1"}, dialing.ErrNumber},
		} {
			if _, err := b.Start(tt.req); !errors.Is(err, tt.want) {
				t.Errorf("%s: got %v, want %v", name, err, tt.want)
			}
		}
		ben := request("5550102")
		ben.User = "ben"
		b.start(t, ben)
		cleo := request("5550102")
		cleo.User = "cleo"
		if _, err := b.Start(cleo); !errors.Is(err, call.ErrNoLine) {
			t.Errorf("with both lines busy: got %v, want ErrNoLine", err)
		}
	})
}

func TestAQueuedCallTakesTheLineThatBecomesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.Queue, o.QueueWait = 1, time.Minute }, "fxo1")
		first := b.start(t, request("5550100"))
		second := request("5550106")
		second.User = "ben"
		queued := b.start(t, second)
		third := request("5550106")
		third.User = "cleo"
		if _, err := b.Start(third); !errors.Is(err, call.ErrNoLine) {
			t.Errorf("beyond the queue: got %v, want ErrNoLine", err)
		}
		b.until(t, first.ID, call.Disconnected)
		info, _ := b.until(t, queued.ID, call.Disconnected)
		if info.Cause != call.None || info.Answered.IsZero() {
			t.Errorf("the queued call: %+v", info)
		}
	})
}

func TestACallIsLimitedInLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.MaxCall = 20 * time.Second }, "fxo1")
		req := request("5550100")
		req.Clip = speech(time.Minute)
		info, _ := b.until(t, b.start(t, req).ID, call.Disconnected)
		if d := info.Ended.Sub(info.Answered); d < 20*time.Second || d > 22*time.Second {
			t.Errorf("ended %v after the answer, want 20s", d)
		}
		if !strings.Contains(info.Reason, "maximum") {
			t.Errorf("reason %q", info.Reason)
		}
	})
}

func TestRedialAfterBusyButNeverAfterDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) { o.Redial, o.RedialIn = 2, 30*time.Second }, "fxo1")
		start := time.Now()
		info, _ := b.until(t, b.start(t, request("5550101")).ID, call.Disconnected)
		if d := time.Since(start); d < 60*time.Second {
			t.Errorf("three attempts took %v", d)
		}
		if info.Cause != call.UserBusy {
			t.Errorf("cause %s", info.Cause)
		}
		again := b.start(t, request("5550101"))
		time.Sleep(10 * time.Second) // busy, and waiting for the next attempt
		if err := b.Disconnect(t.Context(), again.ID); err != nil {
			t.Fatal(err)
		}
		if info, _ := b.Call(again.ID); info.State != call.Disconnected || info.Cause != call.None {
			t.Errorf("after Disconnect: %s, %s", info.State, info.Cause)
		}
	})
}

func TestCloseEndsEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1", "gsm1")
		one, two := request("5550100"), request("5550100")
		two.User = "ben"
		ids := []string{b.start(t, one).ID, b.start(t, two).ID}
		time.Sleep(10 * time.Second)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if info, _ := b.Call(id); info.State != call.Disconnected {
				t.Errorf("call %s after Close: %s", info.Line, info.State)
			}
		}
		if _, err := b.Start(request("5550100")); !errors.Is(err, call.ErrFault) {
			t.Errorf("Start after Close: %v", err)
		}
	})
}

func TestTheCallLogSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.jsonl")
	withLog := func(o *call.Options) { o.LogPath = path }
	var ended, cut call.Info
	var saved []byte // the log as a killed daemon leaves it
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, withLog, "gsm1")
		ended, _ = b.until(t, b.start(t, request("5550101")).ID, call.Disconnected)
		cut = b.start(t, request("5550102"))
		var err error
		if saved, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.WriteFile(path, append(saved, `{"id":"cut in the middle`...), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, withLog, "gsm1")
		if info, err := b.Call(ended.ID); err != nil || info.Cause != call.UserBusy {
			t.Errorf("the ended call after a restart: %+v, %v", info, err)
		}
		if info, err := b.Call(cut.ID); err != nil || info.State != call.Disconnected || info.Cause != call.Other {
			t.Errorf("the call that was cut off, after a restart: %+v, %v", info, err)
		}
		if err := b.Disconnect(context.Background(), ended.ID); err != nil {
			t.Errorf("Disconnect of a call from before the restart: %v", err)
		}
	})
}

func TestAMuteModemPutsItsLineInFaultAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1", "fxo2")
		info := b.start(t, request("5550100"))
		b.until(t, info.ID, call.Connected)
		b.lines["fxo1"].Fault(sim.Faults{Mute: true})
		start := time.Now()
		err := b.Disconnect(t.Context(), info.ID)
		if d := time.Since(start); err != nil || d > time.Second {
			t.Errorf("Disconnect with a mute modem behind an open relay: %v after %v", err, d)
		}
		checkAgree(t, b, info.ID, err)
		if b.lines["fxo1"].OffHook() {
			t.Error("the relay is closed")
		}
		if l := b.Lines()[0]; l.State != "fault" || l.Fault == "" {
			t.Errorf("line %+v", l)
		}
		other, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected)
		if other.Line != "fxo2" || other.Cause != call.None {
			t.Errorf("the next call: %+v", other)
		}
		b.lines["fxo1"].Fault(sim.Faults{})
		time.Sleep(time.Minute)
		if l := b.Lines()[0]; l.State != "idle" {
			t.Errorf("the line a minute after the modem's return: %+v", l)
		}
	})
}
