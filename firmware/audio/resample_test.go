package audio_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

var rates = []int{4000, 6000, 7200, 8000, 8003, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000}

// A tone that a telephone carries must come out as it is; one that it does not must not
// come out as another.
func TestResamplingKeepsTheTelephoneBandAndNothingElse(t *testing.T) {
	for _, rate := range rates {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			for _, hz := range []float64{200, 300, 1000, 2000, 3000, 3400} {
				if hz > 0.42*float64(rate) {
					continue
				}
				got := middle(decode(t, wav(rate, 1, sine(rate, hz, 500*time.Millisecond))))
				if level := dB(got); math.Abs(level) > 0.1 {
					t.Errorf("%.0f Hz: %.2f dB, want 0", hz, level)
				}
				if off := snr(audio.Clip(sine(8000, hz, 500*time.Millisecond))[800:3200], got); off < 55 {
					t.Errorf("%.0f Hz: not the same wave: %.1f dB", hz, off)
				}
			}
			for _, hz := range []float64{4400, 4700, 5000, 6000, 7900, 8000, 9100, 11000, 15900, 16000, 20000, 23000, 40100, 64000, 90000} {
				if rate <= 8003 || hz > 0.49*float64(rate) {
					continue
				}
				if level := dB(middle(decode(t, wav(rate, 1, sine(rate, hz, 500*time.Millisecond))))); level > -60 {
					t.Errorf("%.0f Hz: %.1f dB of an alias, want less than -60", hz, level)
				}
			}
		})
	}
}

// middle is what the edges of a tone do not disturb.
func middle(c audio.Clip) audio.Clip { return c[800:3200] }

func TestUpsamplingMakesNoImages(t *testing.T) {
	const rate, hz = 4000, 1500 // the image would be at 2500 Hz
	got := decode(t, wav(rate, 1, sine(rate, hz, time.Second)))[1600:4800]
	want := audio.Clip(sine(8000, hz, time.Second))[1600:4800]
	if off := snr(want, got); off < 60 {
		t.Errorf("got something else in the sound, %.1f dB below", off)
	}
}

func TestResampledLength(t *testing.T) {
	for _, rate := range rates {
		for _, n := range []int{1000, 4097, rate / 3} {
			c := decode(t, wav(rate, 1, make([]int16, n)))
			if want := int(math.Ceil(float64(n) * 8000 / float64(rate))); len(c) != want {
				t.Errorf("%d samples at %d Hz: got %d, want %d", n, rate, len(c), want)
			}
		}
	}
}

func TestSpeechIsResampledAsSoxDoes(t *testing.T) {
	dir := workDir(t)
	for _, rate := range []string{"6000", "11025", "16000", "44100", "48000", "96000"} {
		sh(t, dir, "sox -D -v 0.7 speech.wav -r "+rate+" in.wav; sox -D in.wav -r 8000 ref.wav; sox -D ref.wav ref3.wav sinc -t 400 -2800")
		got, want := decodeFile(t, filepath.Join(dir, "in.wav")), decodeFile(t, filepath.Join(dir, "ref.wav"))
		if r := correlation(want, got); r < 0.999 {
			t.Errorf("%s Hz: correlation %.5f with sox's", rate, r)
		}
	}
}

func correlation(a, b audio.Clip) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}
