package modem_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/modem"
)

// tone is d of 1000 Hz, as Play takes it.
func tone(d time.Duration) []byte {
	wave := []int16{0, 5657, 8000, 5657, 0, -5657, -8000, -5657}
	var b []byte
	for i := range int(d * 8000 / time.Second) {
		b = binary.LittleEndian.AppendUint16(b, uint16(wave[i%8]))
	}
	return b
}

// unsigned8 is tone as a modem with 8-bit unsigned samples gets it.
func unsigned8(pcm []byte) []byte {
	var b []byte
	for i := 0; i < len(pcm); i += 2 {
		b = append(b, byte(min(127, (int(int16(binary.LittleEndian.Uint16(pcm[i:])))+128)>>8)+128))
	}
	return b
}

// endless is silence that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// answers dials and expects an answer.
func answers(t *testing.T, m *modem.Modem) {
	t.Helper()
	if _, err := m.Dial(t.Context(), "5550100", modem.Far{}); err != nil {
		t.Fatal(err)
	}
}

func hangUp(t *testing.T, m *modem.Modem) {
	t.Helper()
	if err := m.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAMessageIsHeardWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		answers(t, m)
		want := tone(3 * time.Second)
		begin := time.Now()
		heard, err := m.Play(t.Context(), bytes.NewReader(want), modem.Far{})
		if err != nil || heard != 3*time.Second {
			t.Errorf("heard %v, %v", heard, err)
		}
		if d := time.Since(begin); d < 3*time.Second || d > 3100*time.Millisecond {
			t.Errorf("took %v", d)
		}
		hangUp(t, m)
		f.checkOnHook(t)
		if !bytes.Equal(f.sound, unsigned8(want)) {
			t.Errorf("%d bytes arrived, want %d, or they differ", len(f.sound), len(want)/2)
		}
	})
}

func TestSoundKeepsAheadOfTheLineButNotFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		answers(t, m)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = m.Play(t.Context(), bytes.NewReader(tone(5*time.Second)), modem.Far{})
		}()
		for range 45 {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			f.mu.Lock()
			queued := time.Until(f.queued)
			f.mu.Unlock()
			if queued < 100*time.Millisecond || queued > 160*time.Millisecond { // of 2 KiB, without flow control
				t.Errorf("%v queued in the modem", queued)
			}
		}
		<-done
		hangUp(t, m)
	})
}

func TestACancelledMessageStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		answers(t, m)
		why := errors.New("a key was pressed")
		for range 3 { // Play again and again, as keys do
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(2*time.Second, func() { cancel(why) })
			begin := time.Now()
			heard, err := m.Play(ctx, endless{}, modem.Far{})
			if err != why {
				t.Errorf("got %v, want %v itself", err, why)
			}
			if d := time.Since(begin); d > 2050*time.Millisecond {
				t.Errorf("took %v to stop", d-2*time.Second)
			}
			if heard < 1950*time.Millisecond || heard > 2*time.Second {
				t.Errorf("heard %v", heard)
			}
		}
		hangUp(t, m)
		f.checkOnHook(t)
	})
}

func TestAModemThatCannotDropSoundStillStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.noPurge = true
		m := start(t, f, "voice")
		answers(t, m)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := m.Play(ctx, endless{}, modem.Far{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		hangUp(t, m)
		f.checkOnHook(t)
	})
}

func TestAnUnderrunIsFilledUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.onTalk = func(f *fake) {
			time.Sleep(time.Second)
			f.change(func() { f.queued = time.Now() }) // the modem has lost what it had
			for range 5 {
				f.say("\x10u")
				time.Sleep(20 * time.Millisecond)
			}
		}
		m := start(t, f, "voice")
		answers(t, m)
		go func() {
			time.Sleep(1100 * time.Millisecond)
			f.mu.Lock()
			defer f.mu.Unlock()
			if queued := time.Until(f.queued); queued < 100*time.Millisecond || queued > 160*time.Millisecond {
				t.Errorf("%v queued 100 ms after an underrun", queued)
			}
		}()
		if _, err := m.Play(t.Context(), bytes.NewReader(tone(3*time.Second)), modem.Far{}); err != nil {
			t.Error(err)
		}
		hangUp(t, m)
	})
}

