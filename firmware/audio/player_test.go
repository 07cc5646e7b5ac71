package audio_test

import (
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"hookswitch/firmware/audio"
)

// read takes d from p, less at its end.
func read(t testing.TB, p *audio.Player, d time.Duration) audio.Clip {
	t.Helper()
	b := make([]byte, 2*int(d.Seconds()*audio.Rate))
	n, err := io.ReadFull(p, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	c := make(audio.Clip, n/2)
	for i := range c {
		c[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return c
}

const minute = time.Minute // more than any clip here lasts

// ramp is a clip whose samples tell where they are.
func ramp(d time.Duration) audio.Clip {
	c := silence(d)
	for i := range c {
		c[i] = int16(i)
	}
	return c
}

func TestPlayerPlaysTheClipAsItIs(t *testing.T) {
	clip := audio.Prompt(audio.PromptShort)
	if got := read(t, audio.NewPlayer(clip), minute); !slices.Equal(got, clip) {
		t.Errorf("got %d samples, not the %d of the clip", len(got), len(clip))
	}
	want := make([]byte, 0, 2*len(clip))
	for _, s := range clip {
		want = binary.LittleEndian.AppendUint16(want, uint16(s))
	}
	if err := iotest.TestReader(audio.NewPlayer(clip), want); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(iotest.OneByteReader(audio.NewPlayer(clip))); err != nil || !slices.Equal(got, want) {
		t.Errorf("byte by byte: %d bytes, %v", len(got), err)
	}
}

func TestPlayerMoves(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name string
		do   func(p *audio.Player)
		want time.Duration // position after that, from 2 s
	}{
		{"nowhere", func(*audio.Player) {}, 2 * second},
		{"back", func(p *audio.Player) { p.Seek(-second) }, second},
		{"forward", func(p *audio.Player) { p.Seek(1500 * time.Millisecond) }, 3500 * time.Millisecond},
		{"back before the start", func(p *audio.Player) { p.Seek(-5 * second) }, 0},
		{"forward beyond the end", func(p *audio.Player) { p.Seek(5 * second) }, 4 * second},
		{"to the end", func(p *audio.Player) { p.ToEnd() }, 4 * second},
		{"to the end and back", func(p *audio.Player) { p.ToEnd(); p.Seek(-second) }, 3 * second},
		{"what was not heard", func(p *audio.Player) { p.Unheard(300 * time.Millisecond) }, 1700 * time.Millisecond},
		{"pause and resume", func(p *audio.Player) { p.Pause(); read(t, p, second); p.Resume() }, 2 * second},
		{"a pause of which half was not heard", func(p *audio.Player) {
			p.Pause()
			read(t, p, second)
			p.Unheard(500 * time.Millisecond)
			p.Resume()
		}, 2 * second},
		{"a pause that was not heard, nor what came before", func(p *audio.Player) {
			p.Pause()
			read(t, p, second)
			p.Unheard(1500 * time.Millisecond)
			p.Resume()
		}, 1500 * time.Millisecond},
		{"another clip", func(p *audio.Player) { p.Load(audio.NewMessage(ramp(second))) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := audio.NewPlayer(ramp(4 * second))
			read(t, p, 2*second)
			test.do(p)
			if got := p.Position(); (got - test.want).Abs() > time.Millisecond {
				t.Fatalf("at %v, want %v", got, test.want)
			}
			fade := read(t, p, 5*time.Millisecond)
			next := read(t, p, 10*time.Millisecond)
			if at := int(test.want.Seconds()*audio.Rate) + len(fade); len(next) > 0 && math.Abs(float64(int(next[0])-at)) > 8 {
				t.Errorf("plays from sample %d, want %d", next[0], at)
			} else if len(next) == 0 && test.want < 4*second {
				t.Error("plays nothing")
			}
		})
	}
}

func TestWhatWasNotHeardOfABlockReadInPart(t *testing.T) {
	p := audio.NewPlayer(ramp(2 * time.Second))
	read(t, p, 1007*time.Millisecond)
	p.Unheard(100 * time.Millisecond)
	if want := 907 * time.Millisecond; (p.Position() - want).Abs() > time.Millisecond {
		t.Errorf("at %v, want %v", p.Position(), want)
	}
}

func TestPlayerPausesForEver(t *testing.T) {
	p := audio.NewPlayer(ramp(time.Second))
	read(t, p, 500*time.Millisecond)
	p.Pause()
	if !p.Paused() {
		t.Error("not paused")
	}
	read(t, p, 5*time.Millisecond) // fades
	if got := read(t, p, 5*time.Second); len(got) != 5*audio.Rate || peak(got) != 0 {
		t.Errorf("a pause of %v with a peak of %d", got.Duration(), peak(got))
	}
	p.Resume()
	if got := read(t, p, minute); len(got) != 4000 || got[40] != 4040 {
		t.Errorf("after the pause: %d samples", len(got))
	}
}

func TestNothingThatAKeyDoesClicks(t *testing.T) {
	const seconds, hz, level = 4, 100, 8000
	hum := silence(seconds * time.Second)
	for i := range hum {
		hum[i] = int16(level * math.Sin(2*math.Pi*hz*float64(i)/audio.Rate))
	}
	steepest := 2 * math.Pi * hz * level / audio.Rate
	const odd = 1003 * time.Millisecond // not whole periods
	tests := []struct {
		name string
		do   func(p *audio.Player)
		cut  bool // the listener hears silence before
	}{
		{"pause", func(p *audio.Player) { p.Pause() }, false},
		{"pause, and on", func(p *audio.Player) { p.Pause(); read(t, p, odd); p.Resume() }, true},
		{"back", func(p *audio.Player) { p.Seek(-odd) }, false},
		{"forward", func(p *audio.Player) { p.Seek(odd) }, false},
		{"forward by a key that was pressed twice", func(p *audio.Player) { p.Seek(odd / 2); p.Seek(odd) }, false},
		{"faster", func(p *audio.Player) { p.Unheard(0); p.Faster() }, false},
		{"slower", func(p *audio.Player) { p.Unheard(0); p.Slower() }, false},
		{"back while it plays faster", func(p *audio.Player) { p.Seek(-odd) }, false},
		{"another message", func(p *audio.Player) { p.Load(audio.NewMessage(hum[20:])) }, false},
		{"what a modem has dropped", func(p *audio.Player) { p.Unheard(odd / 4) }, true},
		{"back over what a modem has dropped", func(p *audio.Player) { p.Unheard(odd / 4); p.Seek(-odd) }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := audio.NewPlayer(hum)
			if strings.Contains(test.name, "while it plays faster") {
				p.Faster()
			}
			heard := read(t, p, 1507*time.Millisecond)
			test.do(p)
			if test.cut {
				heard = audio.Clip{0}
			}
			heard = append(heard, read(t, p, 100*time.Millisecond)...)
			for i := 1; i < len(heard); i++ {
				if step := math.Abs(float64(heard[i]) - float64(heard[i-1])); step > steepest+2*level/40+5 {
					t.Fatalf("a step of %.0f at %v, a steepest of %.0f in the clip", step, heard[:i].Duration(), steepest)
				}
			}
		})
	}
}

func TestSpeedIsReachedInSteps(t *testing.T) {
	p := audio.NewPlayer(nil)
	for range 20 {
		p.Faster()
	}
	if p.Speed() != 2 {
		t.Errorf("fastest: %v, want 2", p.Speed())
	}
	seen := map[float64]bool{}
	for range 20 {
		seen[p.Speed()] = true
		p.Slower()
	}
	if p.Speed() != 0.6 || !seen[1] {
		t.Errorf("slowest: %v, want 0.6, by way of 1", p.Speed())
	}
}

// atSpeed plays clip that many steps faster or slower.
func atSpeed(t *testing.T, clip audio.Clip, steps int) (got audio.Clip, speed float64) {
	p := audio.NewPlayer(clip)
	for range steps {
		p.Faster()
	}
	for range -steps {
		p.Slower()
	}
	return read(t, p, minute), p.Speed()
}

func TestSpeedChangesTheLengthButNotThePitch(t *testing.T) {
	tone := audio.Tone([]float64{200, 400, 600}, 3*time.Second, -20)
	for steps := -3; steps <= 4; steps++ {
		got, speed := atSpeed(t, tone, steps)
		if want := 3 / speed; math.Abs(got.Duration().Seconds()-want) > 0.05 {
			t.Errorf("at %.2f: lasts %v, want %.2f s", speed, got.Duration(), want)
		}
		middle := got[len(got)/4 : len(got)*3/4]
		all := 0.0
		for _, hz := range []float64{200, 400, 600} {
			all += part(middle, hz)
		}
		if all < 0.95 {
			t.Errorf("at %.2f: only %.3f of the power is at the tone's own frequencies", speed, all)
		}
		if level := dBm0(middle) - dBm0(tone[8000:16000]); math.Abs(level) > 0.5 {
			t.Errorf("at %.2f: %.1f dB louder", speed, level)
		}
	}
}

// part is how much of the power of c is within 10 Hz of a frequency.
func part(c audio.Clip, hz float64) float64 {
	in, all := 0.0, 0.0
	n := float64(len(c))
	for f := hz - 10; f <= hz+10; f += audio.Rate / n {
		re, im := 0.0, 0.0
		for i, s := range c {
			sin, cos := math.Sincos(2 * math.Pi * f / audio.Rate * float64(i))
			re, im = re+cos*float64(s), im+sin*float64(s)
		}
		in += 2 * (re*re + im*im) / n
	}
	for _, s := range c {
		all += float64(s) * float64(s)
	}
	return in / all
}

func TestSpeechAtAnotherSpeedHasTheSamePitchAndNoGaps(t *testing.T) {
	speech := audio.Prompt(audio.PromptShort)
	for _, steps := range []int{-3, -1, 2, 4} {
		got, speed := atSpeed(t, speech, steps)
		if want := speech.Duration().Seconds() / speed; math.Abs(got.Duration().Seconds()-want) > 0.05 {
			t.Errorf("at %.2f: lasts %v, want %.2f s", speed, got.Duration(), want)
		}
		if d := activeLevel(got) - activeLevel(speech); math.Abs(d) > 1 {
			t.Errorf("at %.2f: %.1f dB louder", speed, d)
		}
		// Cheap measure of timbre: how often the wave crosses zero.
		if r := crossings(got) / crossings(speech); r < 0.9 || r > 1.1 {
			t.Errorf("at %.2f: crosses zero %.2f times as often", speed, r)
		}
		for i := 1; i < len(got); i++ {
			if d := int(got[i]) - int(got[i-1]); d > 32000 || d < -32000 {
				t.Errorf("at %.2f: a click at %d", speed, i)
			}
		}
	}
}

func crossings(c audio.Clip) float64 {
	n := 0
	for i := 1; i < len(c); i++ {
		if (c[i-1] < 0) != (c[i] < 0) {
			n++
		}
	}
	return float64(n) / float64(len(c))
}

func TestPositionFollowsTheSpeed(t *testing.T) {
	for steps := -3; steps <= 4; steps++ {
		p := audio.NewPlayer(audio.Prompt(audio.PromptMessage))
		for range steps {
			p.Faster()
		}
		for range -steps {
			p.Slower()
		}
		read(t, p, 3*time.Second)
		if want := time.Duration(3 * p.Speed() * float64(time.Second)); (p.Position() - want).Abs() > 30*time.Millisecond {
			t.Errorf("at %.2f: after 3 s at %v, want %v", p.Speed(), p.Position(), want)
		}
		before := p.Position()
		p.Unheard(time.Second)
		if want := before - time.Duration(p.Speed()*float64(time.Second)); (p.Position() - want).Abs() > 30*time.Millisecond {
			t.Errorf("at %.2f: with a second unheard at %v, want %v", p.Speed(), p.Position(), want)
		}
	}
}

func TestBackToNormalSpeedIsSeamless(t *testing.T) {
	const hz = 310
	tone := audio.Tone([]float64{hz}, 4*time.Second, -13)
	limit := 1.15 * float64(peak(tone)) * 2 * math.Pi * hz / audio.Rate
	for blocks := 20; blocks < 40; blocks++ {
		p := audio.NewPlayer(tone)
		p.Faster()
		c := read(t, p, time.Duration(blocks)*20*time.Millisecond)
		p.Slower()
		c = append(c, read(t, p, 100*time.Millisecond)...)
		for i := 1; i < len(c); i++ {
			if step := math.Abs(float64(c[i]) - float64(c[i-1])); step > limit {
				t.Fatalf("after %d blocks: a step of %.0f where the tone has %.0f at most", blocks, step, limit)
			}
		}
	}
}
