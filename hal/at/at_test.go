package at_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/at"
)

// modem answers each command with what the table says; "" answers nothing.
func modem(t *testing.T, answers map[string]string) (*at.Chat, net.Conn) {
	t.Helper()
	host, device := net.Pipe()
	chat := at.NewChat(host, at.Config{Shield: true})
	go func() {
		var cmd []byte
		b := make([]byte, 1)
		for {
			if _, err := device.Read(b); err != nil {
				return
			}
			if cmd = append(cmd, b[0]); b[0] == '\r' {
				if _, err := io.WriteString(device, answers[string(cmd[:len(cmd)-1])]); err != nil {
					return
				}
				cmd = nil
			}
		}
	}()
	t.Cleanup(func() { _ = device.Close(); _ = chat.Close() })
	return chat, device
}

func TestCommand(t *testing.T) {
	tests := []struct {
		name, answer string
		cmd          at.Cmd
		info         string
		result       string // "" is OK
	}{
		{"takes OK with every header", "\r\r\nOK\r\r\n", at.Cmd{Text: "AT"}, "[]", ""},
		{"takes OK with no header", "OK\r\n", at.Cmd{Text: "AT"}, "[]", ""},
		{"takes a digit for a result while ATV0 may hold", "0\r", at.Cmd{Text: "AT"}, "[]", ""},
		{"takes a digit for information where it asked for some", "8\r\nOK\r\n", at.Cmd{Text: "AT", Prefix: at.Any}, "[8]", ""},
		{"drops its echo", "AT\r\r\nOK\r\n", at.Cmd{Text: "AT", Prefix: at.Any}, "[]", ""},
		{"drops an echo in other case", "at\r\r\nOK\r\n", at.Cmd{Text: "AT", Prefix: at.Any}, "[]", ""},
		{"keeps URCs out of its information", "\r\nRING\r\n\r\n+CLCC: 1\r\n\r\n+CLIP: x\r\n\r\nOK\r\n", at.Cmd{Text: "AT", Prefix: "+CLCC:"}, "[+CLCC: 1]", ""},
		{"does not take BOOK for OK", "\r\nBOOK\r\n\r\nERROR\r\n", at.Cmd{Text: "AT"}, "[]", "ERROR"},
		{"tells +CME ERROR", "\r\n+CME ERROR: 30\r\n", at.Cmd{Text: "AT"}, "[]", "+CME ERROR: 30"},
		{"takes +CME ERROR with only a blank behind it", "\r\n+CME ERROR: \r\n", at.Cmd{Text: "AT"}, "[]", "+CME ERROR: "},
		{"does not take +CME ERROR with nothing behind it", "\r\n+CME ERROR:\r\n\r\nOK\r\n", at.Cmd{Text: "AT"}, "[]", ""},
		{"takes COMMAND NOT SUPPORT for a refusal", "\r\nCOMMAND NOT SUPPORT\r\n", at.Cmd{Text: "AT"}, "[]", "COMMAND NOT SUPPORT"},
		{"does not end at NO CARRIER when it does not dial", "\r\nNO CARRIER\r\n\r\nOK\r\n", at.Cmd{Text: "AT"}, "[]", ""},
		{"ends at NO CARRIER when it dials", "\r\nNO CARRIER\r\n", at.Cmd{Text: "AT", Dial: true}, "[]", "NO CARRIER"},
		{"takes VCON for an answer when it dials", "\r\nVCON\r\n", at.Cmd{Text: "AT", Dial: true}, "[]", ""},
		{"takes CONNECT with a text for the start of a stream", "\r\nCONNECT 8000\r\n", at.Cmd{Text: "AT", Stream: true}, "[]", ""},
		{"does not take OK for the start of a stream", "\r\nOK\r\n", at.Cmd{Text: "AT", Stream: true}, "[]", "OK"},
		{"survives a line that never ends", strings.Repeat("x", 100_000) + "\r\nOK\r\n", at.Cmd{Text: "AT"}, "[]", ""},
		{"survives a break", "\x00\x00\r\nO\x00K\r\n", at.Cmd{Text: "AT"}, "[]", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chat, _ := modem(t, map[string]string{"AT": tt.answer})
				info, err := chat.Command(t.Context(), time.Second, tt.cmd)
				var result *at.ResultError
				if tt.result == "" && err != nil || tt.result != "" && (!errors.As(err, &result) || result.Result != tt.result) {
					t.Errorf("got %v, want %q", err, tt.result)
				}
				if got := fmt.Sprint(info); got != tt.info {
					t.Errorf("information %s, want %s", got, tt.info)
				}
			})
		})
	}
}

func TestAMuteModemIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat, device := modem(t, nil)
		start := time.Now()
		if _, err := chat.Command(t.Context(), 3*time.Second, at.Cmd{Text: "AT"}); !errors.Is(err, at.ErrTimeout) {
			t.Errorf("got %v, want ErrTimeout", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("given up after %v", d)
		}
		// Its answer comes late, and must not be taken for the next command's.
		go func() { _, _ = io.WriteString(device, "\r\nERROR\r\n") }()
		if _, err := chat.Command(t.Context(), time.Second, at.Cmd{Text: "AT"}); !errors.Is(err, at.ErrTimeout) {
			t.Errorf("the next command: got %v, want ErrTimeout", err)
		}
	})
}

func TestACancelledDialIsAbortedWithOneByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, device := net.Pipe()
		chat := at.NewChat(host, at.Config{})
		sent := make(chan string, 1)
		go func() {
			buf := make([]byte, 100)
			n, _ := device.Read(buf)
			n2, _ := device.Read(buf[n:])
			sent <- string(buf[:n+n2])
			_, _ = io.WriteString(device, "\r\nNO CARRIER\r\n")
		}()
		why := errors.New("disconnect")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(why) })
		start := time.Now()
		if _, err := chat.Command(ctx, 60*time.Second, at.Cmd{Text: "ATDT5550100", Dial: true}); !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("the abort took %v", d-5*time.Second)
		}
		if got := <-sent; got != "ATDT5550100\r\r" {
			t.Errorf("sent %q", got)
		}
		_ = device.Close()
		_ = chat.Close()
	})
}

func TestAPortThatIsGoneEndsTheCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat, device := modem(t, nil)
		time.AfterFunc(time.Second, func() { _ = device.Close() })
		if _, err := chat.Command(t.Context(), time.Minute, at.Cmd{Text: "AT"}); !errors.Is(err, at.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		<-chat.Gone()
		if _, err := chat.Command(t.Context(), time.Minute, at.Cmd{Text: "AT"}); !errors.Is(err, at.ErrClosed) {
			t.Errorf("afterwards: got %v, want ErrClosed", err)
		}
	})
}

// shield doubles each DLE, as V.253 has it.
func shield(data []byte) []byte {
	return bytes.ReplaceAll(data, []byte{at.DLE}, []byte{at.DLE, at.DLE})
}

// received is the voice data that a Chat makes of a stream in pieces of n bytes.
func received(t testing.TB, stream []byte, n int) []byte {
	host, device := net.Pipe()
	chat := at.NewChat(host, at.Config{Shield: true, Event: func(byte) {}})
	var got []byte
	go func() {
		buf := make([]byte, 16)
		_, _ = device.Read(buf)
		all := append([]byte("\r\nCONNECT\r\n"), stream...)
		for len(all) > 0 {
			k := min(n, len(all))
			if _, err := device.Write(all[:k]); err != nil {
				return
			}
			all = all[k:]
		}
		_ = device.Close()
	}()
	cmd := at.Cmd{Text: "AT+VRX", Stream: true, Sink: func(b []byte) { got = append(got, b...) }}
	if _, err := chat.Command(context.Background(), time.Minute, cmd); err != nil {
		t.Fatal(err)
	}
	<-chat.Gone()
	_ = chat.Close()
	return got
}

func TestShieldedDataIsTheSameHoweverItIsSplit(t *testing.T) {
	for run := 1; run < 8; run++ {
		data := append(append([]byte("\n\r"), bytes.Repeat([]byte{at.DLE}, run)...), "OK\r\n\x00\x03"...)
		stream := append(shield(data), at.DLE, at.ETX)
		stream = append([]byte{'x', at.DLE, '5'}, stream...) // an event in between
		for n := 1; n <= len(stream); n++ {
			if got := received(t, stream, n); !bytes.Equal(got, append([]byte{'x'}, data...)) {
				t.Fatalf("%d DLEs in pieces of %d: got %x, want %x", run, n, got, data)
			}
		}
	}
	if got := received(t, []byte{1, at.DLE, at.SUB, 2, at.DLE, at.ETX}, 1); !bytes.Equal(got, []byte{1, at.DLE, at.DLE, 2}) {
		t.Errorf("SUB: got %x", got)
	}
}

func FuzzShieldedData(f *testing.F) {
	f.Add([]byte{0x10, 0x10, 3, 0x10}, 1)
	f.Add([]byte("\r\nNO CARRIER\r\n"), 3)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 1 || len(data) > 1<<10 {
			return
		}
		if len(data) > 0 && data[0] == '\n' { // taken for the LF of CONNECT, once
			return
		}
		if got := received(t, append(shield(data), at.DLE, at.ETX), n); !bytes.Equal(got, data) {
			t.Errorf("got %x, want %x", got, data)
		}
	})
}

func FuzzWhatAModemSays(f *testing.F) {
	f.Add([]byte("\r\nOK\r\n\r\n+CMTI: \"ME\",1\r\n"))
	f.Add([]byte("\x10\x10\x03\r\nBUSY\r\n\x10u"))
	f.Fuzz(func(t *testing.T, said []byte) {
		host, device := net.Pipe()
		lines := 0
		chat := at.NewChat(host, at.Config{Shield: true, URC: func(line string) {
			lines++
			if line == "" || len(line) > 1024 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("line %q", line)
			}
		}})
		go func() {
			_, _ = io.CopyN(io.Discard, device, 3)
			_, _ = device.Write(said)
			_ = device.Close()
		}()
		_, _ = chat.Command(context.Background(), time.Minute, at.Cmd{Text: "AT", Prefix: "+X:"})
		<-chat.Gone()
		_ = chat.Close()
		if lines > len(said) {
			t.Errorf("%d lines from %d bytes", lines, len(said))
		}
	})
}

func ExampleChat() {
	host, device := net.Pipe() // a serial port, and a modem at its other end
	go func() {
		buf := make([]byte, 100)
		_, _ = device.Read(buf)
		_, _ = io.WriteString(device, "\r\n+CSQ: 21,99\r\n\r\nOK\r\n")
	}()
	chat := at.NewChat(host, at.Config{URC: func(line string) { fmt.Println("unsolicited", line) }})
	defer chat.Close()
	info, err := chat.Command(context.Background(), time.Second, at.Cmd{Text: "AT+CSQ", Prefix: "+CSQ:"})
	fmt.Println(info, err)
	// Output: [+CSQ: 21,99] <nil>
}
