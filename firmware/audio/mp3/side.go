package mp3

// side is the side information of a frame, ISO 11172-3 §2.4.1.7 and ISO 13818-3 §2.4.1.7.
type side struct {
	begin    int        // of the main data, in bytes before this frame's own
	share    [2][4]bool // scfsi: the second granule has the scale factors of the first
	channels [2][2]part // by granule and channel
}

// part is a granule of one channel.
type part struct {
	length    int // bits of scale factors and Huffman code
	bigValues int // pairs of lines
	gain      int
	compress  int // lengths of the scale factors
	blockType int
	mixed     bool
	tables    [3]int
	subGain   [3]int
	regions   [2]int // lines where the second and the third region begin
	preflag   bool
	scale     bool
	quadTable int
}

const short = 2 // blockType

// parseSide returns the side information and where the main data begins.
func parseSide(b []byte, h header) (s side, at int, ok bool) {
	at, size := h.side()
	if len(b) < at+size {
		return side{}, len(b), false
	}
	var buf [32 + spare]byte
	copy(buf[:], b[at:at+size])
	r := &bits{b: buf[:]}
	if h.lsf {
		s.begin = r.take(8)
		r.take(h.channels) // private
	} else {
		s.begin = r.take(9)
		r.take(7 - 2*h.channels)
		for c := range h.channels {
			for i := range s.share[c] {
				s.share[c][i] = r.flag()
			}
		}
	}
	for g := range h.granules() {
		for c := range h.channels {
			if !s.channels[g][c].parse(r, h) {
				return s, at + size, false
			}
		}
	}
	return s, at + size, true
}

func (p *part) parse(r *bits, h header) bool {
	p.length, p.bigValues, p.gain = r.take(12), r.take(9), r.take(8)
	if h.lsf {
		p.compress = r.take(9)
	} else {
		p.compress = r.take(4)
	}
	long := &longBands[h.table]
	if r.flag() { // the window switches
		p.blockType = r.take(2)
		p.mixed = r.flag()
		p.tables[0], p.tables[1] = r.take(5), r.take(5)
		for i := range p.subGain {
			p.subGain[i] = r.take(3)
		}
		p.regions = [2]int{long[8], lines}
		if p.blockType == short {
			p.regions[0] = 3 * shortBands[h.table][3]
		}
		if p.blockType == 0 {
			return false
		}
	} else {
		for i := range p.tables {
			p.tables[i] = r.take(5)
		}
		first := r.take(4) + 1
		second := first + r.take(3) + 1
		p.regions = [2]int{long[min(first, 22)], long[min(second, 22)]}
	}
	if !h.lsf {
		p.preflag = r.flag()
	}
	p.scale = r.flag()
	p.quadTable = r.take(1)
	return p.bigValues <= lines/2
}

// lines of a spectrum.
const lines = 576

