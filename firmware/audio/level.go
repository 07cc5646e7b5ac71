package audio

import "math"

// Levels are in dBm0, the level at a point of reference in the telephone network. ITU-T
// G.711 §4 puts the largest sine wave of a 16-bit (14-bit, µ-law) signal at +3.17 dBm0.
const (
	fullScale = 3.17 // dBm0 of a sine wave with peaks of 32767
	nominal   = -13  // dBm0 of speech, while it lasts (ITU-T G.101: mean active level)
	quietest  = -50  // dBm0; below that there is nothing worth making louder
	mostGain  = 30   // dB
)

// Level returns a copy of c with its speech level at a telephone line's nominal −13 dBm0,
// without clipping and without its DC. What is no louder than noise stays as quiet as it is.
func Level(c Clip) Clip {
	out := withoutDC(c)
	level := speechLevel(out)
	if level < quietest {
		return out
	}
	gain := math.Pow(10, math.Min(nominal-level, mostGain)/20)
	loud := make([]float32, len(out))
	for i, s := range out {
		loud[i] = float32(gain * float64(s))
	}
	limit(loud)
	for i, s := range loud {
		out[i] = round16(s)
	}
	return out
}

func withoutDC(c Clip) Clip {
	out := make(Clip, len(c))
	if len(c) == 0 {
		return out
	}
	sum := int64(0)
	for _, s := range c {
		sum += int64(s)
	}
	dc := float32(float64(sum) / float64(len(c)))
	for i, s := range c {
		out[i] = round16(float32(s) - dc)
	}
	return out
}

// speechLevel is the mean power of c, in dBm0, over those 20 ms in which somebody speaks:
// all that are less than 16 dB below the mean itself (the margin of ITU-T P.56).
func speechLevel(c Clip) float64 {
	const margin = 1.0 / 40 // 16 dB
	var powers []float64
	for len(c) > 0 {
		n := min(frame, len(c))
		powers = append(powers, power(c[:n]))
		c = c[n:]
	}
	mean, active := 0.0, -1
	for {
		sum, n := 0.0, 0
		for _, p := range powers {
			if p > 0 && p >= mean*margin {
				sum += p
				n++
			}
		}
		if n == 0 {
			return dBm0(0)
		}
		mean = sum / float64(n)
		if n == active {
			return dBm0(mean)
		}
		active = n
	}
}

// limit turns down what would clip, 5 ms before and after each peak, so smoothly that a
// listener does not notice.
func limit(c []float32) {
	const (
		ceiling = 31000 // leaves room for a modem's own filters
		reach   = Rate * 5 / 1000
	)
	gains := make([]float32, len(c)+2*reach)
	limited := false
	for i := range gains {
		gains[i] = 1
	}
	for i, s := range c {
		if s = max(s, -s); s > ceiling {
			limited = true
			for j := i; j <= i+2*reach; j++ { // peaks are few
				gains[j] = min(gains[j], ceiling/s)
			}
		}
	}
	if !limited {
		return
	}
	// The mean of 2·reach+1 minima, each of which is low enough, is low enough.
	sum := float64(0)
	for _, g := range gains[:2*reach] {
		sum += float64(g)
	}
	for i := range c {
		sum += float64(gains[i+2*reach])
		c[i] *= float32(sum / (2*reach + 1))
		sum -= float64(gains[i])
	}
}

// frame is the time, in samples, over which a level is measured: 20 ms.
const frame = Rate / 50

func power(c []int16) float64 {
	sum := int64(0)
	for _, s := range c {
		sum += int64(s) * int64(s)
	}
	return float64(sum) / float64(max(1, len(c)))
}

// dBm0 is the level of a signal with this mean square.
func dBm0(power float64) float64 {
	if power == 0 {
		return -100
	}
	return 10*math.Log10(power/(32767*32767/2)) + fullScale
}

// amplitude is the peak of a sine wave of this level.
func amplitude(dBm0 float64) float64 { return 32767 * math.Pow(10, (dBm0-fullScale)/20) }

// round16 rounds half away from zero. It has no branch on the sign, which nothing can foretell.
func round16(s float32) int16 {
	if s >= math.MaxInt16 {
		return math.MaxInt16
	}
	if s <= math.MinInt16 {
		return math.MinInt16
	}
	const half, sign = 0x3f000000, 1 << 31
	return int16(int32(s + math.Float32frombits(half|math.Float32bits(s)&sign)))
}
