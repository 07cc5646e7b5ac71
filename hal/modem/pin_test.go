package modem_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

// simCard is a SIM with a PIN in a fake: what it says depends on what it was given.
type simCard struct {
	pin, iccid string
	left       int
	tells      string // how it tells of the tries that are left; "" is not at all
	lost       bool   // the answer to a PIN is lost
	given      []string
}

// insert makes f answer for the card, which asks for its PIN.
func (c *simCard) insert(f *fake) {
	f.change(func() {
		f.onPIN = func(pin string) string {
			c.given = append(c.given, pin)
			switch {
			case pin != c.pin:
				c.left--
				c.show(f, "SIM PIN")
			default:
				c.left = 3
				c.show(f, "READY")
			}
			switch {
			case c.lost:
				return "-"
			case pin != c.pin:
				return "+CME ERROR: 16"
			}
			return "OK"
		}
		c.show(f, "SIM PIN")
	})
}

func (c *simCard) show(f *fake, state string) {
	if c.left <= 0 {
		state = "SIM PUK"
	}
	f.answer["AT+CPIN?"] = "+CPIN: " + state + "\r\n\r\nOK"
	for _, q := range []string{"AT+CPINR", "AT+SPIC", "AT+QPINC?", "AT^CPIN?", "AT+CCID"} {
		f.answer[q] = "ERROR"
	}
	if cmd, answer, _ := strings.Cut(c.tells, "|"); cmd != "" {
		f.answer[cmd] = fmt.Sprintf(answer, c.left) + "\r\n\r\nOK"
	}
	if c.iccid != "" {
		f.answer["AT+CCID"] = "+CCID: \"" + c.iccid + "\"\r\n\r\nOK"
	}
}

// file is what PINs keep, past the end of a program.
type file struct {
	saved []byte
	full  bool
}

func (f *file) pins() *modem.PINs {
	return &modem.PINs{
		Load: func() ([]byte, error) { return f.saved, nil },
		Save: func(b []byte) error {
			if f.full {
				return errors.New("no space left on device")
			}
			f.saved = bytes.Clone(b)
			return nil
		},
	}
}

// run starts a line with a PIN, lets it work for two minutes and returns its fault.
func (c *simCard) run(t *testing.T, f *fake, pins *modem.PINs, pin string) string {
	t.Helper()
	cfg := f.config("gsm")
	cfg.SIMPIN, cfg.PINs = pin, pins
	cfg.Trace = func(sent bool, data []byte) {
		if sent && bytes.Contains(data, []byte(pin)) {
			t.Errorf("traced: %q", data)
		}
	}
	m := modem.New(cfg)
	defer func() { f.shut(m) }()
	_ = m.WaitReady(t.Context())
	time.Sleep(2 * time.Minute)
	if err := m.Fault(); err != nil {
		if !errors.Is(err, modem.ErrNoService) || strings.Contains(err.Error(), pin) {
			t.Errorf("fault %v", err)
		}
		return err.Error()
	}
	return ""
}

// random is what is kept as a salt or a hash.
var random = regexp.MustCompile(`"([A-Z2-7]{26}|[0-9a-f]{64})"`)

func TestAWrongPINIsTriedOnceForEver(t *testing.T) {
	const iccid = "8949020000123456789"
	tests := []struct {
		name string
		card simCard
		pins []string // of the configuration, one for each start
		want []string // given to the SIM
		says string   // in the fault after the last start; "" is none
	}{
		{"the right one", simCard{pin: "1234", left: 3}, []string{"1234"}, []string{"1234"}, ""},
		{"over four starts", simCard{pin: "1234", left: 3}, []string{"4321", "4321", "4321", "4321"}, []string{"4321"}, "refuses the PIN"},
		{"with the SIM known", simCard{pin: "1234", left: 3, iccid: iccid}, []string{"4321", "4321"}, []string{"4321"}, "refuses the PIN"},
		{"corrected", simCard{pin: "1234", left: 3}, []string{"4321", "1234"}, []string{"4321", "1234"}, ""},
		{"corrected, and the SIM tells that two are left", simCard{pin: "1234", left: 3, tells: "AT+CPINR|+CPINR: SIM PIN,%d,3"}, []string{"4321", "1234"}, []string{"4321", "1234"}, ""},
		{"three wrong ones", simCard{pin: "1234", left: 3}, []string{"1111", "2222", "3333", "4444"}, []string{"1111", "2222"}, "a third one blocks it"},
		{"three wrong ones, and the SIM tells", simCard{pin: "1234", left: 3, tells: "AT+SPIC|+SPIC: %d,10,3,10"}, []string{"1111", "2222", "3333"}, []string{"1111", "2222"}, "1 tries"},
		{"somebody else has used a try", simCard{pin: "1234", left: 2, tells: "AT+CPINR|+CPINR: SIM PIN,%d,3"}, []string{"1234"}, nil, "only 2 tries"},
		{"SIMCom tells", simCard{pin: "1234", left: 2, tells: "AT+SPIC|+SPIC: %d,10,0,10"}, []string{"1234"}, nil, "only 2 tries"},
		{"Quectel tells", simCard{pin: "1234", left: 1, tells: `AT+QPINC?|+QPINC: "SC",%d,10`}, []string{"1234"}, nil, "1 tries"},
		{"Huawei tells", simCard{pin: "1234", left: 2, tells: "AT^CPIN?|^CPIN: SIM PIN,2,10,%d,10,3"}, []string{"1234"}, nil, "only 2 tries"},
		{"all are there", simCard{pin: "1234", left: 3, tells: `AT+QPINC?|+QPINC: "SC",%d,10`}, []string{"1234"}, []string{"1234"}, ""},
		{"blocked", simCard{pin: "1234", left: 0}, []string{"1234"}, nil, "PUK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, kept := newGSM(), &file{}
				says := ""
				for _, pin := range tt.pins {
					tt.card.insert(f)
					says = tt.card.run(t, f, kept.pins(), pin)
				}
				if !slices.Equal(tt.card.given, tt.want) {
					t.Errorf("given %q, want %q", tt.card.given, tt.want)
				}
				if (says == "") != (tt.says == "") || !strings.Contains(says, tt.says) {
					t.Errorf("fault %q, want %q", says, tt.says)
				}
				// A salt or a hash may have any four digits in it.
				if said := random.ReplaceAll(kept.saved, nil); bytes.Contains(said, []byte("4321")) || bytes.Contains(said, []byte(iccid)) {
					t.Errorf("kept: %s", kept.saved)
				}
			})
		})
	}
}

