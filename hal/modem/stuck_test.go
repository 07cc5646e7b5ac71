package modem_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

func TestAKeeperThatADriverHoldsIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		m := modem.New(modem.Config{Open: func() (io.ReadWriteCloser, error) {
			<-release
			return nil, errors.New("no such device")
		}})
		time.Sleep(14 * time.Minute)
		if m.Stuck() {
			t.Error("too early")
		}
		time.Sleep(2 * time.Minute)
		if !m.Stuck() {
			t.Error("not noticed")
		}
		close(release)
		time.Sleep(time.Hour) // a modem that is not there is no keeper that hangs
		if m.Stuck() {
			t.Error("still stuck")
		}
		_ = m.Close()
	})
}

func TestAKeeperOfAnIdleModemOrALentPortIsNotStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		time.Sleep(3 * time.Hour)
		if m.Stuck() {
			t.Error("an idle modem")
		}
		port, err := m.Borrow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Hour)
		if m.Stuck() {
			t.Error("a port that is lent")
		}
		_ = port.Close()
		time.Sleep(time.Minute)
		if m.Stuck() {
			t.Error("a port that was lent")
		}
	})
}
