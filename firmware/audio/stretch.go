package audio

import "math"

// reach is how far from its place stretch looks for a likeness: 12.5 ms, more than a period
// of the lowest voice.
const reach = Rate / 80

// stretch makes a block from s at pos, where what has been played would go on at next,
// by waveform-similarity overlap-add (Verhelst and Roelands, ICASSP 1993): it fades from
// what comes next into the place nearby that looks most like it, so that each period of the
// voice is whole and keeps its length. It returns where that place would go on.
func stretch(out *[block]int16, s *Message, pos, next int) int {
	var from [block]float32
	var near [block + 2*reach]float32
	s.window(from[:], next)
	s.window(near[:], pos-reach)
	shift := mostAlike(from[:], near[:])
	for i := range out {
		w := fade[i]
		out[i] = round16((1-w)*from[i] + w*near[shift+i])
	}
	return pos - reach + shift + block
}

// fade rises from 0 to 1 within a block.
var fade = func() (w [block]float32) {
	for i := range w {
		w[i] = float32(0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/block))
	}
	return w
}()

// window copies what s holds from pos on; around it is silence.
func (s *Message) window(to []float32, pos int) {
	var some [block + 2*reach]int16
	before := min(max(0, -pos), len(to))
	s.at(some[before:len(to)], max(0, pos))
	for i := range to {
		to[i] = float32(some[i])
	}
}

// mostAlike is the index in near from which on it correlates best with what; the middle,
// where nothing does.
func mostAlike(what, near []float32) int {
	best, alike := (len(near)-len(what))/2, float32(0)
	energy := dot(near[:len(what)], near[:len(what)])
	for i := range len(near) - len(what) {
		c := dot(what, near[i:])
		if c > 0 && energy > 0 {
			if c = c * c / energy; c > alike {
				best, alike = i, c
			}
		}
		first, last := near[i], near[i+len(what)]
		energy += last*last - first*first
	}
	return best
}
