package at_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/at"
)

var stopPlaying = []byte{at.DLE, at.CAN, at.DLE, at.ETX}

func TestOnlyCONNECTOpensAStream(t *testing.T) {
	tests := []struct {
		name, reply string
		want        error
	}{
		{"CONNECT", "\r\nCONNECT\r\n", nil},
		{"CONNECT after a stray OK", "\r\nOK\r\n\r\nCONNECT\r\n", nil},
		{"CONNECT in digits", "1\r", nil},
		{"CONNECT with more", "\r\nCONNECT 9600\r\n", new(at.Error)},
		{"ERROR", "\r\nERROR\r\n", new(at.Error)},
		{"NO CARRIER", "\r\nNO CARRIER\r\n", new(at.Error)},
		{"OK", "\r\nOK\r\n", at.ErrTimeout},
		{"VCON", "\r\nVCON\r\n", at.ErrTimeout},
		{"a word that ends so", "\r\nRECONNECT\r\n", at.ErrTimeout},
		{"nothing", "", at.ErrTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *modem) {
				go m.answer(t, "AT+VTX\r", tt.reply)
				s, err := m.chat.Connect(t.Context(), "AT+VTX", nil, stopPlaying)
				if (err == nil) != (tt.want == nil) || (s == nil) != (err != nil) {
					t.Fatalf("got %v, want %v", err, tt.want)
				}
				var refused *at.Error
				if err != nil && !errors.Is(err, tt.want) && !errors.As(err, &refused) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestSoundBeginsRightAfterCONNECT(t *testing.T) {
	tests := []struct {
		name, reply string
		want        string
	}{
		{"CR LF", "\r\nCONNECT\r\nabc", "abc"},
		{"CR CR LF", "\r\nCONNECT\r\r\nabc", "abc"},
		{"CR alone", "\r\nCONNECT\rabc", "abc"},
		{"LF alone", "\nCONNECT\nabc", "abc"},
		{"CR LF, and a sample that looks like LF", "\r\nCONNECT\r\n\nbc", "\nbc"},
		{"CR CR and no LF: the second is a sample", "\r\nCONNECT\r\rbc", "\rbc"},
		{"a literal DLE first", "\r\nCONNECT\r\n\x10\x10bc", "\x10bc"},
		{"two literal DLE in one code", "\r\nCONNECT\r\n\x10\x1abc", "\x10\x10bc"},
		{"codes between", "\r\nCONNECT\r\na\x10ub\x105c", "abc"},
		{"text in the sound", "\r\nCONNECT\r\n\r\nOK\r\n", "\r\nOK\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for split := range len(tt.reply) {
				bubble(t, func(t *testing.T, m *modem) {
					var got []byte
					go func() {
						m.answer(t, "AT+VRX\r", tt.reply[:split])
						m.say(tt.reply[split:])
						m.answer(t, "\x10!", "\x10\x03\r\nOK\r\n")
					}()
					s, err := m.chat.Connect(t.Context(), "AT+VRX", func(p []byte) { got = append(got, p...) }, []byte{at.DLE, '!'})
					if err != nil {
						t.Fatal(err)
					}
					m.chat.Interrupt()
					if err := m.chat.Settle(); err != nil || s.Err() != nil {
						t.Errorf("end: %v, %v", err, s.Err())
					}
					if string(got) != tt.want {
						t.Errorf("split at %d: heard %q, want %q", split, got, tt.want)
					}
				})
			}
		})
	}
}

func TestSendShieldsEveryDLE(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			m.answer(t, "AT+VTX\r", "\r\nCONNECT\r\n")
			m.expect(t, "\x80\x10\x10\x10\x10\x03")
			m.answer(t, "\x10\x03", "\r\nVCON\r\n")
		}()
		s, err := m.chat.Connect(t.Context(), "AT+VTX", nil, stopPlaying)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send([]byte{0x80, 0x10, 0x10, 0x03}); err != nil {
			t.Error(err)
		}
		if err := s.Code(at.ETX); err != nil {
			t.Error(err)
		}
		<-s.Done()
		if s.Err() != nil {
			t.Error(s.Err())
		}
		if err := s.Send([]byte{1}); !errors.Is(err, at.ErrEnded) {
			t.Errorf("sound after the end: %v", err)
		}
	})
}

