package mp3

import (
	"math"
	"sync"
)

// tree is a Huffman code as tables: the first 8 bits of a code word lead to an entry, which
// holds the symbol and the word's length, or points to a table for the bits that follow.
type tree []uint32

const (
	rootBits = 8
	link     = 1 << 31 // | bits << 24 | offset; otherwise length << 8 | symbol
)

// look returns the symbol that v begins with, and its length.
func (t tree) look(v uint32) (symbol, length int) {
	e := t[v>>(32-rootBits)]
	if e&link != 0 {
		e = t[e&0xffffff+v<<rootBits>>(32-e>>24&0x1f)]
	}
	return int(e & 0xff), int(e >> 8)
}

// newTree makes the tables of a code in the form of codes.
func newTree(code string) tree {
	t := make(tree, 1<<rootBits)
	at := uint32(0) // the next code word, at the left of 32 bits
	for i := 0; i < len(code); {
		// All words that begin with the same rootBits, with what is behind those.
		prefix, longest, j := at>>(32-rootBits), 0, i
		for ; j < len(code) && at>>(32-rootBits) == prefix; j += 3 {
			length := int(code[j]-'a') + 1
			longest = max(longest, length)
			at += 1 << (32 - length)
			if at == 0 {
				j += 3
				break
			}
		}
		t = t.fill(code[i:j], prefix, longest)
		i = j
	}
	return t
}

// fill enters the code words of one prefix.
func (t tree) fill(code string, prefix uint32, longest int) tree {
	from, width := prefix, rootBits
	if longest > rootBits {
		width = longest
		from = uint32(len(t))
		t[prefix] = link | uint32(longest-rootBits)<<24 | from
		t = append(t, make(tree, 1<<(longest-rootBits))...)
	}
	for ; code != ""; code = code[3:] {
		length := int(code[0]-'a') + 1
		symbol := uint32(hex(code[1])<<4 | hex(code[2]))
		for range 1 << (width - length) {
			t[from] = uint32(length)<<8 | symbol
			from++
		}
	}
	return t
}

func hex(c byte) int {
	if c >= 'a' {
		return int(c-'a') + 10
	}
	return int(c - '0')
}

// tables are made when the first file is decoded.
type tables struct {
	pairs   [32]tree // by table_select, nil where all lines are 0
	linbits [32]int
	quads   [2]tree
	power   [15 + 1<<13]float32 // x to the power of 4/3
}

var table = sync.OnceValue(func() *tables {
	t := &tables{}
	for i, code := range codes {
		t.pairs[i] = newTree(code)
	}
	for i, n := range [16]int{1, 2, 3, 4, 6, 8, 10, 13, 4, 5, 6, 7, 8, 9, 11, 13} {
		t.pairs[16+i] = t.pairs[16+i/8*8]
		t.linbits[16+i] = n
	}
	for i, code := range quadCodes {
		t.quads[i] = newTree(code)
	}
	for i := range t.power {
		t.power[i] = float32(math.Pow(float64(i), 4.0/3))
	}
	return t
})

// readLines decodes the lines of p, whose code ends at bit end, to the power of 4/3, with
// their signs; at least the first limit ones. It returns behind which there are only zeros,
// or none that were decoded.
func readLines(x *[lines]float32, r *bits, p *part, end, limit int) int {
	t := table()
	i, big := 0, 2*p.bigValues
	for region, which := range p.tables {
		to := big
		if region < 2 {
			to = min(big, p.regions[region])
		}
		to = min(to, (limit+1)&^1)
		if i >= to {
			continue
		}
		if t.pairs[which] == nil {
			clear(x[i:to])
			i = to
			continue
		}
		if t.linbits[which] == 0 {
			i = t.readSmall(x, r, t.pairs[which], i, to)
		} else {
			i = t.readLarge(x, r, which, i, to)
		}
		if r.pos > end {
			return i
		}
	}
	if i < big {
		return i
	}
	return readQuads(x, r, t.quads[p.quadTable], i, end, limit)
}

// readSmall reads pairs of lines below 16.
func (t *tables) readSmall(x *[lines]float32, r *bits, code tree, from, to int) int {
	for i := from; i < to; i += 2 {
		v := r.peek()
		pair, n := code.look(v)
		v <<= n
		a, b := t.power[pair>>4], t.power[pair&0xf]
		if pair>>4 != 0 {
			if v&(1<<31) != 0 {
				a = -a
			}
			v <<= 1
			n++
		}
		if pair&0xf != 0 {
			if v&(1<<31) != 0 {
				b = -b
			}
			n++
		}
		r.pos += n
		x[i], x[i+1] = a, b
	}
	return to
}

// readLarge reads pairs of lines of which 15 is the beginning of larger ones.
func (t *tables) readLarge(x *[lines]float32, r *bits, which, from, to int) int {
	for i := from; i < to; i += 2 {
		pair, n := t.pairs[which].look(r.peek())
		r.pos += n
		for j, v := range [2]int{pair >> 4, pair & 0xf} {
			if v == 15 {
				v += r.take(t.linbits[which])
			}
			x[i+j] = t.power[v]
			if v != 0 && r.flag() {
				x[i+j] = -x[i+j]
			}
		}
	}
	return to
}

// readQuads reads lines of -1, 0 and 1.
func readQuads(x *[lines]float32, r *bits, code tree, i, end, limit int) int {
	for i+4 <= lines && i < limit && r.pos < end {
		quad, n := code.look(r.peek())
		r.pos += n
		for j := range 4 {
			x[i+j] = 0
			if quad>>(3-j)&1 != 0 {
				x[i+j] = 1
				if r.flag() {
					x[i+j] = -1
				}
			}
		}
		if r.pos > end {
			break // stuffing, no lines
		}
		i += 4
	}
	return i
}
