package modem

import "hookswitch/hal/coding"

// newIMAEncoder puts the first of two samples into the low half of the byte.
func newIMAEncoder() encoder {
	var a coding.IMA
	var half []byte
	return func(dst []byte, samples []int16) []byte {
		for _, s := range samples {
			if half = append(half, a.Encode(s)); len(half) == 2 {
				dst = append(dst, half[0]|half[1]<<4)
				half = half[:0]
			}
		}
		return dst
	}
}

func newIMADecoder() decoder {
	var a coding.IMA
	return func(dst []int16, data []byte) []int16 {
		for _, b := range data {
			dst = append(dst, a.Decode(b&0x0f), a.Decode(b>>4))
		}
		return dst
	}
}
