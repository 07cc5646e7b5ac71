package mp3

import "math"

// synth is the synthesis filter bank, §2.4.3.2.2, which makes only every divide-th sample.
// As the subbands left out hold nothing of what remains, that is no more than leaving out.
type synth struct {
	n       int // samples, and subbands, of a time slot: 32/divide
	first   int // of the 32 samples, the first that is made
	matrix  [64][32]float32
	windows [16][32]float32
	history [16][64]float32 // the latest vectors V, of which each half has n values
	newest  int
}

func (s *synth) init(divide, first int) {
	s.n, s.first = 32/divide, first
	for q := range 2 * s.n {
		i := first + q*divide // in V of 64
		for k := range s.n {
			s.matrix[q][k] = float32(math.Cos(math.Pi / 64 * float64((16+i)*(2*k+1))))
		}
	}
	for t := range s.windows {
		for q := range s.n {
			s.windows[t][q] = float32(windowAt(32*t+first+q*divide)) / 65536
		}
	}
}

// windowAt is the i-th of the window's 512 values.
func windowAt(i int) int32 {
	switch {
	case i <= 256:
		return window[i]
	case i%64 == 0:
		return window[512-i]
	}
	return -window[512-i]
}

// write makes the samples of a granule.
func (s *synth) write(out []float32, slots *[18][32]float32) {
	for t := range slots {
		s.newest = (s.newest + 15) % 16
		if s.n == 32 {
			s.vector32(&slots[t])
		} else {
			s.vector(slots[t][:s.n])
		}
		s.slot(out[t*s.n:][:s.n])
	}
}

// vector makes V of a row of subbands.
func (s *synth) vector(row []float32) {
	v := s.history[s.newest][:2*s.n]
	for q := range v {
		m := s.matrix[q][:len(row)]
		var a, b float32
		for k := 0; k+1 < len(row); k += 2 {
			a += row[k] * m[k]
			b += row[k+1] * m[k+1]
		}
		v[q] = a + b
	}
}

// vector32 makes all of V in a quarter of the products: V[i] needs only the sums (i even) or
// the differences (i odd) of subbands k and 31-k, and 32 of the 64 are copies of the others.
func (s *synth) vector32(row *[32]float32) {
	var fold [2][16]float32
	for k := range 16 {
		fold[0][k] = row[k] + row[31-k]
		fold[1][k] = row[k] - row[31-k]
	}
	v := &s.history[s.newest]
	for i := 17; i <= 48; i++ {
		x, m := &fold[i&1], (*[16]float32)(s.matrix[i][:])
		v[i] = x[0]*m[0] + x[1]*m[1] + x[2]*m[2] + x[3]*m[3] +
			(x[4]*m[4] + x[5]*m[5] + x[6]*m[6] + x[7]*m[7]) +
			(x[8]*m[8] + x[9]*m[9] + x[10]*m[10] + x[11]*m[11]) +
			(x[12]*m[12] + x[13]*m[13] + x[14]*m[14] + x[15]*m[15])
	}
	v[16] = 0
	for i := range 16 {
		v[i] = -v[32-i]
	}
	for i := 49; i < 64; i++ {
		v[i] = v[96-i]
	}
}

// slot makes the samples of the newest time slot.
func (s *synth) slot(out []float32) {
	clear(out)
	for t := 0; t < 16; t += 4 {
		v0, w0 := s.tap(t, len(out))
		v1, w1 := s.tap(t+1, len(out))
		v2, w2 := s.tap(t+2, len(out))
		v3, w3 := s.tap(t+3, len(out))
		for q := range out {
			out[q] += w0[q]*v0[q] + w1[q]*v1[q] + w2[q]*v2[q] + w3[q]*v3[q]
		}
	}
}

// tap is the half of the vector t slots ago that counts, and its part of the window.
func (s *synth) tap(t, n int) (v, w []float32) {
	return s.history[(s.newest+t)%16][t%2*n:][:n], s.windows[t][:n]
}