func TestTheFarEndHangsUpWhileItListens(t *testing.T) {
	for _, said := range []string{"\x10b", "\x10b\x10b\x10b", "\x10K", "\x10d", "\x10i", "\x10l", "\x10s", "\r\nNO CARRIER\r\n", "\r\nBUSY\r\n"} {
		t.Run(said, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.onTalk = func(f *fake) {
					time.Sleep(2 * time.Second)
					f.say(said)
				}
				m := start(t, f, "voice")
				answers(t, m)
				begin := time.Now()
				heard, err := m.Play(t.Context(), endless{}, modem.Far{})
				if !errors.Is(err, modem.ErrHungUp) {
					t.Errorf("got %v", err)
				}
				if d := time.Since(begin); heard > 2*time.Second || d > 3100*time.Millisecond {
					t.Errorf("heard %v, took %v", heard, d)
				}
				if _, err := m.Play(t.Context(), endless{}, modem.Far{}); !errors.Is(err, modem.ErrHungUp) {
					t.Errorf("playing on: %v", err)
				}
				hangUp(t, m)
				if mode, _ := f.is(); mode == playing {
					t.Error("the modem is still in voice data mode")
				}
			})
		})
	}
}

func TestAParallelTelephoneIsYieldedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.onTalk = func(f *fake) {
			time.Sleep(2 * time.Second)
			f.say("\x10P")
		}
		m := start(t, f, "conexant")
		answers(t, m)
		begin := time.Now()
		_, err := m.Play(t.Context(), endless{}, modem.Far{})
		if !errors.Is(err, modem.ErrInUse) || !errors.Is(err, modem.ErrHungUp) {
			t.Errorf("got %v", err)
		}
		hangUp(t, m)
		if d := time.Since(begin); d > 3*time.Second {
			t.Errorf("the line was yielded after %v", d-2*time.Second)
		}
		f.checkOnHook(t)
	})
}

func TestEachPressOfAKeyCountsOnce(t *testing.T) {
	tests := []struct {
		name string
		said []string // 70 ms apart, "" is a pause
		want string
	}{
		{"marked", []string{"\x10/", "\x105", "\x105", "\x105", "\x10~"}, "5"},
		{"marked twice", []string{"\x10/", "\x105", "\x10~", "\x10/", "\x105", "\x10~"}, "55"},
		{"Intel's end", []string{"\x105", "\x105", "\x10\x7f", "\x105", "\x10\x7f"}, "55"},
		{"bare", []string{"\x105"}, "5"},
		{"bare and held", []string{"\x105", "\x105", "\x105", "\x105"}, "5"},
		{"bare, twice", []string{"\x105", "", "", "", "", "\x105"}, "55"},
		{"bare, another", []string{"\x105", "\x106", "\x10#"}, "56#"},
		{"all of them", []string{"\x100\x101\x102\x103\x104\x105\x106\x107\x108\x109\x10*\x10#\x10A\x10B\x10C\x10D"}, "0123456789*#ABCD"},
		{"in words", []string{"\r\nDTMF=5\r\n", "\r\nDTMF=5\r\n"}, "55"},
		{"others are no keys", []string{"\x10E", "\x10T", "\x10Y", "\x10o", "\x10\x11"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.onTalk = func(f *fake) {
					for _, s := range tt.said {
						time.Sleep(70 * time.Millisecond)
						f.say(s)
					}
				}
				m := start(t, f, "voice")
				answers(t, m)
				var keys []byte
				if _, err := m.Play(t.Context(), bytes.NewReader(tone(3*time.Second)), modem.Far{Key: func(k byte) { keys = append(keys, k) }}); err != nil {
					t.Error(err)
				}
				if string(keys) != tt.want {
					t.Errorf("got %q, want %q", keys, tt.want)
				}
				hangUp(t, m)
			})
		})
	}
}

func TestAKeyBetweenTwoMessagesIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		m := start(t, f, "voice")
		answers(t, m)
		f.say("\x10/\x107\x10~")
		synctest.Wait()
		var keys []byte
		_, _ = m.Play(t.Context(), bytes.NewReader(tone(time.Second)), modem.Far{Key: func(k byte) { keys = append(keys, k) }})
		if string(keys) != "7" {
			t.Errorf("got %q", keys)
		}
		hangUp(t, m)
	})
}

// soundFrom records d from a modem that says sound, 20 ms at a time.
func soundFrom(t *testing.T, m *modem.Modem, d time.Duration) (pcm []byte, heard int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, errDone)
	defer cancel()
	var rec bytes.Buffer
	err = m.Record(ctx, &rec, modem.Far{Hear: func(s []int16) { heard += len(s) }})
	return rec.Bytes(), heard, err
}

