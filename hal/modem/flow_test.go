package modem_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
	"hookswitch/hal/modem/dialect"
	"hookswitch/hal/sim"
)

// A UART without RTS and CTS, in front of a modem with the smallest buffer.
func TestNoSoundIsLostInAModemWithoutFlowControl(t *testing.T) {
	for name, kind := range map[string]sim.Personality{"voice": sim.V253, "conexant": sim.Conexant, "usr": sim.USRobotics, "rockwell": sim.Rockwell} {
		for _, format := range []string{"", "133 linear16", "129 ima-adpcm"} {
			if format == "133 linear16" && name != "voice" && name != "usr" { // which have no such format
				continue
			}
			t.Run(name+" "+format, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					x := sim.New(sim.Options{})
					line := x.Add("fxo", kind)
					line.Fault(sim.Faults{Buffer: 2048})
					cfg := modem.Config{Dialect: name, Open: line.Port, Baud: 115200}
					if v, err := dialect.ParseVoiceFormat(format); err != nil {
						t.Fatal(err)
					} else if format != "" {
						cfg.VoiceFormat = &v
					}
					m := modem.New(cfg)
					t.Cleanup(func() { _ = m.Close(); x.Check(t) })
					if err := m.WaitReady(t.Context()); err != nil {
						t.Fatal(err)
					}
					answers(t, m)
					want := sine(20 * time.Second)
					if heard, err := m.Play(t.Context(), bytes.NewReader(want), modem.Far{}); err != nil || heard != 20*time.Second {
						t.Errorf("heard %v, %v", heard, err)
					}
					if line.Lost() > 0 || line.Underruns() > 0 {
						t.Errorf("%d bytes lost, %d underruns", line.Lost(), line.Underruns())
					}
					hangUp(t, m)
				})
			})
		}
	}
}

// wired is a port whose other side shows CTS.
type wired struct {
	io.ReadWriteCloser
	mu *sync.Mutex
	on *bool
}

func (w wired) SetRTSCTS(on bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	*w.on = on
	return nil
}

// unwired is a port that has no such lines.
type unwired struct{ io.ReadWriteCloser }

func (unwired) SetRTSCTS(bool) error { return errors.New("the other side does not show CTS") }

func TestRTSAndCTSAreUsedWhereThereAreAny(t *testing.T) {
	tests := []struct {
		name   string
		wired  bool
		answer map[string]string
		want   bool // RTS/CTS is on in the end
		asked  bool
		ahead  time.Duration // at least
	}{
		{"there are", true, nil, true, true, 240 * time.Millisecond},
		{"there are, and the modem knows &K3 only", true, map[string]string{"AT+IFC": "ERROR", "AT+FLO": "ERROR"}, true, true, 240 * time.Millisecond},
		{"there are, and the modem knows no command for them", true, map[string]string{"AT+IFC": "ERROR", "AT&K": "ERROR", "AT+FLO": "ERROR"}, false, true, 0},
		{"there are none", false, nil, false, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				if tt.answer != nil {
					f.answer = tt.answer
				}
				cfg := f.config("voice")
				on := false
				cfg.Open = func() (io.ReadWriteCloser, error) {
					port, err := f.open()
					if !tt.wired {
						return unwired{port}, err
					}
					return wired{port, &f.mu, &on}, err
				}
				m := modem.New(cfg)
				t.Cleanup(func() { f.shut(m) })
				if err := m.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
				if on != tt.want || slices.Contains(f.received(), "AT+IFC=2,2") != tt.asked {
					t.Errorf("on %v, want %v; sent %q", on, tt.want, f.received())
				}
				answers(t, m)
				go func() { _, _ = m.Play(t.Context(), bytes.NewReader(tone(2*time.Second)), modem.Far{}) }()
				time.Sleep(time.Second)
				synctest.Wait()
				f.mu.Lock()
				queued := time.Until(f.queued)
				f.mu.Unlock()
				if most := 300 * time.Millisecond; queued < tt.ahead || queued > most || !tt.want && queued > 160*time.Millisecond {
					t.Errorf("%v queued", queued)
				}
				hangUp(t, m)
			})
		})
	}
}

// CTS is shown, but by a wire that is none: nothing is answered with RTS/CTS on.
func TestAModemThatNoLongerAnswersWithRTSAndCTSGoesOnWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		cfg := f.config("voice")
		on := false
		cfg.Open = func() (io.ReadWriteCloser, error) {
			port, err := f.open()
			return wired{port, &f.mu, &on}, err
		}
		f.mutedBy = &on
		m := modem.New(cfg)
		t.Cleanup(func() { f.shut(m) })
		if err := m.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		if on {
			t.Error("RTS/CTS is still on")
		}
		answers(t, m)
		hangUp(t, m)
	})
}

func TestTheLinesVoiceFormatHoldsAgainstWhatTheModemClaims(t *testing.T) {
	const list = "1,\"UNSIGNED PCM\",8,0,8000,0,0\r\n128,\"8-BIT LINEAR\",8,0,8000,0,0\r\n131,\"ULAW\",8,0,8000,0,0\r\n140,\"2-BIT ADPCM\",2,0,8000,0,0\r\n\r\nOK"
	tests := []struct {
		format, selects, coding string
		fault                   string
	}{
		{"", "AT+VSM=131,8000", "G.711 µ-law", ""},
		{"1", "AT+VSM=1,8000", "8-bit unsigned", ""},
		{"ulaw", "AT+VSM=131,8000", "G.711 µ-law", ""},
		{"unsigned8", "AT+VSM=1,8000", "8-bit unsigned", ""},
		{"128 signed8", "AT+VSM=128,8000", "8-bit signed", ""}, // what it claims is not so
		{"131 alaw", "AT+VSM=131,8000", "G.711 A-law", ""},
		{"5", "AT+VSM=5,8000", "G.711 A-law", ""}, // V.253 table 17
		{"133 linear16", "AT+VSM=133,8000", "16-bit linear", ""},
		{"140", "", "", "write that too"},
		{"99", "", "", "write that too"},
		{"alaw", "", "", "lists no such format"},
	}
	for _, tt := range tests {
		t.Run(tt.format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.answer["AT+VSM=?"] = list
				cfg := f.config("voice")
				v, err := dialect.ParseVoiceFormat(tt.format)
				if err != nil {
					t.Fatal(err)
				}
				if tt.format != "" {
					cfg.VoiceFormat = &v
				}
				m := modem.New(cfg)
				t.Cleanup(func() { f.shut(m) })
				err = m.WaitReady(t.Context())
				if tt.fault != "" {
					if err == nil || !strings.Contains(err.Error(), tt.fault) {
						t.Errorf("fault %v, want %q", err, tt.fault)
					}
					return
				}
				if err != nil || !slices.Contains(f.received(), tt.selects) {
					t.Errorf("%v, sent %q, want %s", err, f.received(), tt.selects)
				}
				answers(t, m)
				if _, err := m.Play(t.Context(), bytes.NewReader([]byte{0xff, 0x7f}), modem.Far{}); err != nil { // full scale
					t.Error(err)
				}
				full := map[string][]byte{
					"G.711 µ-law": {0x80}, "G.711 A-law": {0xaa}, "8-bit unsigned": {0xff}, "8-bit signed": {0x7f}, "16-bit linear": {0xff, 0x7f},
				}[tt.coding]
				f.mu.Lock()
				defer f.mu.Unlock()
				if !bytes.Equal(f.sound, full) {
					t.Errorf("played % x, want % x", f.sound, full)
				}
			})
		})
	}
}
