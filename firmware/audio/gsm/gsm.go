// Package gsm decodes GSM full rate speech, 13 kbit/s, 8000 Hz: RPE-LTP, ETSI EN 300 961
// (GSM 06.10). It is bit exact.
package gsm

import "encoding/binary"

// Sizes of a frame, 20 ms.
const (
	Samples   = 160
	FrameSize = 33 // bytes: a signature of 4 bits, 0xD, and 260 bits, the most significant first
	BlockSize = 65 // bytes of two frames as WAV files hold them: 520 bits, the least significant first
)

// Decoder holds what one frame leaves for the next. The zero value is ready.
type Decoder struct {
	residual [120 + 40]int16 // the latest 120 samples of the short-term residual (dp), then 40 new ones
	lag      int             // of the long-term predictor, last (nrp)
	lars     [2][8]int16     // log-area ratios of this frame and the one before (LARpp)
	now      int             // which of lars is this frame's
	filter   [9]int32        // of the short-term synthesis (v)
	emphasis int16           // of the de-emphasis (msr)
}

// frame is the parameters of a frame, EN 300 961 table 1.
type frame struct {
	lar [8]int16
	sub [4]subframe
}

type subframe struct {
	lag, gain, grid, max int16
	pulses               [13]int16
}

// Frame decodes the first FrameSize bytes of b into out.
func (d *Decoder) Frame(out *[Samples]int16, b []byte) {
	var buf [FrameSize + 8]byte
	copy(buf[:], b[:FrameSize])
	at := 4
	f := parameters(func(n int) int16 {
		v := binary.BigEndian.Uint64(buf[at/8:]) << (at % 8) >> (64 - n)
		at += n
		return int16(v)
	})
	d.decode(out, &f)
}

// Block decodes the first BlockSize bytes of b into out.
func (d *Decoder) Block(out *[2 * Samples]int16, b []byte) {
	var buf [BlockSize + 8]byte
	copy(buf[:], b[:BlockSize])
	at := 0
	bits := func(n int) int16 {
		v := binary.LittleEndian.Uint64(buf[at/8:]) >> (at % 8) & (1<<n - 1)
		at += n
		return int16(v)
	}
	for i := range 2 {
		f := parameters(bits)
		d.decode((*[Samples]int16)(out[i*Samples:]), &f)
	}
}

// parameters takes a frame apart: EN 300 961 §1.7, table 1.1.
func parameters(bits func(n int) int16) (f frame) {
	for i, n := range [8]int{6, 6, 5, 5, 4, 4, 3, 3} {
		f.lar[i] = bits(n)
	}
	for i := range f.sub {
		s := &f.sub[i]
		s.lag, s.gain, s.grid, s.max = bits(7), bits(2), bits(2), bits(6)
		for j := range s.pulses {
			s.pulses[j] = bits(3)
		}
	}
	return f
}

// decode is EN 300 961 §5.3.
func (d *Decoder) decode(out *[Samples]int16, f *frame) {
	var residual [Samples]int16
	for i := range f.sub {
		var excitation [40]int16
		f.sub[i].excite(&excitation)
		d.predict(&excitation, &f.sub[i])
		copy(residual[40*i:], d.residual[120:])
		copy(d.residual[:120], d.residual[40:])
	}
	d.synthesise(out, &residual, &f.lar)
	for i, s := range out { // §5.3.5-7: de-emphasis, upscaling, truncation to 13 bits
		d.emphasis = add(s, multR(d.emphasis, 28180))
		out[i] = add(d.emphasis, d.emphasis) &^ 7
	}
}

// inverseMantissa is FAC of table 5.6.
var inverseMantissa = [8]int16{18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767}

