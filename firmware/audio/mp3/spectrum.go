package mp3

import "math"

// block is the spectrum of a granule, mono, in the order of frequency. (Where the two
// channels have blocks of different types, a granule has two blocks, which add up in time.)
type block struct {
	x     [lines]float32
	n     int // behind which there are only zeros
	kind  int // blockType
	mixed bool
	long  int // lines of a mixed block that are long
}

// granule is 576 samples of the file.
type granule struct {
	bits    bits
	lines   [2][lines]float32 // as read, by channel
	count   [2]int
	factors [2]factors
	blocks  []*block
	space   [2]block
}

// begin takes the main data of a frame, from byte from on.
func (g *granule) begin(main []byte, from int) {
	g.bits = bits{b: append(main, make([]byte, spare)...)[from:], end: 8 * (len(main) - from)}
}

// silence makes it as if nothing had been coded.
func (g *granule) silence() {
	g.blocks = append(g.blocks[:0], &g.space[0])
	g.space[0] = block{}
}

// read reads granule i of a frame, as much as is needed for that many subbands, and makes
// mono of it.
func (g *granule) read(h header, s *side, i, bands int) bool {
	for c := range h.channels {
		p := &s.channels[i][c]
		end := g.bits.pos + p.length
		if end > g.bits.end {
			return false
		}
		g.factors[c].read(&g.bits, h, s, i, c)
		limit := bands * 18
		switch {
		case c == 1 && h.is:
			limit = lines // where it ends matters
		case c == 1 && h.ms:
			limit = 0 // the side signal is not in the sum of left and right
		case p.blockType == short:
			limit = wholeShort(h.table, limit)
		}
		g.count[c] = readLines(&g.lines[c], &g.bits, p, end, limit)
		g.bits.pos = end
	}
	g.mix(h, s.channels[i][:h.channels])
	return true
}

// wholeShort is the end of the short band that line is in.
func wholeShort(table, line int) int {
	for _, from := range shortBands[table] {
		if 3*from >= line {
			return 3 * from
		}
	}
	return lines
}

// mix adds the channels up.
func (g *granule) mix(h header, parts []part) {
	g.blocks = g.blocks[:0]
	for c := range parts {
		p := &parts[c]
		scale := float32(1) / float32(h.channels)
		if h.ms {
			if c == 1 {
				return
			}
			scale = math.Sqrt2 / 2 // left and right are (M ± S)/√2
		}
		if c == 0 || p.blockType != parts[0].blockType || p.mixed != parts[0].mixed {
			g.space[c] = block{kind: p.blockType, mixed: p.mixed, long: 3 * shortBands[h.table][3]}
			g.blocks = append(g.blocks, &g.space[c])
		}
		g.dequantise(g.blocks[len(g.blocks)-1], h, parts, c, scale)
	}
}

// pretab is ISO 11172-3 table B.6.
var pretab = [22]int{11: 1, 1, 1, 1, 2, 2, 3, 3, 3, 2}

// dequantise adds channel c to b: §2.4.3.4.
func (g *granule) dequantise(b *block, h header, parts []part, c int, scale float32) {
	p, f, x := &parts[c], &g.factors[c], &g.lines[c]
	n := g.count[c]
	step := 2 // quarters of a power of 2
	if p.scale {
		step = 4
	}
	long := n
	if p.blockType == short {
		long = 0
		if p.mixed {
			long = min(n, b.long)
		}
	}
	bands := &longBands[h.table]
	for sfb := 0; sfb < 22 && bands[sfb] < long; sfb++ {
		factor := f.long[sfb]
		if f.preflag {
			factor += pretab[sfb]
		}
		gain := scale
		if h.is && c == 0 {
			gain = g.intensity(h, parts, bands[sfb], g.factors[1].long[sfb], g.factors[1].noLong[sfb], scale)
		}
		gain *= quarterPower(p.gain - 210 - step*factor)
		for i := bands[sfb]; i < min(bands[sfb+1], long); i++ {
			b.x[i] += gain * x[i]
		}
	}
	b.n = max(b.n, long)
	if p.blockType == short && long < n {
		g.dequantiseShort(b, h, parts, c, scale, step)
	}
}

// dequantiseShort does it where a band holds its lines one window after the other.
func (g *granule) dequantiseShort(b *block, h header, parts []part, c int, scale float32, step int) {
	p, f, x := &parts[c], &g.factors[c], &g.lines[c]
	bands := &shortBands[h.table]
	sfb := 0
	if p.mixed {
		sfb = 3
	}
	for ; sfb < 13 && 3*bands[sfb] < g.count[c]; sfb++ {
		width := bands[sfb+1] - bands[sfb]
		for w := range 3 {
			from := 3*bands[sfb] + w*width
			gain := scale
			if h.is && c == 0 {
				gain = g.intensity(h, parts, from, g.factors[1].short[sfb][w], g.factors[1].noShort[sfb][w], scale)
			}
			gain *= quarterPower(p.gain - 210 - 8*p.subGain[w] - step*f.short[sfb][w])
			for i := range min(width, max(0, g.count[c]-from)) {
				b.x[3*(bands[sfb]+i)+w] += gain * x[from+i]
			}
		}
		b.n = max(b.n, 3*bands[sfb+1])
	}
}

// intensity is the gain of a left band in the mono sum, where lines beyond the right
// channel's last stand for both channels: ISO 11172-3 §2.4.3.4.9.3, 13818-3 §2.4.3.2.
func (g *granule) intensity(h header, parts []part, line, position int, none bool, scale float32) float32 {
	switch {
	case line < g.count[1]:
		return scale
	case !h.lsf && position == 7, none:
		return scale // the middle signal, or the left one alone
	case !h.lsf:
		return 0.5 // the two gains add up to 1
	}
	quarter := 1 // of a power of 2 by which a step makes one of the channels fainter
	if parts[1].compress&1 == 1 {
		quarter = 2
	}
	return (1 + quarterPower(-quarter*((position+1)/2))) / 2
}

// quarterPower is 2 to the power of q/4.
func quarterPower(q int) float32 {
	return float32(math.Ldexp([4]float64{1, 1.189207115002721, 1.4142135623730951, 1.681792830507429}[q&3], q>>2))
}
