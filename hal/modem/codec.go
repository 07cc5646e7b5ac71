package modem

import (
	"encoding/binary"
	"strings"
)

// codec is a voice format of V.253 at 8000 Hz. Both functions append; the state of an ADPCM
// codec is in the value that make returns.
type codec struct {
	name  string
	bytes float64 // a sample
	make  func() (encode func(dst []byte, samples []int16) []byte, decode func(dst []int16, data []byte) []int16)
}

func stateless(enc func([]byte, int16) []byte, dec func([]byte) int16, size int) func() (func([]byte, []int16) []byte, func([]int16, []byte) []int16) {
	return func() (func([]byte, []int16) []byte, func([]int16, []byte) []int16) {
		var odd []byte // of a sample split between two reads
		encode := func(dst []byte, samples []int16) []byte {
			for _, s := range samples {
				dst = enc(dst, s)
			}
			return dst
		}
		decode := func(dst []int16, data []byte) []int16 {
			odd = append(odd, data...)
			for len(odd) >= size {
				dst = append(dst, dec(odd))
				odd = odd[size:]
			}
			return dst
		}
		return encode, decode
	}
}

// codecs in order of preference: companded 8-bit keeps the most of a telephone's range at
// what a serial port of 115200 baud carries; 16 bits need a USB port; ADPCM is the last.
var codecs = []codec{
	{"mu-law", 1, stateless(func(b []byte, s int16) []byte { return append(b, ulaw(s)) }, func(b []byte) int16 { return fromUlaw(b[0]) }, 1)},
	{"a-law", 1, stateless(func(b []byte, s int16) []byte { return append(b, alaw(s)) }, func(b []byte) int16 { return fromAlaw(b[0]) }, 1)},
	{"unsigned 8", 1, stateless(func(b []byte, s int16) []byte { return append(b, byte(round8(s)+128)) }, func(b []byte) int16 { return (int16(b[0]) - 128) << 8 }, 1)},
	{"signed 8", 1, stateless(func(b []byte, s int16) []byte { return append(b, byte(round8(s))) }, func(b []byte) int16 { return int16(int8(b[0])) << 8 }, 1)},
	{"linear 16", 2, stateless(func(b []byte, s int16) []byte { return binary.LittleEndian.AppendUint16(b, uint16(s)) }, func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) }, 2)},
	{"ima adpcm", 0.5, imaCodec},
}

func codecNamed(name string) (codec, bool) {
	for _, c := range codecs {
		if c.name == name {
			return c, true
		}
	}
	return codec{}, false
}

// round8 is the nearest 8-bit value, -128 to 127.
func round8(s int16) int { return min(127, (int(s)+128)>>8) }

// G.711 table 2a: µ-law.
func ulaw(s int16) byte {
	const bias, clip = 0x84, 32635
	sign, v := byte(0), int(s)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, clip) + bias
	exp := 7
	for mask := 0x4000; v&mask == 0 && exp > 0; mask >>= 1 {
		exp--
	}
	return ^(sign | byte(exp<<4) | byte(v>>(exp+3)&0x0f))
}

func fromUlaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3 + 0x84) << (b >> 4 & 7)
	v -= 0x84
	if b&0x80 != 0 {
		return int16(-v)
	}
	return int16(v)
}

// G.711 table 1a: A-law.
func alaw(s int16) byte {
	sign, v := byte(0x80), int(s)>>3
	if v < 0 {
		sign, v = 0, -v-1
	}
	exp := 0
	for top := v >> 5; top != 0; top >>= 1 {
		exp++
	}
	mant := v >> 1
	if exp > 0 {
		mant = v >> exp
	}
	return (sign | byte(min(exp, 7)<<4) | byte(mant&0x0f)) ^ 0x55
}

func fromAlaw(b byte) int16 {
	b ^= 0x55
	exp, v := int(b>>4&7), int(b&0x0f)<<4+8
	if exp > 0 {
		v = (v + 0x100) << (exp - 1)
	}
	if b&0x80 == 0 {
		return int16(-v)
	}
	return int16(v)
}

// IMA ADPCM, four bits a sample, the first in the low half of the byte.
var imaStep = [89]int{
	7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130,
	143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282,
	1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630,
	9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
}

var imaIndex = [8]int{-1, -1, -1, -1, 2, 4, 6, 8}

type ima struct{ value, index int }

func (a *ima) decode(code byte) int16 {
	step := imaStep[a.index]
	diff := step >> 3
	for bit, part := byte(4), step; bit > 0; bit, part = bit>>1, part>>1 {
		if code&bit != 0 {
			diff += part
		}
	}
	if code&8 != 0 {
		diff = -diff
	}
	a.value = max(-32768, min(32767, a.value+diff))
	a.index = max(0, min(88, a.index+imaIndex[code&7]))
	return int16(a.value)
}

