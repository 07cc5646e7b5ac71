package at

import "bytes"

// Control characters of a shielded stream (V.253 clause 9).
const (
	DLE = 0x10 // begins every code; a data byte of this value is sent twice
	ETX = 0x03 // DLE ETX: end of the stream
	CAN = 0x18 // DLE CAN, to the modem: forget what is not yet played
	SUB = 0x1a // DLE SUB, from the modem: two data bytes of value DLE
)

const (
	cr   = '\r'
	lf   = '\n'
	esc  = 0x1b
	xon  = 0x11
	xoff = 0x13
)

// Shield appends p to dst with every DLE doubled, as a modem in voice data mode wants it
// (V.253 clause 9).
func Shield(dst, p []byte) []byte {
	for {
		i := bytes.IndexByte(p, DLE)
		if i < 0 {
			return append(dst, p...)
		}
		dst = append(append(dst, p[:i+1]...), DLE)
		p = p[i+1:]
	}
}

// Unshielder separates data from DLE codes in what a modem sends, however the bytes are
// split between reads. The zero value is ready.
type Unshielder struct {
	dle bool // the last byte was a DLE whose code is still to come
}

// Next takes the next byte. n is how many data bytes it completes (0, 1, or 2 with DLE SUB),
// all of value data; isCode says that it completes a DLE code instead.
func (u *Unshielder) Next(b byte) (data byte, n int, code byte, isCode bool) {
	switch {
	case !u.dle && b == DLE:
		u.dle = true
		return 0, 0, 0, false
	case !u.dle:
		return b, 1, 0, false
	}
	u.dle = false
	switch b {
	case DLE:
		return DLE, 1, 0, false
	case SUB:
		return DLE, 2, 0, false
	}
	return 0, 0, b, true
}
