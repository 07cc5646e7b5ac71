package at_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/at"
)

// modem is the far end of a Chat under test.
type modem struct {
	net.Conn
	chat *at.Chat

	mu  sync.Mutex // guards what the Chat has reported
	urc []string
	dle []byte
}

// newModem returns a Chat's far end; both are closed when the bubble ends.
func newModem(t *testing.T) *modem {
	near, far := net.Pipe()
	m := &modem{Conn: far}
	m.chat = at.NewChat(near, at.Config{
		URC:   func(line string) { m.mu.Lock(); defer m.mu.Unlock(); m.urc = append(m.urc, line) },
		Event: func(code byte) { m.mu.Lock(); defer m.mu.Unlock(); m.dle = append(m.dle, code) },
	})
	t.Cleanup(func() { _ = m.chat.Close(); _ = far.Close() })
	return m
}

// expect reads what the host sends and fails the test unless it is want.
func (m *modem) expect(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(m, got)
	if err != nil || string(got) != want {
		t.Errorf("the host sent %q (%v), want %q", got[:n], err, want)
	}
}

func (m *modem) say(s string) { _, _ = io.WriteString(m, s) }

// answer is a modem that answers one command.
func (m *modem) answer(t *testing.T, cmd, reply string) {
	t.Helper()
	m.expect(t, cmd)
	m.say(reply)
}

func (m *modem) reported() []string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.urc)
}

// bubble runs f in a bubble with a modem.
func bubble(t *testing.T, f func(t *testing.T, m *modem)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newModem(t)) })
}

func TestCommandTellsResultsApart(t *testing.T) {
	tests := []struct {
		name, cmd, prefix, reply string
		info                     []string
		refused                  string
		unasked                  []string
	}{
		{name: "OK", cmd: "AT", reply: "\r\nOK\r\n"},
		{name: "OK with no header", cmd: "AT", reply: "OK\r\n"},
		{name: "OK with three CR", cmd: "AT", reply: "\r\r\nOK\r\r\n"},
		{name: "OK with LF alone", cmd: "AT", reply: "\nOK\n"},
		{name: "OK in digits", cmd: "ATE0", reply: "0\r"},
		{name: "ERROR", cmd: "AT+FOO", reply: "\r\nERROR\r\n", refused: "ERROR"},
		{name: "ERROR in digits", cmd: "AT+FOO", reply: "4\r", refused: "ERROR"},
		{name: "SIMCom's refusal", cmd: "AT+FOO", reply: "\r\nCOMMAND NOT SUPPORT\r\n", refused: "COMMAND NOT SUPPORT"},
		{name: "a modem error", cmd: "AT+FOO", reply: "\r\nMODEM ERROR: 5\r\n", refused: "MODEM ERROR: 5"},
		{name: "a CME error", cmd: "AT+CPIN?", prefix: "+CPIN:", reply: "\r\n+CME ERROR: 10\r\n", refused: "+CME ERROR: 10"},
		{name: "a CME error in words", cmd: "AT+CPIN?", reply: "\r\n+CME ERROR: SIM not inserted\r\n", refused: "+CME ERROR: SIM not inserted"},
		{name: "a CME error with a blank", cmd: "AT+FOO", reply: "\r\n+CME ERROR: \r\n", refused: "+CME ERROR:"},
		{name: "a CME error with nothing is not final", cmd: "AT+FOO", reply: "\r\n+CME ERROR:\r\n\r\nOK\r\n", unasked: []string{"+CME ERROR:"}},
		{name: "OK inside a word", cmd: "ATI", reply: "\r\nBOOK 2\r\n\r\nOKAY\r\n\r\nOK\r\n", info: []string{"BOOK 2", "OKAY"}},
		{name: "RING inside a word", cmd: "ATI", reply: "\r\nSTRING\r\n\r\nOK\r\n", info: []string{"STRING"}},
		{name: "RING in the middle", cmd: "AT+CSQ", prefix: "+CSQ:", reply: "\r\nRING\r\n\r\n+CSQ: 9,99\r\n\r\nRING\r\n\r\nOK\r\n", info: []string{"+CSQ: 9,99"}, unasked: []string{"RING", "RING"}},
		{name: "a caller in the middle", cmd: "AT+CLCC", prefix: "+CLCC:", reply: "\r\nRING\r\n\r\n+CLIP: \"1\",129\r\n\r\n+CLCC: 1,1,4,0,0\r\n\r\nOK\r\n", info: []string{"+CLCC: 1,1,4,0,0"}, unasked: []string{"RING", `+CLIP: "1",129`}},
		{name: "NO CARRIER ends a call, not a command", cmd: "AT+CLCC", prefix: "+CLCC:", reply: "\r\nNO CARRIER\r\n\r\nOK\r\n", unasked: []string{"NO CARRIER"}},
		{name: "BUSY ends a call, not a command", cmd: "AT+CSQ", reply: "\r\nBUSY\r\n\r\nOK\r\n", unasked: []string{"BUSY"}},
		{name: "a late CONNECT answers no other command", cmd: "ATH", reply: "\r\nCONNECT\r\n\r\nOK\r\n", unasked: []string{"CONNECT"}},
		{name: "an overcurrent", cmd: "AT", reply: "X\r\nOK\r\n", unasked: []string{"X"}},
		{name: "echo", cmd: "AT+CSQ", prefix: "+CSQ:", reply: "AT+CSQ\r\r\n+CSQ: 9,99\r\n\r\nOK\r\n", info: []string{"+CSQ: 9,99"}},
		{name: "echo in capitals", cmd: "ati", reply: "ATI\r\r\n56000\r\n\r\nOK\r\n", info: []string{"56000"}},
		{name: "a digit as information", cmd: "AT", reply: "\r\nOK\r\n"},
		{name: "the prompt for a text", cmd: "AT+CMGS=1", reply: "\r\n> \r\nOK\r\n", unasked: []string{">"}},
		{name: "NUL and XON are no text", cmd: "AT", reply: "\r\n\x00\x11O\x13K\r\n"},
		{name: "a DLE code in the middle of a line", cmd: "AT", reply: "\r\nO\x10bK\r\n"},
		{name: "a long line is dropped", cmd: "ATI", reply: strings.Repeat("x", 5000) + "\r\nshort\r\nOK\r\n", info: []string{"short"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *modem) {
				go m.answer(t, tt.cmd+"\r", tt.reply)
				info, err := m.chat.Command(t.Context(), tt.cmd, tt.prefix)
				if !slices.Equal(info, tt.info) {
					t.Errorf("info %q, want %q", info, tt.info)
				}
				var refused *at.Error
				if errors.As(err, &refused) != (tt.refused != "") || refused != nil && refused.Result != tt.refused {
					t.Errorf("error %v, want a refusal with %q", err, tt.refused)
				}
				if got := m.reported(); !slices.Equal(got, tt.unasked) {
					t.Errorf("unasked %q, want %q", got, tt.unasked)
				}
			})
		})
	}
}

