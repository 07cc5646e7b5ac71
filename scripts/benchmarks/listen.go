package main

import (
	"bytes"
	"os"
	"time"

	"hookswitch/firmware/audio"
)

// mostListening is how much of a processor listening to one line may take, in percent: 32
// lines are a third of a core like this one.
const mostListening = 1

// listen measures what it takes to listen to one line, in percent of a processor: to a
// person's voice, in which every sound might be a key, to keys, and to ringback. Sound comes
// in pieces of 20 ms, as a port delivers it.
func listen() ([]Result, error) {
	file, err := os.ReadFile(speech)
	if err != nil {
		return nil, err
	}
	voice, err := audio.Decode(bytes.NewReader(file), time.Minute)
	if err != nil {
		return nil, err
	}
	ringing := append(audio.Tone([]float64{440, 480}, 2*time.Second, -16), make(audio.Clip, 4*audio.Rate)...)
	keys := audio.DTMF("1234567890*#", 100*time.Millisecond, 100*time.Millisecond)
	var sent audio.Echo
	hearEcho := func(_ *audio.Keys, _ *audio.Progress, piece audio.Clip) { sent.Sent(piece, time.Time{}) }
	hearKeys := func(k *audio.Keys, _ *audio.Progress, piece audio.Clip) { k.Hear(piece) }
	hearTones := func(_ *audio.Keys, p *audio.Progress, piece audio.Clip) { p.Hear(piece) }
	var results []Result
	for _, b := range []struct {
		name string
		clip audio.Clip
		hear func(*audio.Keys, *audio.Progress, audio.Clip)
	}{
		{"keys (DTMF) in speech", voice, hearKeys},
		{"keys (DTMF) while they are pressed", keys, hearKeys},
		{"keys (DTMF) in the speech that is sent", voice, hearEcho},
		{"call progress in speech", voice, hearTones},
		{"call progress in ringback", ringing, hearTones},
	} {
		results = append(results, bound("Listening for "+b.name, "% of a CPU, per line", listening(b.clip, b.hear), mostListening))
	}
	return results, nil
}

// listening is the share of a processor, in percent, for an hour of clip again and again.
func listening(clip audio.Clip, hear func(*audio.Keys, *audio.Progress, audio.Clip)) float64 {
	const piece = audio.Rate / 50
	var keys audio.Keys
	progress := audio.NewProgress(audio.PlanOf("us"))
	before, heard := cpuTime(), time.Duration(0)
	for heard < time.Hour {
		for rest := clip; len(rest) > 0; {
			n := min(piece, len(rest))
			hear(&keys, progress, rest[:n])
			rest = rest[n:]
		}
		heard += clip.Duration()
	}
	return 100 * float64(cpuTime()-before) / float64(heard)
}
