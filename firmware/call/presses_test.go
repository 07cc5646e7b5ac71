package call_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/keypad"
	"hookswitch/hal/sim"
)

// deletes makes a call and reports whether its message was deleted by a key.
func deletes(t *testing.T, line string, end sim.FarEnd, clip audio.Clip, change func(*call.Options)) (deleted bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBoardOn(t, sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550170": end}}), change, line)
		req := request("5550170")
		req.Clip = clip
		req.Delete = func() error { deleted = true; return nil }
		info, _ := b.until(t, b.start(t, req).ID, call.Disconnected)
		if info.Cause != call.None {
			t.Errorf("cause %s: %s", info.Cause, info.Reason)
		}
		if took := info.Ended.Sub(info.Answered); end.Keys == nil && took > clip.Duration()+2*time.Second {
			t.Errorf("a key was taken: the call took %v", took) // for the menu at its end, or a prompt
		}
	})
	return deleted
}

// A message may be a recording of key presses: the far end's own, or an answering machine's.
func TestOurOwnSoundThatComesBackPressesNoKeys(t *testing.T) {
	quick := audio.DTMF("77123366#*0077", 80*time.Millisecond, 80*time.Millisecond)
	slow := audio.DTMF("77#", time.Second, 500*time.Millisecond)
	weak := audio.Clip(nil) // the high group 12 dB below the low one, which is no key where it is sent
	for _, hz := range [][2]float64{{852, 1209}, {852, 1209}} {
		c := audio.Tone(hz[:1], 300*time.Millisecond, -8)
		for i, s := range audio.Tone(hz[1:], 300*time.Millisecond, -20) {
			c[i] += s
		}
		weak = append(append(weak, c...), make(audio.Clip, audio.Rate/2)...)
	}
	for name, keys := range map[string]audio.Clip{"quick": quick, "held": slow, "uneven": weak} {
		clip := append(append(speech(2*time.Second), keys...), speech(2*time.Second)...)
		for _, echo := range []sim.FarEnd{
			{EchoLoss: 0, EchoDelay: 20 * time.Millisecond}, {EchoLoss: 0, EchoDelay: 400 * time.Millisecond},
			{EchoLoss: 10, EchoDelay: 150 * time.Millisecond}, {EchoLoss: 26, EchoDelay: 100 * time.Millisecond},
		} {
			t.Run(fmt.Sprintf("%s keys, %.0f dB weaker, after %v", name, echo.EchoLoss, echo.EchoDelay), func(t *testing.T) {
				echo.Rings = 1
				if deletes(t, "gsm1", echo, clip, nil) {
					t.Error("the message has deleted itself")
				}
			})
		}
	}
}

// A voice modem hears the keys itself, in what it sends too, and so do modules.
func TestAKeyThatTheModemTellsOfWhileTheMessageHoldsIt(t *testing.T) {
	clip := audio.DTMF("7777777777777777777777777777", 200*time.Millisecond, 200*time.Millisecond)
	for _, line := range []string{"fxo1", "gsm1"} {
		if deletes(t, line, press("77", 9, 10), clip, nil) {
			t.Errorf("%s: the message has deleted itself", line)
		}
	}
}

func TestKeysArePressedOverTheEchoOfTheMessage(t *testing.T) {
	for _, loss := range []float64{0, 10, 26} {
		end := press("77", 3, 4.2)
		end.EchoDelay, end.EchoLoss = 100*time.Millisecond, loss
		clip := append(audio.DTMF("123456", 100*time.Millisecond, 100*time.Millisecond), scaledSpeech(10*time.Second)...)
		if !deletes(t, "gsm1", end, clip, nil) {
			t.Errorf("echo %.0f dB weaker: the keys were not heard", loss)
		}
	}
}

// scaledSpeech is speech as a call has it: 12 dB below a key.
func scaledSpeech(d time.Duration) audio.Clip {
	c := speech(d)
	for i := range c {
		c[i] /= 4
	}
	return c
}

func TestThePromptThatAsksForOneDoesNotPressIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550171": {Rings: 1, EchoDelay: 80 * time.Millisecond}}})
		b := newBoardOn(t, x, func(o *call.Options) { o.Lines[0].PressOne = true }, "gsm1")
		req := request("5550171")
		info, _ := b.until(t, b.start(t, req).ID, call.Disconnected)
		if heard := b.hears("gsm1", req.Clip) > 0.98; heard {
			t.Errorf("the message was played: %s", info.Reason)
		}
	})
}

func TestDeleteTakesASecondPressWithinThreeSeconds(t *testing.T) {
	own := func(o *call.Options) { o.Keys = keypad.Keys{"77": keypad.Delete, "5": keypad.Pause} }
	for _, test := range []struct {
		name   string
		end    sim.FarEnd
		change func(*call.Options)
		want   bool
	}{
		{"once", press("7", 8), nil, false},
		{"twice", press("77", 8, 9.5), nil, true},
		{"twice, 300 ms apart", press("77", 8, 8.3), nil, true},
		{"twice, far apart", press("77", 8, 16), nil, false},
		{"held for two seconds", sim.FarEnd{Rings: 1, Keys: []sim.Key{{At: 8 * time.Second, Key: '7', Hold: 2 * time.Second}}}, nil, false},
		{"another key", press("73", 8, 9), nil, false},
		{"a key of two digits, once", press("77", 8, 8.4), own, false},
		{"a key of two digits, twice", press("7777", 8, 8.4, 9.4, 9.8), own, true},
	} {
		for _, line := range []string{"fxo1", "gsm1"} {
			t.Run(test.name+" on "+line, func(t *testing.T) {
				if got := deletes(t, line, test.end, speech(12*time.Second), test.change); got != test.want {
					t.Errorf("deleted %v, want %v", got, test.want)
				}
			})
		}
	}
}
