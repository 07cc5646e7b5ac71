package call_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/call"
)

func TestALineIsLentToATechnician(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "fxo1")
		if _, err := b.Lend("fxo2"); !errors.Is(err, call.ErrUnknown) {
			t.Errorf("a line that there is not: %v", err)
		}
		lent, err := b.Lend("fxo1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Lend("fxo1"); !errors.Is(err, call.ErrNoLine) {
			t.Errorf("lent twice: %v", err)
		}
		if _, err := b.Start(request("5550100")); !errors.Is(err, call.ErrNoLine) {
			t.Errorf("a call on a line that is lent: %v", err)
		}
		if err := lent.OffHook(t.Context()); err != nil {
			t.Fatal(err)
		}
		port, err := lent.Port(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(port, "AT+FCLASS=8\rAT+VLS=1\r"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if l := b.Lines()[0]; l.State != "lent" || l.Hook != "off-hook" || !b.lines["fxo1"].OffHook() {
			t.Errorf("%+v, off-hook for the exchange: %v", l, b.lines["fxo1"].OffHook())
		}
		if err := port.Close(); err != nil {
			t.Error(err)
		}
		lent.Return()
		lent.Return()
		if b.lines["fxo1"].OffHook() {
			t.Error("returned, and off-hook")
		}
		time.Sleep(5 * time.Second)
		if l := b.Lines()[0]; l.State != "idle" || l.Hook != "on-hook" {
			t.Errorf("returned: %+v", l)
		}
		if info, _ := b.until(t, b.start(t, request("5550106")).ID, call.Disconnected); info.Answered.IsZero() {
			t.Errorf("the next call: %+v", info)
		}
	})
}
