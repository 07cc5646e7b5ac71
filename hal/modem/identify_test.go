package modem_test

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
)

func TestTheModemIsTheOneThatTheLineSays(t *testing.T) {
	tests := []struct {
		name    string
		kind    sim.Personality
		dialect string
		pcm     bool
		want    string // the dialect that is used
		fault   string
	}{
		{"a voice modem behind a SIMCom line", sim.Conexant, "simcom", true, "conexant", `says dialect "simcom", but this is a voice modem`},
		{"a voice modem behind a gsm line", sim.V253, "gsm", true, "voice", "this is a voice modem"},
		{"a GSM modem behind a voice line", sim.SIM7600, "voice", false, "sim7600", "this is a GSM or LTE modem (SIMCOM"},
		{"a GSM modem behind a Conexant line", sim.Quectel, "conexant", false, "quectel", "this is a GSM or LTE modem (Quectel"},
		{"a voice modem behind a line with pcm that takes any", sim.Conexant, "auto", true, "conexant", "the line has pcm"},
		{"a GSM modem behind a line without pcm that takes any", sim.SIM7600, "auto", false, "sim7600", "no audio port"},
		{"a SIM7600 behind a Quectel line: what it says holds", sim.SIM7600, "quectel", true, "sim7600", ""},
		{"a Quectel behind a Huawei line: what it says holds", sim.Quectel, "huawei", true, "quectel", ""},
		{"a SIM7600 behind the general dialect", sim.SIM7600, "gsm", true, "gsm", ""},
		{"a SIM7600 behind its family's dialect", sim.SIM7600, "simcom", true, "simcom", ""},
		{"a USRobotics behind the general dialect", sim.USRobotics, "voice", false, "voice", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := sim.New(sim.Options{})
				line := x.Add("line", tt.kind)
				cfg := modem.Config{Dialect: tt.dialect, Open: line.Port}
				if tt.pcm {
					cfg.OpenPCM = line.PCM
				}
				m := modem.New(cfg)
				t.Cleanup(func() { _ = m.Close(); x.Check(t) })
				err := m.WaitReady(t.Context())
				if _, dialect := m.Ident(); dialect != tt.want {
					t.Errorf("dialect %q, want %q", dialect, tt.want)
				}
				if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("fault %v, want %q", err, tt.fault)
				}
				_, err = m.Dial(t.Context(), "5550100", modem.Far{})
				if (err == nil) != (tt.fault == "") {
					t.Errorf("Dial: %v", err)
				}
				if tt.fault != "" && strings.Contains(line.Log(), "ATD") {
					t.Error("a telephone was rung")
				}
				if err := m.Hangup(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Two modems are unplugged and come back under each other's names.
func TestModemsThatHaveChangedPlacesAreNoticedBeforeACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := sim.New(sim.Options{})
		voice, gsm := x.Add("fxo", sim.Conexant), x.Add("gsm", sim.SIM7600)
		var swapped atomic.Bool
		port := func(was, is *sim.Line) func() (io.ReadWriteCloser, error) {
			return func() (io.ReadWriteCloser, error) {
				if swapped.Load() {
					return is.Port()
				}
				return was.Port()
			}
		}
		m := modem.New(modem.Config{Dialect: "auto", Open: port(gsm, voice), OpenPCM: gsm.PCM})
		n := modem.New(modem.Config{Dialect: "voice", Open: port(voice, gsm)})
		t.Cleanup(func() { _, _, _ = m.Close(), n.Close(), x.Close() })
		for _, m := range []*modem.Modem{m, n} {
			if err := m.WaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		voice.Vanish()
		gsm.Vanish()
		swapped.Store(true)
		_, _ = voice.Return(), gsm.Return()
		time.Sleep(10 * time.Second)
		for _, m := range []*modem.Modem{m, n} {
			if err := m.Fault(); err == nil || !strings.Contains(err.Error(), "check which device the line's port is") {
				t.Errorf("fault %v", err)
			}
		}
	})
}
