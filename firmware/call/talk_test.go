package call_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/keypad"
	"hookswitch/hal/sim"
)

// press is a far end that presses keys at times after its answer, in seconds.
func press(keys string, at ...float64) sim.FarEnd {
	end := sim.FarEnd{Rings: 1}
	for i := range keys {
		end.Keys = append(end.Keys, sim.Key{At: time.Duration(at[i] * float64(time.Second)), Key: keys[i]})
	}
	return end
}

// said is a second and a half of something to record, after so much silence.
func said(after time.Duration) []int16 {
	c := make([]int16, int(after*audio.Rate/time.Second))
	for i := range audio.Rate * 3 / 2 {
		c = append(c, int16(8000*math.Sin(2*math.Pi*440*float64(i)/audio.Rate)))
	}
	return c
}

// numbers are far ends of these tests, beside the exchange's own. A voice modem takes five
// seconds without ringback for an answer (+VRA), so keys come later than that.
var numbers = map[string]sim.FarEnd{
	"5550110": press("77", 8, 9),
	"5550111": press("33", 8, 8.4),
	"5550112": press("22", 8, 18),
	"5550113": press("1", 9),
	"5550114": press("#", 8),
	"5550115": press("1", 6),
	"5550120": func() sim.FarEnd { // records (2), speaks, ends (#), keeps (3), leaves (*)
		end := press("2#3*", 8, 22, 26, 34)
		end.Says = said(16 * time.Second)
		return end
	}(),
	"5550121": press("77*", 8, 8.3, 14),
}

func TestKeysWhileAMessagePlays(t *testing.T) {
	tests := []struct {
		name, number  string
		least, most   time.Duration // from the answer to the end
		deleted, next bool
	}{
		{"7 twice deletes the message and ends the call", "5550110", time.Second, 16 * time.Second, true, false},
		{"33 goes to the end, where a menu is spoken", "5550111", 8 * time.Second, 40 * time.Second, false, false},
		{"2 pauses until it is pressed again", "5550112", 21 * time.Second, 60 * time.Second, false, false},
		{"1 goes back", "5550113", 14 * time.Second, 45 * time.Second, false, false},
		{"# goes on to the next message", "5550114", 4 * time.Second, 40 * time.Second, false, true},
	}
	for _, tt := range tests {
		for _, line := range []string{"fxo1", "gsm1"} {
			t.Run(tt.name+" on "+line, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBoard(t, nil, line)
					req := request(tt.number)
					req.Clip = speech(12 * time.Second)
					deleted, next := false, false
					req.Delete = func() error { deleted = true; return nil }
					req.Next = func() (call.Recording, bool) {
						if next {
							return call.Recording{}, false
						}
						next = true
						return call.Recording{Message: audio.NewMessage(speech(2 * time.Second))}, true
					}
					info, _ := b.until(t, b.start(t, req).ID, call.Disconnected)
					if info.Cause != call.None {
						t.Errorf("cause %s: %s", info.Cause, info.Reason)
					}
					if deleted != tt.deleted || next != tt.next {
						t.Errorf("deleted %v, next %v; want %v, %v", deleted, next, tt.deleted, tt.next)
					}
					if d := info.Ended.Sub(info.Answered); d < tt.least || d > tt.most {
						t.Errorf("the call lasted %v after the answer, want %v to %v", d, tt.least, tt.most)
					}
				})
			})
		}
	}
}

func TestPressOneToHearTheMessage(t *testing.T) {
	for number, heard := range map[string]bool{"5550115": true, "5550100": false} {
		t.Run(fmt.Sprintf("%s hears it %v", number, heard), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t, func(o *call.Options) { o.Lines[0].PressOne = true }, "fxo1")
				req := request(number)
				info, _ := b.until(t, b.start(t, req).ID, call.Disconnected)
				if got := b.hears("fxo1", req.Clip) > 0.98; got != heard {
					t.Errorf("message heard %v, want %v (%s)", got, heard, info.Reason)
				}
				if answered := info.Cause == call.None; answered != heard {
					t.Errorf("cause %s (%s)", info.Cause, info.Reason)
				}
			})
		})
	}
}

