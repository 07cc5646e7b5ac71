package emulator

import (
	"slices"
	"testing"

	"hookswitch/firmware/update"
)

func TestTheFirmwaresChoiceOfSlot(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		try        bool
		want       int
	}{
		{"normally", string(update.Autoboot(2)), false, 2},
		{"on trial", string(update.Autoboot(2)), true, 3},
		{"after an update", string(update.Autoboot(3)), false, 3},
		{"without a choice", "", false, 0},
	} {
		if got := slotOf(tt.text, tt.try); got != tt.want {
			t.Errorf("%s: partition %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestOverlaysOfAPi3(t *testing.T) {
	got := overlays("dtoverlay=disable-bt\n[pi5]\ndtoverlay=uart0-pi5\n[all]\ndtoverlay=gpio-poweroff,gpiopin=4\n")
	if want := []string{"disable-bt", "gpio-poweroff"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