var errDone = errors.New("enough")

func TestARecordingHoldsWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		said := bytes.Repeat([]byte{0x80, 0x90, 0x10, 0x70}, 40) // with bytes of value DLE
		f.onTalk = func(f *fake) {
			for range 50 {
				time.Sleep(20 * time.Millisecond)
				f.say(string(at8(said)))
			}
		}
		m := start(t, f, "voice")
		answers(t, m)
		pcm, heard, err := soundFrom(t, m, 1500*time.Millisecond)
		if err != errDone {
			t.Errorf("got %v", err)
		}
		if len(pcm) != 50*160*2 || heard != 50*160 {
			t.Errorf("recorded %d bytes, heard %d samples", len(pcm), heard)
		}
		if got := unsigned8(pcm); !bytes.Equal(got[:160], said) {
			t.Errorf("recorded %x, want %x", got[:16], said[:16])
		}
		if mode, _ := f.is(); mode != commands {
			t.Error("the modem still records")
		}
		hangUp(t, m)
		f.checkOnHook(t)
	})
}

// at8 shields.
func at8(p []byte) []byte { return bytes.ReplaceAll(p, []byte{0x10}, []byte{0x10, 0x10}) }

func TestARecordingEndsWithTheCall(t *testing.T) {
	for _, said := range []string{"\x10b", "\x10s", "\x10\x03\r\nOK\r\n\r\nNO CARRIER\r\n", "\x10l"} {
		t.Run(said, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.onTalk = func(f *fake) {
					f.say("\x80\x81\x82\x83")
					time.Sleep(time.Second)
					f.say("\x84\x85" + said)
				}
				m := start(t, f, "voice")
				answers(t, m)
				pcm, _, err := soundFrom(t, m, time.Minute)
				if !errors.Is(err, modem.ErrHungUp) && !errors.Is(err, modem.ErrRefused) {
					t.Errorf("got %v", err)
				}
				if len(pcm) < 12 {
					t.Errorf("%d bytes were recorded, want all that came before the end", len(pcm))
				}
				hangUp(t, m)
			})
		})
	}
}

func TestNoSoundWithoutExactlyCONNECT(t *testing.T) {
	for _, reply := range []string{"ERROR", "OK", "CONNECT 9600", "VCON", "NO CARRIER", "CONNECTED", "-"} {
		t.Run(reply, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.answer["AT+VTX"] = reply
				m := start(t, f, "voice")
				answers(t, m)
				if heard, err := m.Play(t.Context(), bytes.NewReader(tone(time.Second)), modem.Far{}); err == nil || heard != 0 {
					t.Errorf("heard %v, %v", heard, err)
				}
				hangUp(t, m)
				f.checkOnHook(t)
				if len(f.sound) > 0 {
					t.Errorf("%d bytes of sound", len(f.sound))
				}
			})
		})
	}
}