func TestADigitIsInformationOnceTheModemHasSpokenInWords(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go m.answer(t, "AT\r", "\r\nOK\r\n")
		if _, err := m.chat.Command(t.Context(), "AT", ""); err != nil {
			t.Fatal(err)
		}
		go m.answer(t, "AT+FCLASS?\r", "\r\n0\r\nOK\r\n")
		info, err := m.chat.Command(t.Context(), "AT+FCLASS?", "")
		if err != nil || !slices.Equal(info, []string{"0"}) {
			t.Errorf("got %q, %v", info, err)
		}
		go m.answer(t, "ATZ\r", "0\r") // the stored profile has V0
		if _, err := m.chat.Command(t.Context(), "ATZ", ""); err != nil {
			t.Error(err)
		}
	})
}

func TestDialReturnsEveryAnswer(t *testing.T) {
	for _, result := range []string{
		"OK", "VCON", "#VCON", "VOICE", "BUSY", "NO CARRIER", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE", "NO LINE",
		"LINE IN USE", "LINE-IN-USE", "POLARITY REVERSAL", "NO POLARITY REVERSAL", "CONNECT 33600", "ERROR", "+CME ERROR: 30", "DELAYED", "BLACKLISTED",
	} {
		t.Run(result, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *modem) {
				go m.answer(t, "ATDT1\r", "\r\nRINGING\r\n\r\nRING\r\n\r\n+COLP: \"1\",129\r\n\r\n"+result+"\r\n")
				got, err := m.chat.Dial(t.Context(), "ATDT1")
				if got != result || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
				if want := []string{"RINGING", "RING", `+COLP: "1",129`}; !slices.Equal(m.reported(), want) {
					t.Errorf("unasked %q, want %q", m.urc, want)
				}
			})
		})
	}
}

func TestACancelledDialIsAbortedByOneCR(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		why := errors.New("disconnected")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			m.expect(t, "ATDT5550100\r")
			time.Sleep(3 * time.Second)
			cancel(why)
			m.expect(t, "\r")
			time.Sleep(40 * time.Millisecond)
			m.say("\r\nNO CARRIER\r\n")
		}()
		start := time.Now()
		if _, err := m.chat.Dial(ctx, "ATDT5550100"); !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
		if d := time.Since(start); d != 3040*time.Millisecond {
			t.Errorf("took %v", d)
		}
		if m.chat.Unsure() {
			t.Error("the modem has answered: nothing is owed")
		}
	})
}