func (a *ima) encode(s int16) byte {
	diff, code := int(s)-a.value, byte(0)
	if diff < 0 {
		diff, code = -diff, 8
	}
	for bit, step := byte(4), imaStep[a.index]; bit > 0; bit, step = bit>>1, step>>1 {
		if diff >= step {
			code |= bit
			diff -= step
		}
	}
	a.decode(code)
	return code
}

func imaCodec() (func([]byte, []int16) []byte, func([]int16, []byte) []int16) {
	var out, in ima
	var half []byte
	encode := func(dst []byte, samples []int16) []byte {
		for _, s := range samples {
			half = append(half, out.encode(s))
			if len(half) == 2 {
				dst = append(dst, half[0]|half[1]<<4)
				half = half[:0]
			}
		}
		return dst
	}
	decode := func(dst []int16, data []byte) []int16 {
		for _, b := range data {
			dst = append(dst, in.decode(b&15), in.decode(b>>4))
		}
		return dst
	}
	return encode, decode
}

// format is one line of the answer to AT+VSM=?: an id, a name, bits, and whether 8000 Hz is
// among the rates.
type format struct {
	id   string
	name string
	bits string
	rate bool
}

// parseVSM reads the list of voice formats in every form that modems were seen to use:
// 1,"UNSIGNED PCM",8,0,8000,0,0 and (7200,8000) and (7200-8000,11025) and 1;CELP;1;0;(9600)
// and +VSM=0-1,8000-8000.
func parseVSM(info []string) []format {
	var list []format
	for _, line := range info {
		line = strings.TrimSpace(line)
		line = strings.TrimPrefix(line, "+VSM:")
		if rest, ok := strings.CutPrefix(line, "+VSM="); ok {
			list = append(list, vsmRanges(rest)...)
			continue
		}
		fields := splitFields(line)
		if len(fields) < 5 {
			continue
		}
		f := format{id: strings.TrimSpace(fields[0]), name: strings.ToUpper(strings.Trim(strings.TrimSpace(fields[1]), `"`)), bits: strings.TrimSpace(fields[2])}
		f.rate = hasRate(fields[4], 8000)
		if f.id != "" && isDigits(f.id) {
			list = append(list, f)
		}
	}
	return list
}

// vsmRanges reads "0-1,8000-8000": ids alone, by V.253 table 17.
func vsmRanges(s string) []format {
	ids, rates, _ := strings.Cut(s, ",")
	names := map[string]string{"0": "SIGNED PCM", "1": "UNSIGNED PCM", "4": "G.711U", "5": "G.711A"}
	var list []format
	for id, name := range names {
		if hasRate(ids, int(id[0]-'0')) {
			list = append(list, format{id: id, name: name, bits: "8", rate: hasRate(rates, 8000)})
		}
	}
	return list
}

// splitFields splits at commas or semicolons outside brackets and quotes.
func splitFields(s string) []string {
	depth, quoted := 0, false
	var fields []string
	start := 0
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '(':
			depth++
		case r == ')':
			depth--
		case (r == ',' || r == ';') && depth == 0 && !quoted:
			fields = append(fields, s[start:i])
			start = i + 1
		}
	}
	return append(fields, s[start:])
}

// hasRate says whether "(7200-8000,11025)", "8000" or the like holds n.
func hasRate(s string, n int) bool {
	for _, part := range strings.Split(strings.Trim(strings.TrimSpace(s), "()"), ",") {
		lo, hi, ok := strings.Cut(part, "-")
		if !ok {
			hi = lo
		}
		if a, b := field([]string{lo}, 0), field([]string{hi}, 0); a >= 0 && n >= a && n <= b {
			return true
		}
	}
	return false
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// codecName is the codec that a format's name means, "" for one that this board does not speak.
func (f format) codecName() string {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(f.name, w) {
				return true
			}
		}
		return false
	}
	switch {
	case !f.rate:
		return ""
	case has("ULAW", "U-LAW", "MU-LAW", "MULAW", "G.711U", "G711U"):
		return "mu-law"
	case has("ALAW", "A-LAW", "G.711A", "G711A"):
		return "a-law"
	case has("ADPCM"):
		if has("IMA") && f.bits == "4" {
			return "ima adpcm"
		}
		return ""
	case has("UNSIGNED") && f.bits == "8", has("LINEAR") && f.bits == "8":
		return "unsigned 8"
	case has("SIGNED PCM") && f.bits == "8":
		return "signed 8"
	case has("LINEAR", "PCM") && f.bits == "16":
		return "linear 16"
	}
	return ""
}

// chooseFormat picks the format that comes first in codecs.
func chooseFormat(list []format) (format, codec, bool) {
	for _, c := range codecs {
		for _, f := range list {
			if f.codecName() == c.name {
				return f, c, true
			}
		}
	}
	return format{}, codec{}, false
}
