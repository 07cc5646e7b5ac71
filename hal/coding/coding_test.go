package coding_test

import (
	"testing"

	"hookswitch/hal/coding"
)

func TestEveryG711CodeIsThatOfItsOwnValue(t *testing.T) {
	for i := range 256 {
		code := byte(i)
		if v := coding.DecodeALaw(code); coding.EncodeALaw(v) != code {
			t.Errorf("A-law %#02x is %d, which is coded %#02x", code, v, coding.EncodeALaw(v))
		}
		if v := coding.DecodeULaw(code); coding.EncodeULaw(v) != code && v != 0 { // µ-law has two zeroes
			t.Errorf("µ-law %#02x is %d, which is coded %#02x", code, v, coding.EncodeULaw(v))
		}
	}
}

// G.711 tables 1a and 2a: the decision values' loudest steps, in 16 bits.
func TestTheLoudestValuesAreThoseOfG711(t *testing.T) {
	for _, test := range []struct {
		name string
		got  int16
		want int16
	}{
		{"µ-law", coding.DecodeULaw(0x80), 32124}, {"µ-law, negative", coding.DecodeULaw(0x00), -32124},
		{"A-law", coding.DecodeALaw(0xaa), 32256}, {"A-law, negative", coding.DecodeALaw(0x2a), -32256},
	} {
		if test.got != test.want {
			t.Errorf("%s: %d, want %d", test.name, test.got, test.want)
		}
	}
}

func TestWhatIMACodesIsNearWhatItWas(t *testing.T) {
	var to, from coding.IMA
	for i := range 4000 {
		in := int16(i * 8 % 16000)
		if i >= 2000 {
			in = 16000 - in
		}
		out := from.Decode(to.Encode(in))
		if to != from {
			t.Fatalf("sample %d: coder %+v, decoder %+v", i, to, from)
		}
		if d := int(out) - int(in); i%2000 > 100 && (d > 1000 || d < -1000) {
			t.Fatalf("sample %d: %d became %d", i, in, out)
		}
	}
}