// A modem need not hear an abort in the first 125 ms after the command (V.250 5.6.1).
func TestAnEarlyAbortIsRepeated(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		ctx, cancel := context.WithCancel(t.Context())
		heard := make(chan time.Duration, 2)
		go func() {
			m.expect(t, "ATDT1\r")
			start := time.Now()
			cancel()
			for range 2 {
				m.expect(t, "\r")
				heard <- time.Since(start)
			}
			m.say("\r\nNO CARRIER\r\n")
		}()
		_, err := m.chat.Dial(ctx, "ATDT1")
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if first, second := <-heard, <-heard; first != 0 || second < 125*time.Millisecond {
			t.Errorf("aborts after %v and %v", first, second)
		}
	})
}

func TestAModemThatDoesNotAnswer(t *testing.T) {
	tests := []struct {
		name  string
		cmd   string
		limit time.Duration
	}{
		{"AT", "AT", time.Second},
		{"a command", "AT+CREG?", 3 * time.Second},
		{"voice", "AT+VLS=1", 5 * time.Second},
		{"a dial: the abort has its second too", "ATD1;", 91 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *modem) {
				go func() { _, _ = io.Copy(io.Discard, m) }()
				start := time.Now()
				_, err := m.chat.Command(t.Context(), tt.cmd, "")
				if !errors.Is(err, at.ErrTimeout) {
					t.Errorf("got %v", err)
				}
				if d := time.Since(start); d != tt.limit {
					t.Errorf("took %v, want %v", d, tt.limit)
				}
				if !m.chat.Unsure() {
					t.Error("its answer may still come")
				}
			})
		})
	}
}

func TestADeadlineIsATimeoutToo(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go m.expect(t, "AT+CHUP\r")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := m.chat.Command(ctx, "AT+CHUP", "")
		if !errors.Is(err, at.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// A modem has lost its OK to ATD…;, and the call is up.
func TestADialThatIsForgottenIsNotAborted(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		time.AfterFunc(time.Second, m.chat.Forget)
		begin := time.Now()
		go m.expect(t, "ATD5550100;\r")
		if _, err := m.chat.Dial(t.Context(), "ATD5550100;"); !errors.Is(err, at.ErrTimeout) || time.Since(begin) != time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if !m.chat.Unsure() {
			t.Error("the OK that may still come would be taken for that to the next command")
		}
		m.chat.Forget()                                                   // nothing runs
		go m.answer(t, "AT+CLCC\r", "\r\n+CLCC: 1,0,0,0,0\r\n\r\nOK\r\n") // no byte came before it
		info, err := m.chat.Command(t.Context(), "AT+CLCC", "+CLCC:")
		if err != nil || !slices.Equal(info, []string{"+CLCC: 1,0,0,0,0"}) {
			t.Errorf("got %q, %v", info, err)
		}
	})
}

func TestWhatCameBeforeALostResultIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go m.answer(t, "AT+CLCC\r", "\r\n+CLCC: 1,0,0,0,0\r\n")
		info, err := m.chat.Command(t.Context(), "AT+CLCC", "+CLCC:")
		if !errors.Is(err, at.ErrTimeout) || !slices.Equal(info, []string{"+CLCC: 1,0,0,0,0"}) {
			t.Errorf("got %q, %v", info, err)
		}
	})
}

// What nobody knows may be a result of the dial, garbled.
func TestAnUnknownLineDuringADialIsPassedOn(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go m.answer(t, "ATDT5550100\r", "\r\nBUS\r\n\r\nNO CARRIER\r\n")
		if result, err := m.chat.Dial(t.Context(), "ATDT5550100"); err != nil || result != "NO CARRIER" {
			t.Errorf("got %q, %v", result, err)
		}
		if got := m.reported(); !slices.Equal(got, []string{"BUS"}) {
			t.Errorf("reported %q", got)
		}
	})
}

func TestALateAnswerIsNotTheNextCommands(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			m.expect(t, "AT+CREG?\r")
			time.Sleep(3100 * time.Millisecond)
			m.say("\r\nERROR\r\n")
			m.answer(t, "AT\r", "\r\nOK\r\n")
		}()
		if _, err := m.chat.Command(t.Context(), "AT+CREG?", "+CREG:"); !errors.Is(err, at.ErrTimeout) {
			t.Error(err)
		}
		m.chat.Drain(t.Context(), 200*time.Millisecond)
		if m.chat.Unsure() {
			t.Error("still unsure after a drain")
		}
		if _, err := m.chat.Command(t.Context(), "AT", ""); err != nil {
			t.Error(err)
		}
	})
}

