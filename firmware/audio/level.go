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
	l := leveller{pending: make([]float32, len(c))}
	for i, s := range c {
		l.pending[i] = float32(s)
	}
	l.hear(l.pending)
	out := make(Clip, 0, len(c))
	for piece := l.next(true); piece != nil; piece = l.next(true) {
		out = append(out, piece...)
	}
	return out
}

// lookAhead is how much of a message is heard before any of it is played: how loud the
// speech in it is, is known by then well enough.
const lookAhead = 30 * Rate

// leveller levels sound as it comes, in pieces of a second. Each is as loud as what was heard
// of the message by then, lookAhead beyond it, makes it; between pieces the gain glides.
type leveller struct {
	powers  powers
	part    []float32 // of a frame that is not yet in powers
	pending []float32 // heard and not yet levelled

	begun  bool
	dc     float64
	gain   float64
	before [2 * limitReach]float32 // levelled but not limited, what the limiter needs around a piece
	loud   []float32               // levelled, not yet limited
	work   []float32
	out    []int16
}

// write takes what comes next.
func (l *leveller) write(in []float32) {
	l.pending = append(l.pending, in...)
	l.hear(in)
}

func (l *leveller) hear(in []float32) {
	for len(in) > 0 {
		if len(l.part) == 0 && len(in) >= frame {
			l.powers.add(in[:frame])
			in = in[frame:]
			continue
		}
		n := min(len(in), frame-len(l.part))
		l.part = append(l.part, in[:n]...)
		in = in[n:]
		if len(l.part) == frame {
			l.powers.add(l.part)
			l.part = l.part[:0]
		}
	}
}

// next returns a piece, which is good until the next call; nil as long as too little was
// heard, and after the last, where end says that there is no more.
func (l *leveller) next(end bool) []int16 {
	const piece = Rate
	if end && len(l.part) > 0 {
		l.powers.add(l.part)
		l.part = l.part[:0]
	}
	if len(l.pending) >= lookAhead || end && len(l.pending) > 0 {
		n := min(piece, len(l.pending))
		l.raise(l.pending[:n])
		l.pending = l.pending[:copy(l.pending, l.pending[n:])]
	}
	n := len(l.loud)
	if !end || len(l.pending) > 0 {
		n = max(0, n-2*limitReach) // they depend on what comes
	}
	if n == 0 {
		return nil
	}
	l.work = append(append(l.work[:0], l.before[:]...), l.loud...)
	copy(l.before[:], l.work[n:])
	limit(l.work)
	l.out = l.out[:0]
	for _, s := range l.work[len(l.before) : len(l.before)+n] {
		l.out = append(l.out, round16(s))
	}
	l.loud = l.loud[:copy(l.loud, l.loud[n:])]
	return l.out
}

// raise brings a piece to its level, in loud.
func (l *leveller) raise(piece []float32) {
	const slow = 5 * Rate // how slowly the offset is followed, in samples
	gain := 1.0
	if level := l.powers.level(); level >= quietest {
		gain = math.Pow(10, math.Min(nominal-level, mostGain)/20)
	}
	if !l.begun {
		l.begun, l.gain = true, gain
		for _, s := range l.pending {
			l.dc += float64(s) / float64(len(l.pending))
		}
	}
	step := (gain - l.gain) / float64(len(piece))
	for _, s := range piece {
		x := float64(s) - l.dc
		l.dc += x / slow
		l.gain += step
		l.loud = append(l.loud, float32(l.gain*x))
	}
	l.gain = gain
}

// powers counts frames by their power, in tenths of a dB.
type powers [1200]struct {
	n   int
	sum float64
}

// add takes a frame; its DC does not count.
func (p *powers) add(c []float32) {
	sum, squares := 0.0, 0.0
	for _, s := range c {
		sum += float64(s)
		squares += float64(s) * float64(s)
	}
	n := float64(len(c))
	power := squares/n - sum/n*sum/n
	if power < 1e-2 { // digital silence
		return
	}
	bin := &p[max(0, min(int(100*math.Log10(power))+200, len(p)-1))]
	bin.n++
	bin.sum += power
}

// level is the mean power, in dBm0, over those 20 ms in which somebody speaks: all that are
// less than 16 dB below the mean itself (the margin of ITU-T P.56).
func (p *powers) level() float64 {
	const margin = 1.0 / 40 // 16 dB
	mean, active := 0.0, -1
	for {
		sum, n := 0.0, 0
		for i := range p {
			if bin := &p[i]; bin.n > 0 && bin.sum >= mean*margin*float64(bin.n) {
				sum += bin.sum
				n += bin.n
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

// limitReach is 5 ms.
const limitReach = Rate * 5 / 1000

// limit turns down what would clip, 5 ms before and after each peak, so smoothly that a
// listener does not notice.
func limit(c []float32) {
	const (
		ceiling = 31000 // leaves room for a modem's own filters
		reach   = limitReach
	)
	loudest := float32(0)
	for _, s := range c {
		loudest = max(loudest, s, -s)
	}
	if loudest <= ceiling {
		return
	}
	gains := make([]float32, len(c)+2*reach)
	for i := range gains {
		gains[i] = 1
	}
	for i, s := range c {
		if s = max(s, -s); s > ceiling {
			for j := i; j <= i+2*reach; j++ { // peaks are few
				gains[j] = min(gains[j], ceiling/s)
			}
		}
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