// longBands and shortBands are where the scale factor bands begin, by header.table: ISO
// 11172-3 table B.8, ISO 13818-3 table B.2; for MPEG 2.5 as its inventors' decoder has them.
var (
	longBands = [9][23]int{
		{0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 52, 62, 74, 90, 110, 134, 162, 196, 238, 288, 342, 418, 576},
		{0, 4, 8, 12, 16, 20, 24, 30, 36, 42, 50, 60, 72, 88, 106, 128, 156, 190, 230, 276, 330, 384, 576},
		{0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 54, 66, 82, 102, 126, 156, 194, 240, 296, 364, 448, 550, 576},
		{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
		{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 114, 136, 162, 194, 232, 278, 332, 394, 464, 540, 576},
		{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
		{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
		{0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576},
		{0, 12, 24, 36, 48, 60, 72, 88, 108, 132, 160, 192, 232, 280, 336, 400, 476, 566, 568, 570, 572, 574, 576},
	}
	shortBands = [9][14]int{
		{0, 4, 8, 12, 16, 22, 30, 40, 52, 66, 84, 106, 136, 192},
		{0, 4, 8, 12, 16, 22, 28, 38, 50, 64, 80, 100, 126, 192},
		{0, 4, 8, 12, 16, 22, 30, 42, 58, 78, 104, 138, 180, 192},
		{0, 4, 8, 12, 18, 24, 32, 42, 56, 74, 100, 132, 174, 192},
		{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 136, 180, 192},
		{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192},
		{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192},
		{0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192},
		{0, 8, 16, 24, 36, 52, 72, 96, 124, 160, 162, 164, 166, 192},
	}
)

// factors are the scale factors of a channel.
type factors struct {
	long    [22]int    // the last is always 0
	short   [13][3]int // so is the last of these
	preflag bool

	// Where the bands of the right channel hold intensity positions, one value means none.
	noLong  [22]bool
	noShort [13][3]bool
}

// read reads the scale factors of p, which stands in granule g of channel c.
func (f *factors) read(r *bits, h header, s *side, g, c int) {
	p := &s.channels[g][c]
	if h.lsf {
		f.readLSF(r, p, h.is && c == 1)
		return
	}
	f.preflag = p.preflag
	// Lengths of the lower and the upper bands, §2.4.2.7.
	lengths := [16][2]int{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {3, 0}, {1, 1}, {1, 2}, {1, 3},
		{2, 1}, {2, 2}, {2, 3}, {3, 1}, {3, 2}, {3, 3}, {4, 2}, {4, 3}}[p.compress]
	if p.blockType == short {
		f.readShort(r, p.mixed, func(sfb int) int { return lengths[min(sfb/6, 1)] }, 8)
		return
	}
	for i, to := range [4]int{6, 11, 16, 21} {
		from := [4]int{0, 6, 11, 16}[i]
		if g == 1 && s.share[c][i] {
			continue
		}
		for sfb := from; sfb < to; sfb++ {
			f.long[sfb] = r.take(lengths[i/2])
		}
	}
}

// readShort reads those of short blocks, after nLong of long ones where the block is mixed.
func (f *factors) readShort(r *bits, mixed bool, length func(sfb int) int, nLong int) {
	from := 0
	if mixed {
		from = 3
		for sfb := range nLong {
			f.long[sfb] = r.take(length(0))
		}
	}
	for sfb := from; sfb < 12; sfb++ {
		for w := range 3 {
			f.short[sfb][w] = r.take(length(sfb))
		}
	}
}

// lsfBands is how many scale factors have each of four lengths: ISO 13818-3 §2.4.3.2, by
// the kind of lengths and the kind of block (long, short, mixed).
var lsfBands = [6][3][4]int{
	{{6, 5, 5, 5}, {9, 9, 9, 9}, {6, 9, 9, 9}},
	{{6, 5, 7, 3}, {9, 9, 12, 6}, {6, 9, 12, 6}},
	{{11, 10, 0, 0}, {18, 18, 0, 0}, {15, 18, 0, 0}},
	{{7, 7, 7, 0}, {12, 12, 12, 0}, {6, 15, 12, 0}},
	{{6, 6, 6, 3}, {12, 9, 9, 6}, {6, 12, 9, 6}},
	{{8, 8, 5, 0}, {15, 12, 9, 0}, {6, 18, 9, 0}},
}

// lsfLengths are the four lengths, and which row of lsfBands says how many have them.
func lsfLengths(compress int, intensity bool) (l [4]int, row int) {
	c := compress
	if intensity {
		c >>= 1
		switch {
		case c < 180:
			return [4]int{c / 36, c % 36 / 6, c % 6, 0}, 3
		case c < 244:
			c -= 180
			return [4]int{c / 16, c / 4 % 4, c % 4, 0}, 4
		}
		c -= 244
		return [4]int{c / 3, c % 3, 0, 0}, 5
	}
	switch {
	case c < 400:
		return [4]int{c / 80, c / 16 % 5, c / 4 % 4, c % 4}, 0
	case c < 500:
		c -= 400
		return [4]int{c / 20, c / 4 % 5, c % 4, 0}, 1
	}
	c -= 500
	return [4]int{c / 3, c % 3, 0, 0}, 2
}

func (f *factors) readLSF(r *bits, p *part, intensity bool) {
	lengths, row := lsfLengths(p.compress, intensity)
	f.preflag = row == 2
	kind := 0
	if p.blockType == short {
		kind = 1
		if p.mixed {
			kind = 2
		}
	}
	var all [36]int
	var none [36]bool
	n := 0
	for i, count := range lsfBands[row][kind] {
		for range count {
			all[n] = r.take(lengths[i])
			none[n] = lengths[i] > 0 && all[n] == 1<<lengths[i]-1
			n++
		}
	}
	n = [3]int{21, 0, 6}[kind]
	copy(f.long[:], all[:n])
	copy(f.noLong[:], none[:n])
	for sfb := [3]int{12, 0, 3}[kind]; sfb < 12; sfb++ {
		copy(f.short[sfb][:], all[n:n+3])
		copy(f.noShort[sfb][:], none[n:n+3])
		n += 3
	}
}
