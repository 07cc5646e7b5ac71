package mp3

import "encoding/binary"

// header is a frame header, ISO 11172-3 §2.4.1.3.
type header struct {
	lsf      bool // low sampling frequency: MPEG 2 and 2.5
	table    int  // of scale factor bands: 44.1, 48, 32, 22.05, 24, 16, 11.025, 12, 8 kHz
	rate     int  // Hz
	channels int
	ms       bool // middle and side instead of left and right
	is       bool // intensity stereo
	crc      bool
	size     int // bytes, of the whole frame
}

var (
	rates    = [9]int{44100, 48000, 32000, 22050, 24000, 16000, 11025, 12000, 8000}
	bitrates = [2][15]int{ // kbit/s; MPEG 1, then 2 and 2.5
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
)

// parseHeader is false where b is no header of layer III; nor is that of the "free format",
// which does not tell its size.
func parseHeader(b []byte) (h header, ok bool) {
	const sync, layerIII = 0xffe0, 1
	version, layer := b[1]>>3&3, b[1]>>1&3
	bitrate, rate := b[2]>>4, b[2]>>2&3
	if binary.BigEndian.Uint16(b)&sync != sync || version == 1 || layer != layerIII ||
		bitrate == 0 || bitrate == 15 || rate == 3 || b[3]&3 == 2 {
		return header{}, false
	}
	family := [4]int{2, 0, 1, 0}[version] // 2.5, -, 2, 1
	h.lsf = family > 0
	h.table = 3*family + int(rate)
	h.rate = rates[h.table]
	h.crc = b[1]&1 == 0
	h.channels = 2
	mode, extension := b[3]>>6, b[3]>>4&3
	if mode == 3 {
		h.channels = 1
	}
	if mode == 1 { // joint stereo
		h.ms, h.is = extension&2 != 0, extension&1 != 0
	}
	h.size = h.samples()/8*bitrates[min(family, 1)][bitrate]*1000/h.rate + int(b[2]>>1&1)
	return h, true
}

func (h header) granules() int {
	if h.lsf {
		return 1
	}
	return 2
}

func (h header) samples() int { return 576 * h.granules() }

// divide is by what the rate can be divided to leave 8000 Hz or more.
func (h header) divide() int {
	switch {
	case h.rate >= 32000:
		return 4
	case h.rate >= 16000:
		return 2
	}
	return 1
}

// side is where the side information begins and how long it is.
func (h header) side() (at, size int) {
	at = 4
	if h.crc {
		at = 6
	}
	switch {
	case h.lsf && h.channels == 1:
		return at, 9
	case h.lsf || h.channels == 1:
		return at, 17
	}
	return at, 32
}

// info is what many encoders write into a first frame that has no sound.
type info struct {
	frames         int64 // 0 unknown
	delay, padding int   // samples that are not of the recording, at either end
}

// info reads the tag of Xing and LAME (http://gabriel.mp3-tech.org/mp3infotag.html), or the
// frames of Fraunhofer's (VBRI).
func (h header) info(frame []byte) (i info, ok bool) {
	const vbri = 4 + 32
	if len(frame) >= vbri+18 && string(frame[vbri:vbri+4]) == "VBRI" {
		return info{frames: int64(binary.BigEndian.Uint32(frame[vbri+14:]))}, true
	}
	_, size := h.side()
	b := frame[min(4+size, len(frame)):] // even where a CRC comes before the side information
	if len(b) < 8 || string(b[:4]) != "Xing" && string(b[:4]) != "Info" {
		return info{}, false
	}
	flags := binary.BigEndian.Uint32(b[4:])
	b = b[8:]
	for bit, size := range []int{4, 4, 100, 4} { // frames, bytes, table of contents, quality
		if flags>>bit&1 == 0 || len(b) < size {
			continue
		}
		if bit == 0 {
			i.frames = int64(binary.BigEndian.Uint32(b))
		}
		b = b[size:]
	}
	const delays = 21
	if len(b) >= delays+3 && b[0] != 0 {
		const decoder = 529 // samples by which every decoder is late
		i.delay = int(b[delays])<<4 | int(b[delays+1])>>4
		i.padding = int(b[delays+1]&0xf)<<8 | int(b[delays+2])
		if i.delay > 0 {
			i.delay += decoder
			i.padding = max(0, i.padding-decoder)
		}
	}
	return i, true
}

// Sniff says whether b, the beginning of a file, looks like layer III without a tag: three
// frames in a row, or all that b holds.
func Sniff(b []byte) bool {
	for from := range len(b) - 3 {
		if frames, end := run(b[from:]); frames >= 3 || from == 0 && frames > 0 && end {
			return true
		}
	}
	return false
}

// run counts frames that follow each other, the last of which may be cut off by b's end;
// end says that they reach it.
func run(b []byte) (n int, end bool) {
	rate := 0
	for len(b) >= 4 {
		h, ok := parseHeader(b)
		if !ok || rate != 0 && h.rate != rate {
			return n, false
		}
		if h.size > len(b) && n == 0 {
			return 0, true
		}
		rate = h.rate
		n++
		b = b[min(h.size, len(b)):]
	}
	return n, len(b) == 0
}
