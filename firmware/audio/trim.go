package audio

import "time"

// Trim ends a recording where the person stopped speaking: without the key that ended it
// and without the silence before that, save a breath. Where nobody spoke, nothing is left.
func Trim(c Clip) Clip {
	const breath = 200 * time.Millisecond
	for {
		end := soundEnd(c)
		if end == 0 {
			return nil
		}
		key := keyStart(c[:end])
		if key == end {
			return c[:min(len(c), end+samples(breath))]
		}
		c = c[:key]
	}
}

// soundEnd is where the last sound of c ends, 0 if there is none.
func soundEnd(c Clip) int {
	var s Silence
	end := 0
	for i := 0; i < len(c); i += frame {
		if s.Hear(c[i:min(i+frame, len(c))]) == 0 {
			end = min(i+frame, len(c))
		}
	}
	return end
}

// keyStart is where the key that c ends with was pressed, len(c) if it ends with none.
func keyStart(c Clip) int {
	const slack = 8 * keyWindow // letting go, and what soundEnd allows for: 100 ms
	w := make([]float32, keyWindow)
	start, key := len(c), byte(0)
	for i := len(c) - keyWindow; i >= 0 && i+slack >= start; i -= keyStep / 2 {
		for j := range w {
			w[j] = float32(c[i+j])
		}
		if heard := keyIn(w); heard != 0 && (key == 0 || heard == key) {
			key, start = heard, i
		}
	}
	if key == 0 {
		return len(c)
	}
	return max(0, start-keyWindow)
}
