package web

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/config"
)

func TestAFloodOfMadeUpNamesFillsNoMemoryAndFreesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m loginLimit
		anna := identify(netip.MustParseAddr("192.0.2.1"), "anna")
		for range 10 {
			m.add(anna)
		}
		for i := range 3 * maxFailures {
			m.add(identify(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint("eve", i)))
		}
		if len(m.by) > maxFailures+3 {
			t.Errorf("%d entries, want at most %d", len(m.by), maxFailures)
		}
		if m.check(anna) == nil {
			t.Error("anna's client need not wait any more")
		}
		time.Sleep(forget + time.Second)
		m.add(anna)
		if err := m.check(anna); err != nil {
			t.Errorf("one failure after a long time: %v", err)
		}
	})
}

func TestTheCacheOfLoginsIsBounded(t *testing.T) {
	var k known
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 3 * maxKnown {
		k.add(k.sum(here, fmt.Sprint("Basic ", i)), User{}, identity{})
	}
	if len(k.hits) > maxKnown {
		t.Errorf("%d entries, want at most %d", len(k.hits), maxKnown)
	}
	if k.sum(here, "Basic x") == k.sum(there, "Basic x") {
		t.Error("a login from one client is known from another")
	}
}

func TestNoSpellingOfANameHasTriesOfItsOwn(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	for _, name := range []string{"JESS", "jeſs", "jesſ", "jeSſ@example.com", `CORP\jess`} {
		a := Auth{Users: []config.User{{Name: "jess"}}}
		if a.find(name) == nil {
			t.Fatalf("%s finds nobody", name)
		}
		if identify(addr, name) != identify(addr, "jess") {
			t.Errorf("failures of %s don't count for jess", name)
		}
	}
}
