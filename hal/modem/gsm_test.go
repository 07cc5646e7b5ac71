package modem_test

import (
	"bytes"
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

func newGSM() *fake {
	f := newFake()
	f.gsm = true
	return f
}

// ends begin lines that the fake says when its call has ended.
var ends = []string{"NO CARRIER", "NO ANSWER", "BUSY", "VOICE CALL: END", "^CEND:1", "^DSCI: 2,0,6", "*ECAV: 1,0"}

// says is an onDial that says lines, half a second apart, the first after one second. The fake
// lists its call no longer when it says that it has ended.
func says(lines ...string) func(*fake) {
	return func(f *fake) {
		time.Sleep(500 * time.Millisecond)
		for _, l := range lines {
			time.Sleep(500 * time.Millisecond)
			if stat, ok := strings.CutPrefix(l, "stat "); ok {
				f.stat(stat)
				continue
			}
			if slices.ContainsFunc(ends, func(end string) bool { return strings.HasPrefix(l, end) }) {
				f.stat("6")
			}
			f.line(l)
		}
	}
}

func TestEachFamilyTellsOfItsCalls(t *testing.T) {
	tests := []struct {
		name    string
		dialect string
		said    []string
		answer  map[string]string
		rang    bool
		want    error
	}{
		{name: "27.007 by +CLCC alone", dialect: "gsm", said: []string{"stat 3", "", "stat 0"}, rang: true},
		{name: "answered at once", dialect: "gsm", said: []string{"stat 0"}},
		{name: "SIM7600", dialect: "sim7600", said: []string{`+CLCC: 1,0,3,0,0,"5550100",129`, "VOICE CALL: BEGIN"}, rang: true},
		{name: "SIMCom's +CLCC reports", dialect: "simcom", said: []string{`+CLCC: 1,0,2,0,0,"5550100",129,""`, `+CLCC: 1,0,3,0,0,"5550100",129,""`, `+CLCC: 1,0,0,0,0,"5550100",129,""`}, rang: true},
		{name: "Quectel", dialect: "quectel", said: []string{"^DSCI: 2,0,2,0,5550100,129", "^DSCI: 2,0,7,0,5550100,129", "^DSCI: 2,0,3,0,5550100,129", "^DSCI: 2,0,0,0,5550100,129"}, answer: map[string]string{"AT+QPCMV=1,0": "OK"}, rang: true},
		{name: "Huawei", dialect: "huawei", said: []string{"^ORIG:1,0", "^CONF:1", "^CONN:1,0"}, rang: true},
		{name: "ST-Ericsson", dialect: "stericsson", said: []string{`*ECAV: 1,1,0,,,"5550100",129`, `*ECAV: 1,6,0,,,"5550100",129`, `*ECAV: 1,3,0,,,"5550100",129`}, rang: true},
		{name: "SIM800's MO RING", dialect: "gsm", said: []string{"MO RING", "MO CONNECTED"}, rang: true},
		{name: "a modem without +CLCC", dialect: "sim7600", said: []string{"VOICE CALL: BEGIN"}, answer: map[string]string{"AT+CLCC": "ERROR"}},

		{name: "BUSY as the answer to ATD", dialect: "gsm", answer: map[string]string{"ATD": "BUSY"}, want: modem.ErrBusy},
		{name: "BUSY later", dialect: "gsm", said: []string{"BUSY"}, want: modem.ErrBusy},
		{name: "no answer", dialect: "gsm", said: []string{"stat 3", "", "NO ANSWER"}, rang: true, want: modem.ErrNoAnswer},
		{name: "no network", dialect: "gsm", answer: map[string]string{"ATD": "+CME ERROR: 30"}, want: modem.ErrNoService},
		{name: "not allowed", dialect: "gsm", answer: map[string]string{"ATD": "+CME ERROR: 3"}, want: modem.ErrRefused},
		{name: "ERROR", dialect: "gsm", answer: map[string]string{"ATD": "ERROR"}, want: modem.ErrRefused},
		{name: "NO CARRIER before it rings", dialect: "gsm", said: []string{"NO CARRIER"}, want: modem.ErrNoService},
		{name: "NO CARRIER as the answer to ATD", dialect: "gsm", answer: map[string]string{"ATD": "NO CARRIER"}, want: modem.ErrNoService},
		{name: "NO CARRIER soon after it rings", dialect: "gsm", said: []string{"stat 3", "", "NO CARRIER"}, rang: true, want: modem.ErrNoCarrier},
		{name: "NO CARRIER after it has rung long", dialect: "gsm", said: slices.Concat([]string{"stat 3"}, make([]string, 60), []string{"NO CARRIER"}), rang: true, want: modem.ErrNoAnswer},
		{name: "NO CARRIER and the network's cause", dialect: "gsm", said: []string{"stat 3", "", "NO CARRIER"}, answer: map[string]string{"AT+CEER": "+CEER: 5,21\r\n\r\nOK"}, rang: true, want: modem.ErrBusy},
		{name: "NO CARRIER and a cause in words", dialect: "gsm", said: []string{"NO CARRIER"}, answer: map[string]string{"AT+CEER": "+CEER: User busy\r\n\r\nOK"}, want: modem.ErrBusy},
		{name: "NO CARRIER and no cause", dialect: "gsm", said: []string{"NO CARRIER"}, answer: map[string]string{"AT+CEER": "+CEER: EXTENDED ERROR STRING\r\n\r\nOK"}, want: modem.ErrNoService},
		{name: "NO CARRIER and a modem that does not answer +CEER", dialect: "gsm", said: []string{"NO CARRIER"}, answer: map[string]string{"AT+CEER": "-"}, want: modem.ErrNoService},
		{name: "the call is no longer listed", dialect: "gsm", said: []string{"stat 3", "", "stat 6"}, answer: map[string]string{"AT+CEER": "+CEER: 0,19\r\n\r\nOK"}, rang: true, want: modem.ErrNoAnswer},
		{name: "a call that was never listed", dialect: "gsm", said: []string{"stat 6"}, want: modem.ErrNoService},
		{name: "SIM7600's end", dialect: "sim7600", said: []string{"VOICE CALL: END: 000000", "NO CARRIER"}, answer: map[string]string{"AT+CEER": "+CEER: 0,17\r\n\r\nOK"}, want: modem.ErrBusy},
		{name: "Huawei: busy", dialect: "huawei", said: []string{"^ORIG:1,0", "^CEND:1,0,104,17", "NO CARRIER"}, want: modem.ErrBusy},
		{name: "Huawei: unobtainable", dialect: "huawei", said: []string{"^CEND:1,0,104,1"}, want: modem.ErrNoService},
		{name: "Huawei without a cause", dialect: "huawei", said: []string{"^CONF:1", "^CEND:1,0,255"}, rang: true, want: modem.ErrNoCarrier},
		{name: "Quectel's release", dialect: "quectel", said: []string{"^DSCI: 2,0,7,0,5550100,129", "^DSCI: 2,0,6,0,5550100,129", "BUSY"}, answer: map[string]string{"AT+QPCMV=1,0": "OK", "AT+CEER": "+CEER: 5,17\r\n\r\nOK"}, rang: true, want: modem.ErrBusy},
		{name: "an incoming call's release is not ours", dialect: "quectel", said: []string{"^DSCI: 3,1,6,0,+48123456789,145", "^DSCI: 2,0,3,0,5550100,129", "stat 0"}, answer: map[string]string{"AT+QPCMV=1,0": "OK"}},
		{name: "an incoming call's +CLCC is not ours", dialect: "gsm", said: []string{`+CLCC: 1,1,0,0,0,"1",129`, `+CLCC: 2,1,6,0,0,"1",129`, "stat 0"}},
		{name: "a flood of RING", dialect: "gsm", said: []string{"RING\r\n\r\nRING", "+CRING: VOICE", "RING", "stat 0"}},
		{name: "no answer for ever", dialect: "gsm", said: []string{"stat 3"}, rang: true, want: modem.ErrNoAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says(tt.said...)
				f.answer["AT+QPCMV=1,0"] = tt.answer["AT+QPCMV=1,0"]
				m := start(t, f, tt.dialect)
				f.change(func() { f.answer = tt.answer })
				rang := 0
				answer, err := m.Dial(t.Context(), "+15550100", modem.Far{Alerted: func() { rang++ }})
				if !errors.Is(err, tt.want) || (err == nil) != (answer == modem.Supervised) {
					t.Errorf("got %q, %v; want %v", answer, err, tt.want)
				}
				if (rang == 1) != tt.rang || rang > 1 {
					t.Errorf("it rang %d times", rang)
				}
				f.change(func() { f.answer = nil })
				hangUp(t, m)
				f.checkOnHook(t)
				if !slices.Contains(f.received(), "ATD+15550100;") {
					t.Errorf("sent %q", f.received())
				}
			})
		})
	}
}

