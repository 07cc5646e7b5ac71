package mp3

import "math"

// hybrid turns spectra into subband samples, §2.4.3.4.10.
type hybrid struct {
	bands   int // of 32, the ones that matter
	overlap [32][18]float32
	out     [18][32]float32 // a row of subbands for each time slot
}

func (h *hybrid) init(bands int) { h.bands = bands }

func (h *hybrid) transform(g *granule) {
	active := 0
	for _, b := range g.blocks {
		b.reduceAlias(h.bands)
		active = max(active, min((b.n+17)/18+1, h.bands))
	}
	for sb := range h.bands {
		overlap := &h.overlap[sb]
		for t := range overlap {
			h.out[t][sb] = overlap[t]
		}
		if sb >= active {
			*overlap = [18]float32{}
			continue
		}
		for i, b := range g.blocks {
			var y [36]float32
			b.inverse(&y, sb)
			for t := range overlap {
				h.out[t][sb] += y[t]
			}
			if i == 0 {
				*overlap = [18]float32(y[18:])
				continue
			}
			for t := range overlap {
				overlap[t] += y[18+t]
			}
		}
	}
	for t := 1; t < 18; t += 2 { // every second subband is upside down
		row := h.out[t][:h.bands]
		for sb := 1; sb < len(row); sb += 2 {
			row[sb] = -row[sb]
		}
	}
}

// aliasSin and aliasCos are made of the coefficients of table B.9.
var aliasCos, aliasSin = func() (cs, ca [8]float32) {
	for i, c := range [8]float64{-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037} {
		cs[i] = float32(1 / math.Sqrt(1+c*c))
		ca[i] = float32(c / math.Sqrt(1+c*c))
	}
	return cs, ca
}()

// reduceAlias undoes the overlap of neighbouring subbands, in long blocks only.
func (b *block) reduceAlias(bands int) {
	to := min((b.n+17)/18+1, bands)
	if b.kind == short {
		to = 0
		if b.mixed {
			to = b.long / 18
		}
	}
	for sb := 1; sb < to; sb++ {
		low, high := (*[8]float32)(b.x[18*sb-8:]), (*[8]float32)(b.x[18*sb:])
		for i := range 8 {
			l, u := low[7-i], high[i]
			low[7-i] = l*aliasCos[i] - u*aliasSin[i]
			high[i] = u*aliasCos[i] + l*aliasSin[i]
		}
	}
}

// inverse is the inverse MDCT of a subband, with its window.
func (b *block) inverse(y *[36]float32, sb int) {
	x := (*[18]float32)(b.x[18*sb:])
	kind := b.kind
	if kind == short && b.mixed && 18*sb < b.long {
		kind = 0
	}
	if kind == short {
		inverseShort(y, x)
		return
	}
	// The 36 values are 18 of a DCT-IV, t, unfolded.
	var t [18]float32
	for n := range t {
		m := &dct[n]
		t[n] = x[0]*m[0] + x[1]*m[1] + x[2]*m[2] + x[3]*m[3] + x[4]*m[4] + x[5]*m[5] +
			(x[6]*m[6] + x[7]*m[7] + x[8]*m[8] + x[9]*m[9] + x[10]*m[10] + x[11]*m[11]) +
			(x[12]*m[12] + x[13]*m[13] + x[14]*m[14] + x[15]*m[15] + x[16]*m[16] + x[17]*m[17])
	}
	w := &windows[kind]
	for i := range 9 {
		y[i] = t[9+i] * w[i]
		y[17-i] = -t[9+i] * w[17-i]
		y[18+i] = -t[8-i] * w[18+i]
		y[35-i] = -t[8-i] * w[35-i]
	}
}

// inverseShort makes three windows of 12, each 6 later than the one before.
func inverseShort(y *[36]float32, x *[18]float32) {
	for w := range 3 {
		for i := range 12 {
			sum := float32(0)
			for k := range 6 {
				sum += x[w+3*k] * shortDCT[i][k]
			}
			y[6+6*w+i] += sum
		}
	}
}

// dct is a DCT-IV of 18; windows are §2.4.3.4.10.3's; shortDCT has its window in it.
var (
	dct = func() (m [18][18]float32) {
		for n := range m {
			for k := range m[n] {
				m[n][k] = float32(math.Cos(math.Pi / 72 * float64((2*n+1)*(2*k+1))))
			}
		}
		return m
	}()
	windows = func() (w [4][36]float32) {
		for i := range 36 {
			long := float32(math.Sin(math.Pi / 36 * (float64(i) + 0.5)))
			w[0][i] = long
			switch {
			case i < 18:
				w[1][i] = long
			case i < 24:
				w[1][i] = 1
			case i < 30:
				w[1][i] = float32(math.Sin(math.Pi / 12 * (float64(i-18) + 0.5)))
			}
		}
		for i := range 36 {
			w[3][i] = w[1][35-i]
		}
		return w
	}()
	shortDCT = func() (m [12][6]float32) {
		for i := range m {
			for k := range m[i] {
				m[i][k] = float32(math.Sin(math.Pi/12*(float64(i)+0.5)) * math.Cos(math.Pi/24*float64((2*i+7)*(2*k+1))))
			}
		}
		return m
	}()
)