func TestAModemThatAnswersTwiceIsFoundOut(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go m.answer(t, "AT\r", "\r\nOK\r\n\r\nOK\r\n")
		if _, err := m.chat.Command(t.Context(), "AT", ""); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !m.chat.Unsure() {
			t.Error("not noticed")
		}
	})
}

func TestCommandsTakeTurns(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			buf := make([]byte, 16)
			for {
				n, err := m.Read(buf)
				if err != nil {
					return
				}
				if string(buf[:n]) != "AT+X\r" {
					t.Errorf("the host sent %q", buf[:n])
				}
				time.Sleep(10 * time.Millisecond)
				m.say("\r\nOK\r\n")
			}
		}()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := m.chat.Command(t.Context(), "AT+X", ""); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestAQueuedCommandIsNotSentAfterItsEnd(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			m.expect(t, "ATA\r")
			time.Sleep(time.Second)
			cancel()
			time.Sleep(time.Second)
			m.say("\r\nNO CARRIER\r\n")
		}()
		done := make(chan error)
		go func() { _, err := m.chat.Dial(t.Context(), "ATA"); done <- err }()
		synctest.Wait()
		if _, err := m.chat.Command(ctx, "AT+LATE", ""); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestInterruptGetsThroughARunningDial(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			m.expect(t, "ATDT1\r")
			time.Sleep(time.Second)
			m.chat.Interrupt()
			m.chat.Interrupt() // the second does nothing
		}()
		go func() {
			time.Sleep(1500 * time.Millisecond)
			m.answer(t, "\r", "\r\nNO CARRIER\r\n")
		}()
		result, err := m.chat.Dial(t.Context(), "ATDT1")
		if result != "NO CARRIER" || err != nil {
			t.Errorf("got %q, %v", result, err)
		}
		if err := m.chat.Settle(); err != nil {
			t.Error(err)
		}
	})
}

func TestAPortThatGoesEndsEverything(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			m.expect(t, "ATDT1\r")
			_ = m.Conn.Close()
		}()
		_, err := m.chat.Dial(t.Context(), "ATDT1")
		if !errors.Is(err, at.ErrGone) || !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
		<-m.chat.Gone()
		if _, err := m.chat.Command(t.Context(), "AT", ""); !errors.Is(err, at.ErrGone) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAPortThatTakesNothingIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) { // nobody reads at the other end
		start := time.Now()
		_, err := m.chat.Command(t.Context(), "AT", "")
		if !errors.Is(err, at.ErrGone) || !errors.Is(err, at.ErrStuck) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestUnaskedLinesKeepTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		var want []string
		go func() { _, _ = io.Copy(io.Discard, m) }()
		for i := range 200 {
			line := "+CIEV: " + strings.Repeat("7", i%9+1)
			want = append(want, line)
			m.say("\r\n" + line + "\r\n")
		}
		if got := m.reported(); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

func TestTraceSeesTheDialogueAndNoSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		var mu sync.Mutex
		var sent, received bytes.Buffer
		chat := at.NewChat(near, at.Config{Trace: func(out bool, data []byte) {
			mu.Lock()
			defer mu.Unlock()
			if out {
				sent.Write(data)
			} else {
				received.Write(data)
			}
		}})
		m := &modem{Conn: far, chat: chat}
		go func() {
			m.answer(t, "AT+VTR\r", "\r\nCONNECT\r\nsound\x10\x10\x10u more")
			m.expect(t, "abc")
			m.answer(t, "\x10\x03", "\x10\x03\r\nOK\r\n")
		}()
		s, err := chat.Connect(t.Context(), "AT+VTR", func([]byte) {}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Send([]byte("abc"))
		_ = s.Code(at.ETX)
		<-s.Done()
		_ = chat.Close()
		_ = far.Close()
		if got, want := sent.String(), "AT+VTR\r\x10\x03"; got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
		if got, want := received.String(), "\r\nCONNECT\r\n\x10u\x10\x03\r\nOK\r\n"; got != want {
			t.Errorf("received %q, want %q", got, want)
		}
	})
}

func BenchmarkCommand(b *testing.B) {
	near, far := net.Pipe()
	chat := at.NewChat(near, at.Config{})
	defer func() { _ = chat.Close(); _ = far.Close() }()
	go func() {
		buf := make([]byte, 64)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
			_, _ = io.WriteString(far, "\r\nOK\r\n")
		}
	}()
	for b.Loop() {
		if _, err := chat.Command(b.Context(), "AT", ""); err != nil {
			b.Fatal(err)
		}
	}
}