func TestTheFarEndHangsUpAGSMCall(t *testing.T) {
	tests := []struct {
		name, dialect string
		said          []string
		limit         time.Duration
	}{
		{"SIM7600", "sim7600", []string{"VOICE CALL: END: 000041", "NO CARRIER"}, 100 * time.Millisecond},
		{"NO CARRIER", "gsm", []string{"NO CARRIER"}, 100 * time.Millisecond},
		{"Huawei", "huawei", []string{"^CEND:1,125,104,16"}, 100 * time.Millisecond},
		{"*ECAV", "stericsson", []string{`*ECAV: 1,0,0,,,"5550100",129`}, 100 * time.Millisecond},
		{"SIMCom's +CLCC 6", "simcom", []string{`+CLCC: 1,0,6,0,0,"5550100",129`}, 100 * time.Millisecond},
		{"no longer listed", "gsm", []string{"stat 6"}, 2100 * time.Millisecond},
		{"the module has restarted", "gsm", []string{"RDY"}, 100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0", "^CONN:1,0")
				m := start(t, f, tt.dialect)
				answers(t, m)
				var ended time.Time
				f.tasks.Go(func() {
					says(make([]string, 20)...)(f) // ten seconds of conversation
					ended = time.Now()
					says(tt.said...)(f)
				})
				_, err := m.Play(t.Context(), endless{}, modem.Far{})
				if !errors.Is(err, modem.ErrHungUp) && !errors.Is(err, modem.ErrGone) {
					t.Errorf("got %v", err)
				}
				if d := time.Since(ended) - time.Second; d > tt.limit {
					t.Errorf("noticed after %v", d)
				}
				hangUp(t, m)
				f.checkOnHook(t)
			})
		})
	}
}