// The program is killed, or the modem loses its power, between a PIN and its answer.
func TestAPINWhoseAnswerIsNotKnownIsTriedAgainOnlyWithAllTriesLeft(t *testing.T) {
	for tells, want := range map[string]int{"": 1, "AT+CPINR|+CPINR: SIM PIN,%d,3": 1} {
		synctest.Test(t, func(t *testing.T) {
			f, kept := newGSM(), &file{}
			card := simCard{pin: "1234", left: 3, tells: tells, lost: true}
			for range 3 {
				card.insert(f)
				card.run(t, f, kept.pins(), "4321")
			}
			if len(card.given) != want {
				t.Errorf("tells %q: given %q", tells, card.given)
			}
		})
	}
	for _, tells := range []string{"", "AT+SPIC|+SPIC: %d,10,3,10"} {
		synctest.Test(t, func(t *testing.T) { // it was right
			f, kept := newGSM(), &file{}
			card := simCard{pin: "1234", left: 3, tells: tells, lost: true}
			card.insert(f)
			if says := card.run(t, f, kept.pins(), "1234"); says != "" {
				t.Error(says)
			}
			card.lost = false
			card.insert(f) // and asks again after a power cut
			if says := card.run(t, f, kept.pins(), "1234"); says != "" || len(card.given) != 2 {
				t.Errorf("tells %q: fault %q, given %q", tells, says, card.given)
			}
		})
	}
}

// A SIM that was busy when it was given its PIN has not looked at it, where its tries say so.
func TestASIMThatWasBusyIsGivenItsPINAgain(t *testing.T) {
	for tells, want := range map[string]int{"": 1, "AT+CPINR|+CPINR: SIM PIN,%d,3": 2} {
		synctest.Test(t, func(t *testing.T) {
			f, kept := newGSM(), &file{}
			card := simCard{pin: "1234", left: 3, tells: tells}
			card.insert(f)
			look, given := f.onPIN, 0
			f.onPIN = func(pin string) string {
				if given++; given == 1 {
					return "+CME ERROR: SIM busy"
				}
				return look(pin)
			}
			if says := card.run(t, f, kept.pins(), "1234"); given != want || (says == "") != (want == 2) {
				t.Errorf("tells %q: given %d times, fault %q", tells, given, says)
			}
		})
	}
}

func TestAnotherSIMIsGivenThePINThatOneHasRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, kept := newGSM(), &file{}
		wrong := simCard{pin: "1234", left: 3, iccid: "8949020000123456789"}
		right := simCard{pin: "4321", left: 3, iccid: "8949020000987654321"}
		wrong.insert(f)
		if says := wrong.run(t, f, kept.pins(), "4321"); says == "" {
			t.Error("no fault")
		}
		right.insert(f)
		if says := right.run(t, f, kept.pins(), "4321"); says != "" {
			t.Error(says)
		}
	})
}

func TestAPINThatCannotBeRememberedIsNotTried(t *testing.T) {
	for name, kept := range map[string]*file{"full card": {full: true}, "damaged": {saved: []byte("{")}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				card := simCard{pin: "1234", left: 3}
				card.insert(f)
				if says := card.run(t, f, kept.pins(), "1234"); !strings.Contains(says, "can't be remembered") || len(card.given) > 0 {
					t.Errorf("fault %q, given %q", says, card.given)
				}
			})
		})
	}
}

func TestReasonsOfASIMAreKeptApart(t *testing.T) {
	tests := []struct{ said, want string }{
		{"+CPIN: NOT INSERTED\r\n\r\nOK", "SIM missing"},
		{"+CME ERROR: 10", "SIM missing"},
		{"+CME ERROR: SIM not inserted", "SIM missing"},
		{"+CME ERROR: 13", "SIM unreadable"},
		{"+CME ERROR: 14", "not ready yet"},
		{"+CPIN: NOT READY\r\n\r\nOK", "not ready yet"},
		{"+CPIN: SIM PIN\r\n\r\nOK", "set sim_pin"},
		{"+CME ERROR: 11", "set sim_pin"},
		{"+CPIN: SIM PUK\r\n\r\nOK", "PUK"},
		{"+CME ERROR: 12", "PUK"},
		{"+CPIN: PH-NET PIN\r\n\r\nOK", "asks for PH-NET PIN"},
		{"+CPIN: SIM PUK2\r\n\r\nOK", ""},
		{"+CPIN: READY\r\n\r\nOK", ""},
	}
	for _, tt := range tests {
		t.Run(tt.said, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newGSM()
				f.answer["AT+CPIN?"] = tt.said
				m := modem.New(f.config("gsm"))
				t.Cleanup(func() { f.shut(m) })
				err := m.WaitReady(t.Context())
				if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, modem.ErrNoService) || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("fault %v, want %q", err, tt.want)
				}
			})
		})
	}
}
