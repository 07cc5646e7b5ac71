package hook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookswitch/hal"
)

// Pulse is a country's loop-disconnect dialling.
type Pulse struct {
	Break, Make time.Duration // one pulse: the relay open, then closed
	Pause       time.Duration // between two digits
}

var (
	usual  = Pulse{60 * time.Millisecond, 40 * time.Millisecond, 800 * time.Millisecond}
	pulses = map[string]Pulse{
		"us": {61 * time.Millisecond, 39 * time.Millisecond, 800 * time.Millisecond},
		"uk": {67 * time.Millisecond, 33 * time.Millisecond, 800 * time.Millisecond},
		"jp": {67 * time.Millisecond, 33 * time.Millisecond, 800 * time.Millisecond},
	}
)

// PulseOf is how the rotary telephones of a country dial: its code in ISO 3166, in lower
// case, or "uk".
func PulseOf(country string) Pulse {
	if p, ok := pulses[country]; ok {
		return p
	}
	return usual
}

// FlashOf is how long the exchanges of a country take a break of the loop for a flash, in
// the middle of their range: its code in ISO 3166, in lower case, or "uk".
func FlashOf(country string) time.Duration {
	switch country {
	case "us", "ca", "mx", "jp", "br":
		return 500 * time.Millisecond
	case "nz":
		return 600 * time.Millisecond
	case "nl":
		return 200 * time.Millisecond
	case "cn":
		return 300 * time.Millisecond
	}
	return 100 * time.Millisecond // UK, most of Europe, AU
}

// ErrDigit is for what no rotary dial has.
var ErrDigit = errors.New("hook: a rotary dial has the digits 0 to 9 only")

// Dial dials digits by opening the relay once for 1, ten times for 0. The line must be
// off-hook with dial tone. On an error the relay may be open or closed: the caller puts
// the line on-hook. With ErrDigit nothing was dialled.
func (s *Switch) Dial(ctx context.Context, digits string, p Pulse) error {
	if strings.Trim(digits, "0123456789") != "" {
		return fmt.Errorf("%w: %q", ErrDigit, digits)
	}
	for i, d := range digits {
		if i > 0 {
			if err := hal.Sleep(ctx, p.Pause); err != nil {
				return err
			}
		}
		pulses := int(d - '0')
		if pulses == 0 {
			pulses = 10
		}
		for range pulses {
			if err := s.interrupt(ctx, p.Break); err != nil {
				return err
			}
			if err := hal.Sleep(ctx, p.Make); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flash opens the loop for d, the signal for a PBX to hold or transfer: 80 to 130 ms in
// most of Europe, 300 to 1000 in the US, 600 in New Zealand. It is refused when d is as
// long as a release.
func (s *Switch) Flash(ctx context.Context, d time.Duration) error {
	if d <= 0 || d >= s.cfg.MinOnHook {
		return fmt.Errorf("hook: flash of %v: the exchange takes %v as a hang-up", d, s.cfg.MinOnHook)
	}
	return s.interrupt(ctx, d)
}

// interrupt opens the relay for d and closes it again, unless the line is released meanwhile.
// A break is no release: the switch stays commanded off-hook.
func (s *Switch) interrupt(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	turn, off := s.turn, s.off
	s.mu.Unlock()
	if !off {
		return ErrReleased
	}
	if err := s.driveRelay(false); err != nil {
		return err
	}
	if err := hal.Sleep(ctx, d); err != nil {
		return err // the relay stays open: the caller gives the line up
	}
	return s.seize(turn)
}