func TestTheSoundOfAGSMCallIsPacedByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.onDial = says("stat 0")
		m := start(t, f, "gsm")
		answers(t, m)
		want := tone(3*time.Second + 7*time.Millisecond)
		begin := time.Now()
		f.tasks.Go(func() {
			for range 28 {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				f.mu.Lock()
				ahead := time.Duration(len(f.sound)/2)*time.Second/8000 - time.Since(begin)
				f.mu.Unlock()
				if ahead < 20*time.Millisecond || ahead > 100*time.Millisecond {
					t.Errorf("%v ahead", ahead)
				}
			}
		})
		heard, err := m.Play(t.Context(), bytes.NewReader(want), modem.Far{})
		if err != nil || heard != 3007*time.Millisecond || time.Since(begin) != heard+100*time.Millisecond {
			t.Errorf("heard %v in %v, %v", heard, time.Since(begin), err)
		}
		hangUp(t, m)
		if !bytes.Equal(f.sound, want) {
			t.Errorf("%d bytes arrived, want %d, or they differ", len(f.sound), len(want))
		}
	})
}

// A new start used to queue its own 60 ms behind what the one before had left: after a few
// keys a pause was heard half a second later.
func TestInterruptedMessagesDoNotPileUpInTheAudioPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, line := gsmLine(t, "sim7600")
		if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			_, err := m.Play(ctx, bytes.NewReader(sine(time.Second)), modem.Far{})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		begin := len(line.Heard())
		time.Sleep(time.Second)
		heard := line.Heard()
		if len(heard) == begin {
			t.Fatal("the call has ended")
		}
		for begin < len(heard) && slices.ContainsFunc(heard[begin:], func(s int16) bool { return s != 0 }) {
			begin += 8
			if begin > len(heard)-8000+8000/10 {
				t.Fatal("a message is still heard 100 ms after its end")
			}
		}
		if err := m.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAudioCommandsOfEachFamily(t *testing.T) {
	tests := []struct {
		dialect string
		refuses map[string]string
		want    []string // in this order, among others
		never   string
	}{
		{"sim7600", nil, []string{"ATD5550100;", "AT+CPCMREG=1", "AT+CHUP", "AT+CPCMREG=0"}, "AT+QPCMV=1,0"},
		{"quectel", map[string]string{"AT+QPCMV=1,0": "OK"}, []string{"AT+QPCMV=1,0", "ATD5550100;", "AT+CHUP", "AT+QPCMV=0"}, "AT+CPCMREG=1"},
		{"huawei", nil, []string{"ATD5550100;", "AT^DDSETEX=2", "AT+CHUP"}, "AT+CPCMREG=1"},
		{"gsm", nil, []string{"ATD5550100;", "AT+CPCMREG=1", "AT+CHUP", "AT+CPCMREG=0"}, "AT^DDSETEX=2"},
		{"gsm", map[string]string{"AT+CPCMREG": "ERROR"}, []string{"ATD5550100;", "AT^DDSETEX=2", "AT+CHUP"}, "AT+CRESET"},
		{"gsm", map[string]string{"AT+CPCMREG": "ERROR", "AT^DDSETEX": "ERROR", "AT+QPCMV": "OK"}, []string{"AT+QPCMV=1,0", "ATD5550100;", "AT+CHUP", "AT+QPCMV=0"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.dialect, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				if tt.refuses != nil {
					f.answer = tt.refuses
				}
				m := start(t, f, tt.dialect)
				answers(t, m)
				hangUp(t, m)
				got := f.received()
				if slices.Contains(got, tt.never) {
					t.Errorf("sent %s", tt.never)
				}
				for _, want := range tt.want {
					i := slices.Index(got, want)
					if i < 0 {
						t.Fatalf("sent %q, want %q in this order", f.received(), tt.want)
					}
					got = got[i+1:]
				}
			})
		})
	}
}

