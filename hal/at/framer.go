package at

// DLE and the codes that follow it (V.253 table 22).
const (
	DLE = 0x10
	ETX = 0x03 // end of the data
	SUB = 0x1a // stands for two data bytes DLE
	CAN = 0x18 // to the modem: drop what is queued
)

// maxLine bounds a line: no modem says more, garbage does.
const maxLine = 1024

// framer cuts what a modem sends into lines, events and voice data, byte by byte: a read
// may end anywhere.
type framer struct {
	shield bool
	line   func(string)
	event  func(code byte)

	buf     []byte
	escaped bool         // the last byte was a DLE
	sink    func([]byte) // where voice data goes; nil in text
	skipLF  bool         // the LF of the CONNECT line is not voice data
	out     []byte
}

// data switches to voice data, from the byte after the line being delivered.
func (f *framer) data(sink func([]byte)) { f.sink, f.skipLF = sink, true }

func (f *framer) feed(b []byte) {
	for _, c := range b {
		f.byte(c)
	}
	f.flush()
}

func (f *framer) flush() {
	if len(f.out) > 0 && f.sink != nil {
		f.sink(f.out)
	}
	f.out = f.out[:0]
}

func (f *framer) byte(c byte) {
	if f.escaped {
		f.escaped = false
		f.code(c)
		return
	}
	if c == DLE && (f.shield || f.sink != nil) {
		f.escaped = true
		return
	}
	if f.sink != nil {
		skip := f.skipLF && c == '\n'
		f.skipLF = false
		if !skip {
			f.out = append(f.out, c)
		}
		return
	}
	f.text(c)
}

// code handles what followed a DLE.
func (f *framer) code(c byte) {
	inData := f.sink != nil
	switch {
	case c == DLE && inData:
		f.out = append(f.out, DLE)
	case c == SUB && inData:
		f.out = append(f.out, DLE, DLE)
	case c == ETX && inData:
		f.flush()
		f.sink = nil
		f.event(ETX)
	case c == DLE: // an odd DLE in text: the next byte belongs to this one
		f.escaped = true
	default:
		f.flush() // what was said before the event
		f.event(c)
	}
	f.skipLF = false
}

func (f *framer) text(c byte) {
	switch {
	case c == '\r' || c == '\n':
		if len(f.buf) > 0 {
			line := string(f.buf)
			f.buf = f.buf[:0]
			f.line(line)
		}
	case c == 0: // a break on the line
	case len(f.buf) < maxLine:
		f.buf = append(f.buf, c)
	}
}
