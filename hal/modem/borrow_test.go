package modem_test

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

func TestAPortIsLentAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		for range 2 {
			port, err := m.Borrow(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Fault(); !errors.Is(err, modem.ErrGone) || !strings.Contains(err.Error(), "technician") {
				t.Errorf("fault while it is lent: %v", err)
			}
			if _, err := m.Borrow(t.Context()); !errors.Is(err, modem.ErrRefused) {
				t.Errorf("lent twice: %v", err)
			}
			if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); err == nil {
				t.Error("dialled on a port that is lent")
			}
			f.change(func() { f.got = nil })
			time.Sleep(5 * time.Minute) // the keeper keeps off
			if got := f.received(); len(got) != 0 {
				t.Errorf("while it was lent it was told %q", got)
			}
			if _, err := io.WriteString(port, "AT+VLS=1\r"); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(port)
			for lines.Scan() && lines.Text() != "OK" {
			}
			changed := m.Changed()
			for range 2 {
				if err := port.Close(); err != nil {
					t.Error(err)
				}
			}
			<-changed
			if err := m.Fault(); err != nil {
				t.Error(err)
			}
			if got := f.received(); !slices.Equal(got[:2], []string{"AT+VLS=1", "ATH"}) {
				t.Errorf("it was told %q", got)
			}
			f.checkOnHook(t)
			answers(t, m)
			hangUp(t, m)
		}
	})
}

func TestAPortThatIsGoneCannotBeLent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		f.unplug()
		if _, err := m.Borrow(t.Context()); err == nil {
			t.Error("lent")
		}
		f.change(func() { f.unplugged = false })
		time.Sleep(time.Minute)
		if err := m.Fault(); err != nil {
			t.Error(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if _, err := m.Borrow(t.Context()); !errors.Is(err, modem.ErrGone) {
			t.Errorf("of a closed modem: %v", err)
		}
	})
}
