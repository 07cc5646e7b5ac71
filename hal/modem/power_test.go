package modem_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

// tape notes when a contact was set to what.
type tape struct {
	start time.Time
	text  string
}

func (t *tape) Set(closed bool) error {
	t.text += fmt.Sprintf("%v %v\n", time.Since(t.start), closed)
	return nil
}

func TestPowerCycle(t *testing.T) {
	tests := []struct {
		name  string
		power modem.PowerSwitch
		want  string
	}{
		{"of a supply opens its contact for five seconds", modem.PowerSwitch{Off: 5 * time.Second, Boot: 20 * time.Second}, "0s false\n5s true\n"},
		{"of a power key presses it to switch off, and again to switch on",
			modem.PowerSwitch{Key: true, Boot: 20 * time.Second, PressOff: 3 * time.Second, Off: 18 * time.Second, PressOn: 2 * time.Second},
			"0s true\n3s false\n21s true\n23s false\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				contact := &tape{start: time.Now()}
				tt.power.Relay = contact
				if err := tt.power.Cycle(t.Context()); err != nil {
					t.Fatal(err)
				}
				if contact.text != tt.want {
					t.Errorf("got\n%swant\n%s", contact.text, tt.want)
				}
			})
		})
	}
}

func TestAPowerCycleThatIsCutShortLeavesTheModemOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		contact := &tape{start: time.Now()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := (modem.PowerSwitch{Relay: contact, Off: 5 * time.Second}).Cycle(ctx); err != nil {
			t.Fatal(err)
		}
		if want := "0s false\n1s true\n"; contact.text != want {
			t.Errorf("got\n%swant\n%s", contact.text, want)
		}
	})
}