func TestDialTellsWhatTheModemSays(t *testing.T) {
	tests := []struct {
		name   string
		said   []string // a second apart
		answer modem.Answer
		rang   bool
		want   error
	}{
		{"OK", []string{"\r\nOK\r\n"}, modem.Assumed, false, nil},
		{"OK after ringback", []string{"\x10r", "\x10r", "\r\nOK\r\n"}, modem.Ringback, true, nil},
		{"OK after RINGING", []string{"\r\nRINGING\r\n", "\r\nOK\r\n"}, modem.Ringback, true, nil},
		{"VCON", []string{"\r\nVCON\r\n"}, modem.Ringback, false, nil},
		{"VOICE", []string{"\r\nRINGING\r\n", "\r\nVOICE\r\n"}, modem.Ringback, true, nil},
		{"a voice, then OK", []string{"\x10V", "\r\nOK\r\n"}, modem.Ringback, false, nil},
		{"polarity reversal", []string{"\x10r", "\x10L", "\r\nOK\r\n"}, modem.Supervised, true, nil},
		{"polarity reversal as a result", []string{"\r\nPOLARITY REVERSAL\r\n"}, modem.Supervised, false, nil},
		{"no polarity reversal", []string{"\r\nNO POLARITY REVERSAL\r\n"}, "", false, modem.ErrNoAnswer},
		{"busy", []string{"\r\nBUSY\r\n"}, "", false, modem.ErrBusy},
		{"busy tone", []string{"\x10b\x10b"}, "", false, modem.ErrBusy},
		{"reorder tone", []string{"\x10K"}, "", false, modem.ErrBusy},
		{"no dial tone", []string{"\r\nNO DIALTONE\r\n"}, "", false, modem.ErrNoDialTone},
		{"no dial tone in two words", []string{"\r\nNO DIAL TONE\r\n"}, "", false, modem.ErrNoDialTone},
		{"no line", []string{"\r\nNO LINE\r\n"}, "", false, modem.ErrNoDialTone},
		{"line in use", []string{"\r\nLINE IN USE\r\n"}, "", false, modem.ErrInUse},
		{"an extension is lifted", []string{"\x10P"}, "", false, modem.ErrInUse},
		{"no answer", []string{"\x10r", "\r\nNO ANSWER\r\n"}, "", true, modem.ErrNoAnswer},
		{"special information tone", []string{"\x10J"}, "", false, modem.ErrNoService},
		{"loop broken", []string{"\x10l"}, "", false, modem.ErrNoCarrier},
		{"early no carrier", []string{"\r\nNO CARRIER\r\n"}, "", false, modem.ErrNoCarrier},
		{"error", []string{"\r\nERROR\r\n"}, "", false, modem.ErrRefused},
		{"blacklisted", []string{"\r\nBLACKLISTED\r\n"}, "", false, modem.ErrNoService},
		{"busy, and the line is dropped at once", []string{"\r\nBUSY\r\n\r\nNO CARRIER\r\n"}, "", false, modem.ErrBusy},
		{"a data modem", []string{"\r\nCONNECT 33600\r\n"}, "", false, modem.ErrRefused},
		{"dial tone before is normal", []string{"\x10d", "\x10r", "\r\nOK\r\n"}, modem.Ringback, true, nil},
		{"RING flood", []string{"\r\nRING\r\n\r\nRING\r\n", "\r\nRING\r\n", "\r\nRING\r\n", "\r\nOK\r\n"}, "", false, modem.ErrRinging},
		{"RING once the far end rings is no ringing", []string{"\r\nRINGING\r\n", "\r\nRING\r\n", "\r\nOK\r\n"}, modem.Ringback, true, nil},
		{"RING long after the line was seized", []string{"", "", "", "\r\nRING\r\n", "\r\nOK\r\n"}, modem.Assumed, false, nil},
		{"ringing told in voice mode", []string{"\x10R", "\r\nOK\r\n"}, "", false, modem.ErrRinging},
		{"nothing", nil, "", false, modem.ErrTimeout},
		{"ringback for ever", []string{"\x10r"}, "", true, modem.ErrNoAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.onDial = func(f *fake) {
					for _, s := range tt.said {
						time.Sleep(time.Second)
						if s == "" {
							continue
						}
						if s[0] != 0x10 && s != "\r\nRINGING\r\n" && s[:6] != "\r\nRING" {
							f.set(commands, tt.want == nil)
						}
						f.say(s)
					}
				}
				m := start(t, f, "voice")
				rang := false
				answer, err := m.Dial(t.Context(), "5550100", modem.Far{Alerted: func() { rang = true }})
				if answer != tt.answer || rang != tt.rang || !errors.Is(err, tt.want) {
					t.Errorf("got %q, rang %v, %v; want %q, %v, %v", answer, rang, err, tt.answer, tt.rang, tt.want)
				}
				hangUp(t, m)
				f.checkOnHook(t)
				if err := m.Fault(); err != nil {
					t.Errorf("fault: %v", err)
				}
			})
		})
	}
}

func TestNothingIsSentWhileTheModemDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.onDial = func(f *fake) {
			time.Sleep(50 * time.Second) // longer than any poll or look
			f.set(commands, true)
			f.line("OK")
		}
		m := start(t, f, "voice")
		answers(t, m)
		if slices.Contains(f.received(), "CR") {
			t.Error("a byte was sent while ATD was pending")
		}
		hangUp(t, m)
	})
}

func TestOnlyDigitsAreDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		voice, gsm := newFake(), newFake()
		gsm.gsm = true
		fxo, mobile := start(t, voice, "voice"), start(t, gsm, "gsm")
		for _, number := range []string{"", "555,0100", "555;0100", "W5550100", "5550100\rATD1", "+", "++1", "12A", "١٢٣", "123456789012345678901234567890123"} {
			for _, m := range []*modem.Modem{fxo, mobile} {
				if _, err := m.Dial(t.Context(), number, modem.Far{}); !errors.Is(err, modem.ErrRefused) {
					t.Errorf("%q: %v", number, err)
				}
			}
		}
		if _, err := fxo.Dial(t.Context(), "+15550100", modem.Far{}); !errors.Is(err, modem.ErrRefused) {
			t.Errorf("an analogue line has no +: %v", err)
		}
		for _, cmd := range slices.Concat(voice.received(), gsm.received()) {
			if len(cmd) > 3 && cmd[:3] == "ATD" {
				t.Errorf("sent %q", cmd)
			}
		}
	})
}

func TestWithoutACallNothingIsPlayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := start(t, newFake(), "voice")
		if _, err := m.Play(t.Context(), endless{}, modem.Far{}); !errors.Is(err, modem.ErrRefused) {
			t.Error(err)
		}
		if err := m.Record(t.Context(), io.Discard, modem.Far{}); !errors.Is(err, modem.ErrRefused) {
			t.Error(err)
		}
	})
}

// A listener of the board's own hears the tones that the modem can't tell apart.
func TestTheBoardListensForTheAnswer(t *testing.T) {
	heard := func(list ...modem.Progress) []modem.Progress { return list }
	tests := []struct {
		name   string
		hears  []modem.Progress // second by second, the last for ever
		pulse  bool
		answer modem.Answer
		want   error
		rang   int
	}{
		{"an answer", heard(0, modem.DialTone, 0, modem.Ringing, 0, 0, modem.Answered), false, modem.Ringback, nil, 1},
		{"an answer after a number dialled by pulses", heard(0, modem.DialTone, 0, modem.Ringing, 0, 0, modem.Answered), true, modem.Ringback, nil, 1},
		{"a voice and no ringback before", heard(modem.DialTone, 0, modem.Answered), false, modem.Assumed, nil, 0},
		{"busy", heard(modem.DialTone, 0, modem.Busy), false, "", modem.ErrBusy, 0},
		{"a special information tone", heard(modem.DialTone, modem.Ringing, modem.Unobtainable), false, "", modem.ErrNoService, 1},
		{"nothing", heard(modem.DialTone, 0, modem.Ringing, 0), false, "", modem.ErrNoAnswer, 1},
		{"no dial tone", heard(0), false, "", modem.ErrNoDialTone, 0},
		{"busy tone instead of dial tone", heard(0, modem.Busy), true, "", modem.ErrNoDialTone, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.onTalk = func(f *fake) {
					for {
						time.Sleep(20 * time.Millisecond)
						if mode, _ := f.is(); mode != recording {
							return
						}
						f.say(string(bytes.Repeat([]byte{0x80}, 160)))
					}
				}
				cfg := f.config("voice")
				samples := 0
				cfg.Listen = func() func([]int16) modem.Progress {
					return func(s []int16) modem.Progress {
						before := samples / 8000
						samples += len(s)
						if now := samples / 8000; now != before && now < len(tt.hears) {
							return tt.hears[now]
						}
						return modem.Undecided
					}
				}
				pulsed := ""
				if tt.pulse {
					cfg.Pulse = func(_ context.Context, digits string) error { pulsed = digits; return nil }
				}
				m := modem.New(cfg)
				t.Cleanup(func() { f.shut(m) })
				if err := m.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
				samples = -8001
				rang := 0
				answer, err := m.Dial(t.Context(), "5550100", modem.Far{Alerted: func() { rang++ }})
				if answer != tt.answer || !errors.Is(err, tt.want) || rang != tt.rang {
					t.Errorf("got %q, %v, rang %d times", answer, err, rang)
				}
				if tt.want == nil {
					if _, err := m.Play(t.Context(), bytes.NewReader(tone(time.Second)), modem.Far{}); err != nil {
						t.Error(err)
					}
				}
				hangUp(t, m)
				f.checkOnHook(t)
				dialled := slices.Contains(f.received(), "ATDT5550100;")
				if noTone := errors.Is(tt.want, modem.ErrNoDialTone); dialled == (tt.pulse || noTone) || (pulsed == "5550100") != (tt.pulse && !noTone) {
					t.Errorf("sent %q, pulsed %q", f.received(), pulsed)
				}
			})
		})
	}
}