// Only a restart of the module cures a SIM7600 that has refused +CPCMREG once.
func TestASIM7600ThatRefusesItsSoundIsRestartedAfterTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.onDial = says("VOICE CALL: BEGIN")
		m := start(t, f, "sim7600")
		f.change(func() { f.once = map[string]string{"AT+CPCMREG=1": "ERROR"} })
		answers(t, m)
		if _, err := m.Play(t.Context(), bytes.NewReader(tone(time.Second)), modem.Far{}); err != nil {
			t.Error(err)
		}
		hangUp(t, m)
		if !slices.Contains(f.received(), "AT+CRESET") {
			t.Errorf("sent %q", f.received())
		}
		if m.Fault() == nil {
			t.Error("no fault while the module restarts")
		}
		changed := m.Changed()
		<-changed
		if err := m.Fault(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAudioPortThatFailsEndsTheMessage(t *testing.T) {
	tests := []struct {
		name string
		fail func(far net.Conn)
	}{
		{"gone", func(far net.Conn) { _ = far.Close() }},
		{"takes nothing", func(net.Conn) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				cfg := f.config("gsm")
				cfg.OpenPCM = func() (io.ReadWriteCloser, error) {
					near, far := net.Pipe()
					t.Cleanup(func() { _ = far.Close() })
					go func() {
						_, _ = io.CopyN(io.Discard, far, 32000) // two seconds
						tt.fail(far)
					}()
					return near, nil
				}
				m := modem.New(cfg)
				t.Cleanup(func() { f.shut(m) })
				if err := m.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
				answers(t, m)
				heard, err := m.Play(t.Context(), endless{}, modem.Far{})
				if !errors.Is(err, modem.ErrSound) || heard > 3100*time.Millisecond {
					t.Errorf("heard %v, %v", heard, err)
				}
				hangUp(t, m)
				f.checkOnHook(t)
			})
		})
	}
}

