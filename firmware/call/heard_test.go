package call_test

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

// heardOf is how much of the beginning of clip the far end of a line has heard.
func (b *board) heardOf(line string, clip audio.Clip) time.Duration {
	const some = audio.Rate
	heard := b.lines[line].Heard()
	at, best := 0, 0.0
	for i := 0; i+some <= len(heard); i += 2 {
		var ab, aa, bb float64
		for j := 0; j < some; j += 31 {
			x, y := float64(heard[i+j]), float64(clip[audio.Rate/2+j])
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
		if c := ab / math.Sqrt(aa*bb+1); c > best {
			at, best = i, c
		}
	}
	if best < 0.9 {
		return 0
	}
	n := len(heard)
	for n > 0 && heard[n-1] == 0 {
		n--
	}
	return min(clip.Duration(), audio.Clip(heard[at-audio.Rate/2:n]).Duration())
}

func TestHowMuchWasHeardIsToldWhateverEndsTheCall(t *testing.T) {
	tests := []struct {
		name   string
		end    sim.FarEnd
		change func(*call.Options)
		length time.Duration // of the message; 0 is 12 s
		stop   time.Duration // Disconnect, after the answer
		played string        // how the reason begins
		whole  bool
	}{
		{name: "its own end", end: sim.FarEnd{Rings: 1}, played: "played to the end", whole: true},
		{name: "a far end that hangs up", end: sim.FarEnd{Rings: 1, HangUp: 11 * time.Second}, played: "the far end hung up; "},
		{name: "max_call", end: sim.FarEnd{Rings: 1}, change: func(o *call.Options) { o.MaxCall = 20 * time.Second }, length: 30 * time.Second, played: "maximum call length reached; "},
		{name: "a Disconnect", end: sim.FarEnd{Rings: 1}, stop: 5 * time.Second, played: "disconnected by the user; "},
		{name: "a key that goes to the end", end: press("33", 8, 8.4), played: "ended by a key; "},
	}
	for _, test := range tests {
		for _, line := range []string{"fxo1", "gsm1"} {
			t.Run(test.name+" on "+line, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBoardOn(t, sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550160": test.end}}), test.change, line)
					req := request("5550160")
					length := cmp.Or(test.length, 12*time.Second)
					req.Clip = speech(length)
					info := b.start(t, req)
					if test.stop > 0 {
						b.until(t, info.ID, call.Connected)
						time.Sleep(test.stop)
						if err := b.Disconnect(t.Context(), info.ID); err != nil {
							t.Error(err)
						}
					}
					info, _ = b.until(t, info.ID, call.Disconnected)
					want := b.heardOf(line, req.Clip)
					late := 300 * time.Millisecond
					if test.end.HangUp > 0 && line == "fxo1" {
						late = 5 * time.Second // which is how long the exchange's tone has to be heard
					}
					got := time.Duration(info.PlayedMS) * time.Millisecond
					if test.end.Keys == nil && (got < want-300*time.Millisecond || got > want+late) {
						t.Errorf("told to have heard %v, and has heard %v", got, want)
					}
					if info.DurationMS != length.Milliseconds() || info.Heard() != test.whole {
						t.Errorf("%d of %d ms, whole %v", info.PlayedMS, info.DurationMS, info.Heard())
					}
					if told := info.Told(); len(told) < len(test.played) || told[:len(test.played)] != test.played {
						t.Errorf("told %q, want %q …", told, test.played)
					}
				})
			})
		}
	}
}

// shortFile is a WAV file that holds a third of what it says.
type shortFile struct{ *bytes.Reader }

func (shortFile) Close() error { return nil }

func TestAnIncompleteMessageIsNotPlayedToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "gsm1")
		var wav bytes.Buffer
		if err := audio.WriteWAV(&wav, speech(12*time.Second)); err != nil {
			t.Fatal(err)
		}
		m, err := audio.Load(t.Context(), shortFile{bytes.NewReader(wav.Bytes()[:44+4*2*audio.Rate])}, "", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		req := request("5550100")
		req.Clip, req.Message = nil, m
		info, _ := b.until(t, b.start(t, req).ID, call.Disconnected)
		if info.Reason != "played, incomplete: 4 of 12 s" || info.Told() != info.Reason || info.Heard() || info.DurationMS != 12000 {
			t.Errorf("%+v", info)
		}
	})
}

// closing tells when a message's file is closed.
type closing struct {
	shortFile
	shut *bool
}

func (c closing) Close() error { *c.shut = true; return nil }

var _ io.ReadSeekCloser = closing{}

func TestAMessageThatNoCallTakesIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, nil, "gsm1")
		var wav bytes.Buffer
		if err := audio.WriteWAV(&wav, speech(time.Second)); err != nil {
			t.Fatal(err)
		}
		for _, number := range []string{"5550102", "5550102", "5559999", "5550100"} { // a call, its retry, not permitted, a second one
			shut := false
			m, err := audio.Load(t.Context(), closing{shortFile{bytes.NewReader(wav.Bytes())}, &shut}, "", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			req := request(number)
			req.Clip, req.Message = nil, m
			_, _ = b.Start(req)
			synctest.Wait()
			if !shut {
				t.Errorf("%s: the file is open", number)
			}
		}
	})
}
