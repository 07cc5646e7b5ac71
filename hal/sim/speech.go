package sim

import (
	"math"
	"sync"
)

// phone is a piece of the synthetic voice: its length in ms, the formants that it ends on
// and how loud it is.
type phone struct {
	ms       int
	f1, f2   float64
	loudness float64
}

// hello is a voice that says about that: a pulse train of a falling pitch through two
// resonators. It is speech to a detector, and nobody's copyright.
var hello = sync.OnceValue(func() []int16 {
	var out []int16
	for range 2 {
		out = append(out, voice([]phone{
			{60, 500, 1500, 0.2}, {140, 550, 1750, 1}, {90, 400, 1100, 0.6}, {260, 450, 850, 1}, {150, 350, 750, 0},
		})...)
		out = append(out, make([]int16, rate*4/10)...)
	}
	return out
})

func voice(phones []phone) []int16 {
	var out []int16
	var low, high resonator
	f1, f2, loud, pulse := 450.0, 1400.0, 0.0, 0.0
	for _, p := range phones {
		n := p.ms * rate / 1000
		for i := range n {
			k := 1 / float64(n-i)
			f1, f2, loud = f1+(p.f1-f1)*k, f2+(p.f2-f2)*k, loud+(p.loudness-loud)*k
			pitch := 135 - 40*float64(len(out))/rate
			x := -0.02
			if pulse += pitch / rate; pulse >= 1 {
				pulse--
				x = 1
			}
			v := low.next(x, f1, 80) + 0.6*high.next(x, f2, 120)
			out = append(out, clip(9000*loud*v))
		}
	}
	return out
}

// resonator is a two-pole filter of unit peak height, roughly.
type resonator struct{ y1, y2 float64 }

func (r *resonator) next(x, freq, width float64) float64 {
	q := math.Exp(-math.Pi * width / rate)
	y := x + 2*q*math.Cos(2*math.Pi*freq/rate)*r.y1 - q*q*r.y2
	r.y1, r.y2 = y, r.y1
	return y
}
