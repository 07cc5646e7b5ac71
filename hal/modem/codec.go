package modem

import (
	"encoding/binary"
	"strings"

	"hookswitch/hal/coding"
	"hookswitch/hal/modem/dialect"
)

// codec turns 16-bit samples at 8000 Hz into a modem's voice format and back.
type codec struct {
	name    string  // for a person
	short   string  // in the configuration
	bytes   float64 // a sample
	matches func(name string, bits int) bool
	encoder func() encoder
	decoder func() decoder
}

// An encoder appends the coded samples to dst, a decoder the samples of data; both keep
// what is left of an unfinished byte or sample for the next call.
type (
	encoder func(dst []byte, samples []int16) []byte
	decoder func(dst []int16, data []byte) []int16
)

// codecs in order of preference. G.711 is what the telephone network carries anyway: more
// bits are not heard by anybody. 8 bits without companding lose the quiet half of speech,
// ADPCM adds noise of its own, and 16 bits need twice the baud rate of most serial ports:
// they come first only where it is known to be there (see chooseFormat).
var codecs = []codec{ulaw, alaw, unsigned8, signed8, linear16, imaADPCM}

var (
	ulaw = codec{
		"G.711 µ-law", "ulaw", 1, nameHas("ULAW", "MULAW", "G711U", "PCMU"),
		perSample(coding.EncodeULaw), perByte(coding.DecodeULaw),
	}
	alaw = codec{
		"G.711 A-law", "alaw", 1, nameHas("ALAW", "G711A", "PCMA"),
		perSample(coding.EncodeALaw), perByte(coding.DecodeALaw),
	}
	unsigned8 = codec{
		"8-bit unsigned", "unsigned8", 1,
		func(name string, bits int) bool {
			return bits == 8 && (nameHas("UNSIGNED")(name, bits) || nameHas("LINEAR")(name, bits) && !nameHas("SIGNED")(name, bits))
		},
		perSample(func(s int16) byte { return round8(s) ^ 0x80 }),
		perByte(func(b byte) int16 { return int16(b^0x80) << 8 }),
	}
	signed8 = codec{
		"8-bit signed", "signed8", 1,
		func(name string, bits int) bool {
			return bits == 8 && nameHas("SIGNED")(name, bits) && !nameHas("UNSIGNED")(name, bits)
		},
		perSample(round8), perByte(func(b byte) int16 { return int16(b) << 8 }),
	}
	linear16 = codec{
		"16-bit linear", "linear16", 2,
		func(name string, bits int) bool { return bits == 16 && nameHas("LINEAR", "SIGNED", "PCM")(name, bits) },
		func() encoder { return encodeLinear }, newLinearDecoder,
	}
	imaADPCM = codec{
		"IMA ADPCM", "ima-adpcm", 0.5,
		func(name string, bits int) bool { return (bits == 4 || bits == 0) && nameHas("IMAADPCM")(name, bits) },
		newIMAEncoder, newIMADecoder,
	}
)

// nameHas compares without blanks, dots and hyphens, and with µ and "mu" alike.
func nameHas(words ...string) func(name string, bits int) bool {
	return func(name string, _ int) bool {
		name = strings.NewReplacer(" ", "", ".", "", "-", "", "_", "", "µ", "U", "Μ", "U").Replace(strings.ToUpper(name))
		for _, w := range words {
			if strings.Contains(name, w) {
				return true
			}
		}
		return false
	}
}

// chooseFormat picks from a modem's list the format that this board speaks best. A port of
// baud carries a tenth of it in bytes a second.
func chooseFormat(formats []dialect.Format, baud int) (dialect.Format, codec, bool) {
	order := codecs
	if baud >= 2*2*8000*10 {
		order = append([]codec{linear16}, codecs...)
	}
	for _, c := range order {
		for _, f := range formats {
			if f.At8000() && c.matches(f.Name, f.Bits) {
				return f, c, true
			}
		}
	}
	return dialect.Format{}, codec{}, false
}

func perSample(code func(int16) byte) func() encoder {
	return func() encoder {
		return func(dst []byte, samples []int16) []byte {
			for _, s := range samples {
				dst = append(dst, code(s))
			}
			return dst
		}
	}
}

func perByte(value func(byte) int16) func() decoder {
	return func() decoder {
		return func(dst []int16, data []byte) []int16 {
			for _, b := range data {
				dst = append(dst, value(b))
			}
			return dst
		}
	}
}

// round8 is the nearest 8-bit value in two's complement; silence stays silence.
func round8(s int16) byte { return byte(min(127, (int(s)+128)>>8)) }

func encodeLinear(dst []byte, samples []int16) []byte {
	for _, s := range samples {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(s))
	}
	return dst
}

// newLinearDecoder also reads the audio port of a GSM modem, whose reads end anywhere.
func newLinearDecoder() decoder {
	var odd []byte // of a sample split between two calls
	return func(dst []int16, data []byte) []int16 {
		odd = append(odd, data...)
		whole := odd[:len(odd)&^1]
		for i := 0; i < len(whole); i += 2 {
			dst = append(dst, int16(binary.LittleEndian.Uint16(whole[i:])))
		}
		odd = append(odd[:0], odd[len(whole):]...)
		return dst
	}
}
