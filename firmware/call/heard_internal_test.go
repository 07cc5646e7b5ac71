package call

import (
	"errors"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

func TestWhatWasHeardCountsOnce(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name  string
		parts []stretch
		want  time.Duration
	}{
		{"nothing", nil, 0},
		{"from the start", []stretch{{0, 4 * second}}, 4 * second},
		{"a part twice", []stretch{{0, 4 * second}, {2 * second, 4 * second}}, 4 * second},
		{"back, and on", []stretch{{0, 4 * second}, {0, 6 * second}}, 6 * second},
		{"with a gap, which is filled later", []stretch{{0, 2 * second}, {7 * second, 9 * second}, {1 * second, 8 * second}}, 9 * second},
		{"the end without the middle", []stretch{{0, 2 * second}, {10 * second, 12 * second}}, 4 * second},
		{"a pause", []stretch{{0, 2 * second}, {2 * second, 2 * second}}, 2 * second},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h heard
			h.begin(audio.NewMessage(make(audio.Clip, 12*audio.Rate)))
			for _, p := range test.parts {
				h.add(p.from, p.to)
			}
			if got := h.played(); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestTheReasonSaysHowMuchWasHeard(t *testing.T) {
	twelve := audio.NewMessage(make(audio.Clip, 12*audio.Rate))
	for _, test := range []struct {
		name   string
		heard  time.Duration
		reason string
		failed error
		want   string
		whole  bool
	}{
		{"all of it", 12 * time.Second, "played to the end", nil, "played to the end", true},
		{"all but its last breath", 11800 * time.Millisecond, "the far end hung up", errShutdown, "the far end hung up", true},
		{"a third", 4 * time.Second, "the far end hung up", errors.New("x"), "the far end hung up; 4 of 12 s heard", false},
		{"nothing", 0, "disconnected by the user", errDisconnected, "disconnected by the user; 0 of 12 s heard", false},
		{"a third, until a key", 4 * time.Second, "played to the end", nil, "ended by a key; 4 of 12 s heard", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h heard
			h.begin(twelve)
			h.add(0, test.heard)
			info := Info{State: Disconnected, Answered: time.Unix(1, 0), Reason: test.reason}
			h.tell(&info, test.failed)
			if info.Told() != test.want || info.Heard() != test.whole {
				t.Errorf("got %q, whole %v; want %q, %v", info.Told(), info.Heard(), test.want, test.whole)
			}
			if info.PlayedMS != test.heard.Milliseconds() || info.DurationMS != 12000 {
				t.Errorf("%d of %d ms", info.PlayedMS, info.DurationMS)
			}
		})
	}
}
