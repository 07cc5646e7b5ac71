package audio_test

import (
	"testing"

	"hookswitch/firmware/audio"
)

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
