package sim_test

import (
	"bytes"
	"encoding/binary"
	"math"
)

// ramp is sound that uses every value, and so every byte of every format.
func ramp(n int) []int16 {
	s := make([]int16, n)
	for i := range s {
		s[i] = int16(8000*math.Sin(2*math.Pi*float64(i)/97) + 12000*math.Sin(2*math.Pi*float64(i)/4001))
	}
	return s
}

// formats are how a host writes voice data, worked out independently of the simulator.
var formats = []struct {
	id, name string
	encode   func([]int16) []byte
	exact    float64 // largest error
}{
	{"0", "signed 8 bits", func(s []int16) []byte { return each(s, func(v int16) byte { return byte(v >> 8) }) }, 256},
	{"130", "unsigned 8 bits", func(s []int16) []byte { return each(s, func(v int16) byte { return byte(v>>8) + 128 }) }, 256},
	{"133", "16 bits", func(s []int16) []byte {
		var b []byte
		for _, v := range s {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
		return b
	}, 0},
	{"131", "µ-law", func(s []int16) []byte { return each(s, muLaw) }, 700},
	{"5", "A-law", func(s []int16) []byte { return each(s, aLaw) }, 700},
}

func each(s []int16, f func(int16) byte) []byte {
	b := make([]byte, len(s))
	for i, v := range s {
		b[i] = f(v)
	}
	return b
}

// muLaw is the continuous law of G.711 §3 in steps; aLaw by the segments of table 1a.
func muLaw(v int16) byte {
	sign, m := byte(0x80), float64(v)
	if m < 0 {
		sign, m = 0, -m
	}
	m = min(m/4, 8158) + 33
	e := math.Floor(math.Log2(m)) - 5
	return ^(^(sign | byte(7-e)<<4 | byte(15-math.Floor((m/math.Pow(2, e+1))-16))))
}

func aLaw(v int16) byte {
	sign, m := byte(0x80), float64(v)
	if m < 0 {
		sign, m = 0, -m
	}
	m /= 16
	e := max(0, math.Floor(math.Log2(max(m, 1)))-3)
	q := m
	if e > 0 {
		q = m/math.Pow(2, e-1) - 16
	}
	return (sign | byte(e)<<4 | byte(min(15, math.Floor(q)))) ^ 0x55
}

func shield(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0x10}, []byte{0x10, 0x10}) }

// find is where want begins in heard, give or take an error a sample; -1 is nowhere.
func find(heard, want []int16, within float64) int {
	for at := 0; at+len(want) <= len(heard); at++ {
		ok := true
		for i := range want {
			if math.Abs(float64(heard[at+i])-float64(want[i])) > within {
				ok = false
				break
			}
		}
		if ok {
			return at
		}
	}
	return -1
}

// unshield takes voice data and events apart.
func unshield(data string) (sound []byte, events string) {
	for i := 0; i < len(data); i++ {
		if data[i] != 0x10 {
			sound = append(sound, data[i])
			continue
		}
		if i++; i == len(data) {
			break
		}
		if data[i] == 0x10 {
			sound = append(sound, 0x10)
		} else {
			events += string(rune(data[i]))
		}
	}
	return sound, events
}

func rms(b []byte) float64 {
	var sum float64
	for i := 0; i+1 < len(b); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(b[i:])))
		sum += v * v
	}
	return math.Sqrt(sum / float64(max(1, len(b)/2)))
}
