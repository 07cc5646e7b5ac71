package modem_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
)

// sine is a second of 1000 Hz as Play takes it.
func sine(d time.Duration) []byte {
	var b []byte
	for i := range int(d * 8000 / time.Second) {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*1000*float64(i)/8000))))
	}
	return b
}

// voiceLine is a modem on a simulated analogue line whose relay is closed.
func voiceLine(t *testing.T, dialect string) (*modem.Modem, *sim.Line) {
	t.Helper()
	x := sim.New(sim.Options{})
	line := x.Voice("fxo1")
	m := modem.New(modem.Config{Name: "fxo1", Dialect: dialect, Open: line.Port})
	t.Cleanup(func() { _ = m.Close(); _ = x.Close() })
	if err := m.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, line
}

func gsmLine(t *testing.T, dialect string) (*modem.Modem, *sim.Line) {
	t.Helper()
	x := sim.New(sim.Options{})
	line := x.GSM("gsm1")
	m := modem.New(modem.Config{Name: "gsm1", Dialect: dialect, Open: line.Port, OpenPCM: line.PCM})
	t.Cleanup(func() { _ = m.Close(); _ = x.Close() })
	if err := m.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, line
}

func TestACallOnEachKindOfModem(t *testing.T) {
	kinds := map[string]func(*testing.T, string) (*modem.Modem, *sim.Line){
		"voice": voiceLine, "auto": voiceLine, "sim7600": gsmLine, "gsm": gsmLine,
	}
	for dialect, open := range kinds {
		t.Run(dialect, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, line := open(t, dialect)
				alerted := false
				answer, err := m.Dial(t.Context(), "5550100", modem.Far{Alerted: func() { alerted = true }})
				if err != nil {
					t.Fatal(err)
				}
				if !alerted || answer == modem.Assumed {
					t.Errorf("alerted %v, answer %s", alerted, answer)
				}
				if !line.OffHook() {
					t.Error("the exchange sees the line on-hook in a call")
				}
				want := sine(2 * time.Second)
				heard, err := m.Play(t.Context(), bytes.NewReader(want), modem.Far{})
				if err != nil || heard != 2*time.Second {
					t.Errorf("Play: heard %v, %v", heard, err)
				}
				if err := m.Hangup(t.Context()); err != nil {
					t.Error(err)
				}
				if line.OffHook() {
					t.Error("off-hook after Hangup")
				}
				if c := contains(line.Heard(), want); c < 0.98 {
					t.Errorf("what the far end heard correlates %.3f with the message", c)
				}
			})
		})
	}
}

// contains is the best correlation of want anywhere in heard.
func contains(heard []int16, want []byte) float64 {
	n := len(want) / 2
	best := 0.0
	for at := 0; at+n <= len(heard); at++ {
		if heard[at] == 0 && heard[min(at+1, len(heard)-1)] == 0 {
			continue
		}
		var ab, aa, bb float64
		for i := 0; i < n; i++ {
			a, b := float64(heard[at+i]), float64(int16(binary.LittleEndian.Uint16(want[2*i:])))
			ab, aa, bb = ab+a*b, aa+a*a, bb+b*b
		}
		best = max(best, ab/math.Sqrt(aa*bb+1))
		if best > 0.99 {
			break
		}
	}
	return best
}

func TestDialTellsHowItEnded(t *testing.T) {
	tests := []struct {
		name, number string
		want         error
	}{
		{"a busy far end", "5550101", modem.ErrBusy},
		{"a far end that never answers", "5550102", modem.ErrNoAnswer},
	}
	for _, tt := range tests {
		for kind, open := range map[string]func(*testing.T, string) (*modem.Modem, *sim.Line){"voice": voiceLine, "gsm": gsmLine} {
			t.Run(tt.name+" on "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, line := open(t, kind)
					if _, err := m.Dial(t.Context(), tt.number, modem.Far{}); !errors.Is(err, tt.want) {
						t.Errorf("got %v, want %v", err, tt.want)
					}
					if err := m.Hangup(t.Context()); err != nil {
						t.Error(err)
					}
					if line.OffHook() {
						t.Error("off-hook after Hangup")
					}
				})
			})
		}
	}
}

func TestHangupPreempts(t *testing.T) {
	for kind, open := range map[string]func(*testing.T, string) (*modem.Modem, *sim.Line){"voice": voiceLine, "gsm": gsmLine} {
		for _, after := range []time.Duration{50 * time.Millisecond, 700 * time.Millisecond, 3 * time.Second, 9500 * time.Millisecond, 12 * time.Second} {
			t.Run(kind+" after "+after.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, line := open(t, kind)
					ctx, cancel := context.WithCancelCause(t.Context())
					done := make(chan error)
					go func() {
						_, err := m.Dial(ctx, "5550100", modem.Far{})
						if err == nil {
							_, err = m.Play(ctx, silence{}, modem.Far{})
						}
						done <- err
					}()
					time.Sleep(after)
					why := errors.New("disconnect")
					cancel(why)
					start := time.Now()
					if err := m.Hangup(t.Context()); err != nil {
						t.Error(err)
					}
					if d := time.Since(start); d > 1500*time.Millisecond {
						t.Errorf("hang-up took %v of line time", d)
					}
					if line.OffHook() {
						t.Error("off-hook after Hangup")
					}
					if err := <-done; !errors.Is(err, why) {
						t.Errorf("the call ended with %v", err)
					}
					if err := m.Fault(); err != nil {
						t.Errorf("fault: %v", err)
					}
				})
			})
		}
	}
}

// silence never ends.
type silence struct{}

func (silence) Read(p []byte) (int, error) { clear(p); return len(p), nil }

var _ io.Reader = silence{}