// excite makes the excitation of its pulses: §5.3.1, with §5.2.15-17 for the way back.
func (s *subframe) excite(out *[40]int16) {
	exp, mant := int16(0), int16(0)
	if s.max > 15 {
		exp = s.max>>3 - 1
	}
	mant = s.max - exp<<3
	if mant == 0 {
		exp, mant = -4, 7
	} else {
		for mant <= 7 {
			mant = mant<<1 | 1
			exp--
		}
		mant -= 8
	}
	shift := 6 - exp
	round := int16(0)
	if shift > 0 {
		round = 1 << (shift - 1)
	}
	for i, code := range s.pulses {
		p := add(multR(inverseMantissa[mant], (code<<1-7)<<12), round)
		out[int(s.grid)+3*i] = p >> shift
	}
}

// longTermGain is QLB of table 5.3b.
var longTermGain = [4]int16{3277, 11469, 21299, 32767}

// predict adds the long-term prediction, §5.3.2, into the last 40 of the residual.
func (d *Decoder) predict(excitation *[40]int16, s *subframe) {
	if s.lag >= 40 && s.lag <= 120 {
		d.lag = int(s.lag)
	}
	lag := max(d.lag, 40) // 0 only before the first good frame
	gain := longTermGain[s.gain]
	for i, e := range excitation {
		d.residual[120+i] = add(e, multR(gain, d.residual[120+i-lag]))
	}
}

// larCoding is B, MIC and INVA of table 5.1 and 5.2.
var larCoding = [8]struct{ b, mic, invA int16 }{
	{0, -32, 13107}, {0, -32, 13107}, {2048, -16, 13107}, {-2560, -16, 13107},
	{94, -8, 19223}, {-1792, -8, 17476}, {-341, -4, 31454}, {-1144, -4, 29708},
}

// synthesise is the short-term filter, §5.3.3 and 5.3.4, in four stretches over which the
// coefficients go from the last frame's to this one's.
func (d *Decoder) synthesise(out, residual *[Samples]int16, codes *[8]int16) {
	d.now = 1 - d.now
	now, before := &d.lars[d.now], &d.lars[1-d.now]
	for i, c := range larCoding {
		v := sub((codes[i]+c.mic)<<10, c.b<<1)
		v = multR(c.invA, v)
		now[i] = add(v, v)
	}
	for _, s := range [4]struct{ from, to int }{{0, 13}, {13, 27}, {27, 40}, {40, Samples}} {
		var r [8]int16
		for i := range r {
			a, b := before[i], now[i]
			var lar int16
			switch s.from {
			case 0:
				lar = add(add(a>>2, b>>2), a>>1)
			case 13:
				lar = add(a>>1, b>>1)
			case 27:
				lar = add(add(a>>2, b>>2), b>>1)
			default:
				lar = b
			}
			r[i] = reflection(lar)
		}
		d.lattice(out[s.from:s.to], residual[s.from:s.to], &r)
	}
}

// reflection is the reflection coefficient of a log-area ratio, §5.2.9.2.
func reflection(lar int16) int16 {
	if lar < 0 {
		if lar == -32768 {
			return -reflection(32767)
		}
		return -reflection(-lar)
	}
	switch {
	case lar < 11059:
		return lar << 1
	case lar < 20070:
		return lar + 11059
	}
	return add(lar>>2, 26112)
}

// lattice is the synthesis filter itself, §5.3.4. No product of r needs saturation, as r is
// never -32768.
func (d *Decoder) lattice(out, residual []int16, r *[8]int16) {
	const half = 1 << 14
	v := &d.filter
	for k, e := range residual {
		s := int32(e)
		for i := 7; i >= 0; i-- {
			c := int32(r[i])
			s = int32(saturate(s - (c*v[i]+half)>>15))
			v[i+1] = int32(saturate(v[i] + (c*s+half)>>15))
		}
		v[0] = s
		out[k] = int16(s)
	}
}

// Arithmetic of §4: 16 bits, saturating; multR rounds the product of two fractions.

func add(a, b int16) int16 { return saturate(int32(a) + int32(b)) }
func sub(a, b int16) int16 { return saturate(int32(a) - int32(b)) }

func multR(a, b int16) int16 { return saturate((int32(a)*int32(b) + 1<<14) >> 15) }

func saturate(v int32) int16 {
	if v > 32767 {
		return 32767
	}
	if v < -32768 {
		return -32768
	}
	return int16(v)
}
