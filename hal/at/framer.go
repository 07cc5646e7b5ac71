package at

// maxLine bounds a line: the longest that a modem has reason to send is a +CLCC or an
// identification of some 200 characters. More is noise, or sound read as text.
const maxLine = 1024

// frame is one thing that a modem has said.
type frame struct {
	kind frameKind
	line string  // textLine
	code byte    // dleCode
	data [2]byte // soundData, n of them
	n    int
}

type frameKind int

const (
	unfinished frameKind = iota // more bytes are needed
	textLine                    // a line with its CR and LF taken off
	dleCode                     // DLE and this code
	soundData                   // bytes of voice data
	soundEnd                    // DLE ETX
)

// framer turns bytes into frames, one byte at a time: nothing depends on how the bytes
// were split between reads.
type framer struct {
	shield Unshielder
	line   []byte
	over   bool // the line is too long: dropped up to its end
	sound  bool // in voice data mode, after CONNECT
	start  int  // state of skipping the line end of CONNECT
}

// States of start. The CONNECT of CONNECT CR LF is a line as soon as the CR is there; the
// LF must not become the first byte of sound, which would shift every 16-bit sample.
const (
	started = iota
	crSeen
	crCrSeen // "\r\r\n": SIM7600 among others
)

// push takes the next byte.
func (f *framer) push(b byte) frame {
	data, n, code, isCode := f.shield.Next(b)
	switch {
	case isCode && code == ETX:
		f.line, f.over, f.sound = f.line[:0], false, false
		return frame{kind: soundEnd}
	case isCode:
		return frame{kind: dleCode, code: code}
	case n == 0:
		return frame{}
	case f.sound:
		return f.pushSound(data, n)
	}
	return f.pushText(data)
}

func (f *framer) pushSound(b byte, n int) frame {
	switch {
	case f.start == started || n == 2:
	case b == lf:
		f.start = started
		return frame{}
	case b == cr && f.start == crSeen:
		f.start = crCrSeen
		return frame{}
	case f.start == crCrSeen: // the second CR was a sample after all
		f.start = started
		return frame{kind: soundData, data: [2]byte{cr, b}, n: 2}
	}
	f.start = started
	return frame{kind: soundData, data: [2]byte{b, b}, n: n}
}

func (f *framer) pushText(b byte) frame {
	switch {
	case b == cr || b == lf:
		line := f.line
		f.line = f.line[:0]
		if f.over || len(line) == 0 {
			f.over = false
			return frame{}
		}
		return frame{kind: textLine, line: string(line)}
	case b == 0 || b == xon || b == xoff: // padding and flow control
		return frame{}
	case len(f.line) == maxLine:
		f.over = true
		return frame{}
	}
	f.line = append(f.line, b)
	if len(f.line) == 2 && f.line[0] == '>' && f.line[1] == ' ' { // the prompt for a text has no line end
		f.line = f.line[:0]
		return frame{kind: textLine, line: prompt}
	}
	return frame{}
}

// toSound switches to voice data mode after a CONNECT whose line ended with last.
func (f *framer) toSound(last byte) {
	f.sound, f.start = true, started
	if last == cr {
		f.start = crSeen
	}
}

// toText leaves voice data mode without a DLE ETX.
func (f *framer) toText() { f.sound, f.line, f.over = false, f.line[:0], false }
