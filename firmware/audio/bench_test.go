package audio_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// BenchmarkTranscode reports how many times faster than real time a message is decoded and
// brought to 8000 Hz, and the speed against sox (its start included) on the same file.
func BenchmarkTranscode(b *testing.B) {
	for _, test := range []struct{ name, make, sox string }{
		{"WAV-16-44100-stereo", "cp long.wav in", "-t wav"},
		{"WAV-24-48000", "sox -D long.wav -r 48000 -c 1 -b 24 -t wav in", "-t wav"},
		{"G.711", "sox long.wav -r 8000 -c 1 -e u-law -t wav in", "-t wav"},
		{"GSM", "sox long.wav -r 8000 -c 1 -e gsm-full-rate -t wav in", "-t wav"},
		{"IMA-ADPCM", "sox long.wav -r 8000 -c 1 -e ima-adpcm -t wav in", "-t wav"},
		{"MS-ADPCM", "sox long.wav -r 8000 -c 1 -e ms-adpcm -t wav in", "-t wav"},
		{"MP3-8000", "lame --quiet --resample 8 -m m -b 16 long.wav in", "-t mp3"},
		{"MP3-16000", "lame --quiet --resample 16 -m m -b 16 long.wav in", "-t mp3"},
		{"MP3-44100-stereo", "lame --quiet -b 64 long.wav in", "-t mp3"},
		{"FLAC-44100-stereo", "flac --totally-silent long.wav -o in", "-t flac"},
		{"Opus", "opusenc --quiet --bitrate 24 long.wav in", ""},
	} {
		b.Run(test.name, func(b *testing.B) {
			dir := b.TempDir()
			speech, err := filepath.Abs("testdata/speech.wav")
			if err != nil {
				b.Fatal(err)
			}
			sh(b, dir, "sox "+speech+" -r 44100 -c 2 long.wav repeat 36; "+test.make)
			file, err := os.ReadFile(filepath.Join(dir, "in"))
			if err != nil {
				b.Fatal(err)
			}
			var clip audio.Clip
			for b.Loop() {
				if clip, err = audio.Decode(bytes.NewReader(file), time.Hour); err != nil {
					b.Fatal(err)
				}
			}
			ours := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(clip.Duration())/float64(ours), "x-real-time")
			if test.sox != "" {
				start := time.Now()
				sh(b, dir, "sox "+test.sox+" in -r 8000 -c 1 -e signed -b 16 out.wav")
				b.ReportMetric(float64(time.Since(start))/float64(ours), "x-sox")
			}
		})
	}
}

// BenchmarkHear reports how many lines one processor could listen to.
func BenchmarkHear(b *testing.B) {
	speech := audio.Prompt(audio.PromptMessage)
	tone := cadence([]float64{440, 480}, -20, 12*time.Second, 2000, 4000)
	for _, test := range []struct {
		name string
		clip audio.Clip
		hear func(audio.Clip)
	}{
		{"keys-in-speech", speech, func(c audio.Clip) { new(audio.Keys).Hear(c) }},
		{"tones-in-speech", speech, func(c audio.Clip) { audio.NewProgress(audio.PlanOf("us")).Hear(c) }},
		{"tones-in-ringback", tone, func(c audio.Clip) { audio.NewProgress(audio.PlanOf("us")).Hear(c) }},
		{"silence-in-speech", speech, func(c audio.Clip) { new(audio.Silence).Hear(c) }},
	} {
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				test.hear(test.clip)
			}
			b.ReportMetric(float64(test.clip.Duration())*float64(b.N)/float64(b.Elapsed()), "lines/CPU")
		})
	}
}

// BenchmarkSpeed is a message played at another speed.
func BenchmarkSpeed(b *testing.B) {
	clip := audio.Prompt(audio.PromptMessage)
	buf := make([]byte, 320)
	for b.Loop() {
		p := audio.NewPlayer(clip)
		p.Faster()
		for {
			if _, err := p.Read(buf); err != nil {
				break
			}
		}
	}
	b.ReportMetric(float64(clip.Duration())*float64(b.N)/float64(b.Elapsed()), "x-real-time")
}
