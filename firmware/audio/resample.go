package audio

import "math"

// A resampler brings samples to Rate: finite impulse responses, flat below 0.85 of the
// lower of the two Nyquist frequencies (3400 Hz) and 70 dB down where aliases would fall
// into that band. High rates are first divided by a whole number, with a short filter.
type resampler struct {
	rate   int
	stages []*stage
	bufs   [][]float32 // between the stages
}

func newResampler(rate int) *resampler {
	r := &resampler{rate: rate}
	if rate == Rate {
		return r
	}
	k := max(1, rate/(3*Rate/2))
	between := float64(rate) / float64(k)
	nyquist := float64(min(rate, Rate)) / 2
	pass, stop := 0.85*nyquist, 1.0625*nyquist
	if k > 1 {
		r.stages = append(r.stages, newStage(float64(rate), 1, k, pass, between-stop))
		r.bufs = append(r.bufs, nil)
	}
	g := gcd(Rate*k, rate)
	r.stages = append(r.stages, newStage(between, Rate*k/g, rate/g, pass, stop))
	return r
}

// write appends what in becomes to out, which is empty: at Rate it is in itself.
func (r *resampler) write(out, in []float32) []float32 {
	if len(r.stages) == 0 {
		return in
	}
	for i := range r.bufs {
		r.bufs[i] = r.stages[i].write(r.bufs[i][:0], in)
		in = r.bufs[i]
	}
	return r.stages[len(r.bufs)].write(out, in)
}

// flush appends what is left in the filters to out.
func (r *resampler) flush(out []float32) []float32 {
	rest := 0
	for i := len(r.stages) - 1; i >= 0; i-- {
		s := r.stages[i]
		rest = (rest+1)*s.down/s.up + s.taps
	}
	return r.write(out, make([]float32, rest))
}

// length is how many samples n of the file make.
func (r *resampler) length(n int) int {
	return int((int64(n)*Rate + int64(r.rate) - 1) / int64(r.rate))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// A stage is a polyphase filter: up samples out for down samples in.
type stage struct {
	up, down int
	taps     int       // of one row
	rows     int       // of table, one a phase, or as many as are close enough
	table    []float32 // rows of taps
	buf      []float32 // samples in that are still needed
	pos      int       // in buf, of the next output's first tap
	phase    int       // of up
}

// newStage makes a filter that passes what is below pass, in Hz, and stops what is above stop.
func newStage(rate float64, up, down int, pass, stop float64) *stage {
	const (
		attenuation = 70 // dB
		enough      = 2048
	)
	// The number of taps and the window's shape are Kaiser's.
	taps := int(math.Ceil((attenuation-8)/(2.285*2*math.Pi*(stop-pass)/rate)))/2*2 + 2
	beta := 0.1102 * (attenuation - 8.7)
	s := &stage{up: up, down: down, taps: taps, rows: min(up, enough)}
	s.table = make([]float32, s.rows*taps)
	s.buf = make([]float32, taps/2-1)
	cutoff := (pass + stop) / rate
	row := make([]float64, taps)
	for phase := range s.rows {
		sum := 0.0
		for i := range row {
			t := float64(i-(taps/2-1)) - float64(phase)/float64(s.rows)
			x := 2 * t / float64(taps)
			row[i] = sinc(cutoff*t) * bessel0(beta*math.Sqrt(max(0, 1-x*x)))
			sum += row[i]
		}
		for i, h := range row { // every phase has the same gain, or it would hum
			s.table[phase*taps+i] = float32(h / sum)
		}
	}
	return s
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of the first kind and order 0.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-9; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

func (s *stage) write(out, in []float32) []float32 {
	s.buf = append(s.buf, in...)
	pos, phase := s.pos, s.phase
	for pos+s.taps <= len(s.buf) {
		row := phase * s.rows / s.up
		out = append(out, dot(s.table[row*s.taps:][:s.taps], s.buf[pos:]))
		phase += s.down
		pos += phase / s.up
		phase %= s.up
	}
	used := min(pos, len(s.buf))
	s.buf = s.buf[:copy(s.buf, s.buf[used:])]
	s.pos, s.phase = pos-used, phase
	return out
}

// dot is the sum of the products of a and as much of b, which is not shorter.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		s0 += a[0]*b[0] + a[4]*b[4]
		s1 += a[1]*b[1] + a[5]*b[5]
		s2 += a[2]*b[2] + a[6]*b[6]
		s3 += a[3]*b[3] + a[7]*b[7]
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}