func TestWhatTheAudioPortDeliversIsRecordedAndHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.onDial = says("stat 0")
		cfg := f.config("gsm")
		var far net.Conn
		cfg.OpenPCM = func() (io.ReadWriteCloser, error) {
			var near net.Conn
			near, far = net.Pipe()
			return near, nil
		}
		m := modem.New(cfg)
		t.Cleanup(func() { _ = far.Close(); f.shut(m) })
		if err := m.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		answers(t, m)
		_, _ = far.Write([]byte("nobody listens yet"))
		want := tone(time.Second)
		f.tasks.Go(func() {
			time.Sleep(100 * time.Millisecond)
			for part := range slices.Chunk(want, 321) { // in the middle of samples
				_, _ = far.Write(part)
				time.Sleep(time.Millisecond)
			}
		})
		got, heard, err := soundFrom(t, m, 2*time.Second)
		if err != errDone || !bytes.Equal(got, want) || heard != len(want)/2 {
			t.Errorf("recorded %d bytes, heard %d samples, %v; want %d bytes", len(got), heard, err, len(want))
		}
		hangUp(t, m)
	})
}

func TestKeysAreReadInEverySpelling(t *testing.T) {
	tests := []struct{ said, want string }{
		{"+RXDTMF: 8", "8"},
		{"\r+RXDTMF: 8\r", "8"},
		{"+RXDTMF: #", "#"},
		{"+DTMF: 1,40", "1"},
		{"+DTMF: *,200", "*"},
		{"+DTMF:5", "5"},
		{"+QTONEDET: 56", "8"},
		{"+QTONEDET: 35,100", "#"},
		{"+QTONEDET: 7", "7"},
		{"DTMF=5", "5"},
		{`+RXDTMF: "A"`, "A"},
		{"+RXDTMF: ", ""},
		{"+RXDTMF: 999", ""},
		{"+QTONEDET: 20", ""},
	}
	for _, tt := range tests {
		t.Run(tt.said, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.onDial = says("stat 0")
				m := start(t, f, "gsm")
				answers(t, m)
				f.tasks.Go(func() { says(tt.said)(f) })
				var keys []byte
				if _, err := m.Play(t.Context(), bytes.NewReader(tone(2*time.Second)), modem.Far{Key: func(k byte) { keys = append(keys, k) }}); err != nil {
					t.Error(err)
				}
				if string(keys) != tt.want {
					t.Errorf("got %q, want %q", keys, tt.want)
				}
				hangUp(t, m)
			})
		})
	}
}

func TestCallsAreListedAsOftenAsTheyNeedBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.onDial = func(f *fake) {
			time.Sleep(10 * time.Second)
			f.stat("0")
		}
		m := start(t, f, "gsm")
		polls := func() (n int) {
			for _, cmd := range f.received() {
				if cmd == "AT+CLCC" {
					n++
				}
			}
			return n
		}
		idle := polls()
		time.Sleep(10 * time.Minute)
		if polls() != idle {
			t.Error("an idle modem is asked for its calls")
		}
		answers(t, m)
		if n := polls() - idle; n < 19 || n > 22 { // one of them before ATD
			t.Errorf("%d times in 10 s of dialling", n)
		}
		dialled := polls()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, _ = m.Play(ctx, endless{}, modem.Far{})
		if n := polls() - dialled; n < 9 || n > 11 {
			t.Errorf("%d times in 20 s of a call", n)
		}
		hangUp(t, m)
		after := polls()
		time.Sleep(time.Minute)
		if polls() != after {
			t.Error("calls are asked for after the call")
		}
	})
}