// greetingBox is where a greeting call keeps its greeting.
type greetingBox struct {
	kept    audio.Clip
	deleted bool
	fail    error
}

func (g *greetingBox) request(number string, clip audio.Clip) call.Request {
	return call.Request{User: "anna", Dial: number, Item: "NormalCustom", Clip: clip, Greeting: &call.Greeting{
		Keep:   func(c audio.Clip) error { g.kept = c; return g.fail },
		Delete: func() error { g.deleted = true; return g.fail },
	}}
}

func TestAGreetingIsRecordedAndKept(t *testing.T) {
	for _, line := range []string{"fxo1", "gsm1"} {
		t.Run(line, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var box greetingBox
				b := newBoard(t, nil, line)
				b.until(t, b.start(t, box.request("5550120", nil)).ID, call.Disconnected)
				if d := box.kept.Duration(); d < time.Second || d > 9*time.Second {
					t.Fatalf("kept a greeting of %v", d)
				}
				if f := frequency(box.kept); f < 430 || f > 450 {
					t.Errorf("the greeting sounds at %.0f Hz, want 440", f)
				}
			})
		})
	}
}

// frequency of the loudest second of a clip, by its zero crossings.
func frequency(c audio.Clip) float64 {
	loudest, best := 0.0, 0.0
	for at := 0; at+audio.Rate <= len(c); at += audio.Rate / 10 {
		energy, crossings := 0.0, 0
		for i := at + 1; i < at+audio.Rate; i++ {
			energy += float64(c[i]) * float64(c[i])
			if (c[i] >= 0) != (c[i-1] >= 0) {
				crossings++
			}
		}
		if energy > loudest {
			loudest, best = energy, float64(crossings)/2
		}
	}
	return best
}

func TestAGreetingIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var box greetingBox
		b := newBoard(t, nil, "fxo1")
		b.until(t, b.start(t, box.request("5550121", speech(2*time.Second))).ID, call.Disconnected)
		if !box.deleted || box.kept != nil {
			t.Errorf("deleted %v, kept %v", box.deleted, box.kept.Duration())
		}
	})
}

func TestAGreetingThatCantBeStoredEndsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := greetingBox{fail: errors.New("card full")}
		b := newBoard(t, nil, "fxo1")
		info, _ := b.until(t, b.start(t, box.request("5550120", nil)).ID, call.Disconnected)
		if info.Cause != call.None || strings.Contains(info.Reason, "internal") {
			t.Errorf("the call ended: %+v", info)
		}
	})
}

func TestTheKeysAreSpoken(t *testing.T) {
	own := keypad.Keys{"5": keypad.Help, "8": keypad.Pause}
	spoken := map[string]string{"5": "help", "8": "pause"}
	tests := []struct {
		name, number string
		keys         keypad.Keys
		sayKeys      bool
		want         audio.Clip
	}{
		{"Exchange's, before the message", "5550100", keypad.Exchange, true, audio.Prompt(audio.PromptKeys)},
		{"our own, before the message", "5550100", own, true, audio.KeyHelp(spoken)},
		{"our own, when asked for", "5550150", own, false, audio.KeyHelp(spoken)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550150": press("5", 1)}})
				b := newBoardOn(t, x, func(o *call.Options) { o.Keys, o.Lines[0].SayKeys = tt.keys, tt.sayKeys }, "gsm1")
				req := request(tt.number)
				b.until(t, b.start(t, req).ID, call.Disconnected)
				if got := b.hears("gsm1", tt.want); got < 0.97 {
					t.Errorf("heard with a likeness of %.2f", got)
				}
				if got := b.hears("gsm1", req.Clip[len(req.Clip)/2:]); got < 0.97 {
					t.Errorf("the message was heard with a likeness of %.2f", got)
				}
			})
		})
	}
}