func TestNoSoundIsSentOnceTheModemHasLeftTheStream(t *testing.T) {
	for _, result := range []string{"NO CARRIER", "OK", "ERROR", "BUSY"} {
		t.Run(result, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *modem) {
				go m.answer(t, "AT+VTX\r", "\r\nCONNECT\r\n\x10u\r\n"+result+"\r\n")
				s, err := m.chat.Connect(t.Context(), "AT+VTX", nil, stopPlaying)
				if err != nil {
					t.Fatal(err)
				}
				<-s.Done()
				if err := s.Send([]byte{0x80}); !errors.Is(err, at.ErrEnded) {
					t.Errorf("got %v", err)
				}
				m.chat.Interrupt() // nothing to interrupt: no byte
				synctest.Wait()
			})
		})
	}
}

// A Zoom 3095 had taken the first DLE for the second half of a shielded one.
func TestAStreamThatDoesNotEndIsToldTwice(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			m.answer(t, "AT+VTX\r", "\r\nCONNECT\r\n")
			m.expect(t, string(stopPlaying))
			m.answer(t, string(stopPlaying), "\r\nOK\r\n")
		}()
		if _, err := m.chat.Connect(t.Context(), "AT+VTX", nil, stopPlaying); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		m.chat.Interrupt()
		if err := m.chat.Settle(); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d != 500*time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}

func TestAStreamThatNeverEndsIsGivenUpAndReadAsTextAgain(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			m.answer(t, "AT+VRX\r", "\r\nCONNECT\r\nsound")
			m.expect(t, "\x10!\x10!\x10\x1b")
			time.Sleep(time.Second)
			m.say("tail\x10\x03\r\nOK\r\n")
			m.answer(t, "ATH\r", "\r\nOK\r\n")
		}()
		if _, err := m.chat.Connect(t.Context(), "AT+VRX", func([]byte) {}, []byte{at.DLE, '!'}); err != nil {
			t.Fatal(err)
		}
		m.chat.Interrupt()
		if err := m.chat.Settle(); !errors.Is(err, at.ErrTimeout) {
			t.Errorf("got %v", err)
		}
		m.chat.Drain(t.Context(), 600*time.Millisecond)
		if _, err := m.chat.Command(t.Context(), "ATH", ""); err != nil {
			t.Error(err)
		}
	})
}

// The modem understands abort codes only after its CONNECT: before, they would spoil the
// next command.
func TestAStreamCancelledBeforeCONNECTIsAbortedAfterIt(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			m.expect(t, "AT+VTX\r")
			cancel()
			time.Sleep(20 * time.Millisecond)
			m.say("\r\nCONNECT\r\n")
			m.answer(t, string(stopPlaying), "\r\nOK\r\n")
		}()
		if _, err := m.chat.Connect(ctx, "AT+VTX", nil, stopPlaying); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if m.chat.Unsure() {
			t.Error("nothing is owed")
		}
	})
}

// A garbled flood of sound, left over from a process that was killed, is read as text until
// the modem says that it has stopped.
func TestSoundReadAsTextDoesNotHideTheResult(t *testing.T) {
	bubble(t, func(t *testing.T, m *modem) {
		go func() {
			m.say("\x80\x81\r\x7f\n" + string(bytes.Repeat([]byte{0x80}, 3000)))
			m.expect(t, "\x10!\r")
			m.say("\x80\x10\x03OK\r\n")
			m.answer(t, "ATH\r", "OK\r\n")
		}()
		synctest.Wait()
		_ = m.chat.WriteRaw([]byte("\x10!\r"))
		m.chat.Drain(t.Context(), 100*time.Millisecond)
		if _, err := m.chat.Command(t.Context(), "ATH", ""); err != nil {
			t.Error(err)
		}
	})
}

func TestAWriterGivesUpWhatAPortDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		out := at.NewWriter(near)
		taken := make(chan error)
		go func() { // takes the first, half of the second
			_, err := io.ReadFull(far, make([]byte, 3))
			taken <- err
		}()
		if _, err := out.Write([]byte("a")); err != nil {
			t.Error(err)
		}
		time.Sleep(700 * time.Millisecond)
		start := time.Now()
		if _, err := out.Write([]byte("bcd")); !errors.Is(err, at.ErrStuck) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("took %v", d)
		}
		if err := <-taken; err != nil {
			t.Error(err)
		}
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the port is not closed: %v", err)
		}
	})
}