func TestWhyAGSMModemCannotCall(t *testing.T) {
	tests := []struct {
		name    string
		answer  map[string]string
		dialect string
		noPCM   bool
		want    string
	}{
		{"no SIM", map[string]string{"AT+CPIN?": "+CME ERROR: 10"}, "gsm", false, "no SIM"},
		{"a PIN", map[string]string{"AT+CPIN?": "+CPIN: SIM PIN\r\n\r\nOK"}, "gsm", false, "SIM PIN"},
		{"searching", map[string]string{"AT+CREG?": "+CREG: 1,2\r\n\r\nOK", "AT+CEREG?": "+CEREG: 1,0\r\n\r\nOK"}, "gsm", false, "looking for a network"},
		{"denied", map[string]string{"AT+CREG?": "+CREG: 1,2\r\n\r\nOK", "AT+CEREG?": "+CEREG: 1,3\r\n\r\nOK"}, "gsm", false, "refuses the SIM"},
		{"SMS only", map[string]string{"AT+CREG?": "+CREG: 1,6\r\n\r\nOK", "AT+CEREG?": "ERROR"}, "gsm", false, "+CREG 6"},
		{"LTE only will do", map[string]string{"AT+CREG?": "+CREG: 1,0\r\n\r\nOK"}, "gsm", false, ""},
		{"roaming will do", map[string]string{"AT+CREG?": "+CREG: 2,5,\"00C3\",\"0A1F\"\r\n\r\nOK"}, "gsm", false, ""},
		{"a modem that can't be asked", map[string]string{"AT+CREG?": "ERROR", "AT+CEREG?": "ERROR", "AT+CPIN?": "ERROR"}, "gsm", false, ""},
		{"no audio port", nil, "gsm", true, "no audio port is configured"},
		{"SIM800", map[string]string{"AT+CGMM": "SIMCOM_SIM800L\r\n\r\nOK"}, "auto", false, "no PCM on a serial port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				if tt.answer != nil {
					f.answer = tt.answer
				}
				cfg := f.config(tt.dialect)
				if tt.noPCM {
					cfg.OpenPCM = nil
				}
				m := modem.New(cfg)
				t.Cleanup(func() { f.shut(m) })
				err := m.WaitReady(t.Context())
				if tt.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				kind := modem.ErrNoService
				if tt.noPCM || tt.dialect == "auto" {
					kind = modem.ErrSound
				}
				if !errors.Is(err, kind) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); !errors.Is(err, kind) {
					t.Errorf("Dial: %v", err)
				}
			})
		})
	}
}

func TestANetworkThatComesAndGoesIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGSM()
		f.answer["AT+CREG?"] = "+CREG: 1,2\r\n\r\nOK"
		f.answer["AT+CEREG?"] = "ERROR"
		m := modem.New(f.config("gsm"))
		t.Cleanup(func() { f.shut(m) })
		if m.WaitReady(t.Context()) == nil {
			t.Fatal("no fault")
		}
		changed := m.Changed()
		register := func(stat string) {
			f.change(func() { f.answer["AT+CREG?"] = "+CREG: 1," + stat + "\r\n\r\nOK" })
		}
		register("1")
		begin := time.Now()
		<-changed // without being told: it is looked for
		if m.Fault() != nil || time.Since(begin) > 6*time.Second {
			t.Errorf("fault %v after %v", m.Fault(), time.Since(begin))
		}
		changed = m.Changed()
		register("0")
		begin = time.Now()
		f.line("+CREG: 0")
		<-changed
		if m.Fault() == nil || time.Since(begin) > time.Second {
			t.Errorf("fault %v after %v", m.Fault(), time.Since(begin))
		}
	})
}
