package xmlpull

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// What a byte below 0x80 may be in a name.
const (
	nameStart = 1 << iota
	nameChar
)

var nameBytes = func() (t [utf8.RuneSelf]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == ':':
			t[c] = nameStart | nameChar
		case c >= '0' && c <= '9', c == '-', c == '.':
			t[c] = nameChar
		}
	}
	return t
}()

// nameRunes are the characters from U+0080 on that begin a name (XML 1.0 §2.3, fifth edition).
var nameRunes = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF},
	{0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF},
	{0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}

// isNameRune reports whether r, from U+0080 on, may stand in a name.
func isNameRune(r rune, start bool) bool {
	for _, in := range nameRunes {
		if r >= in[0] && r <= in[1] {
			return true
		}
	}
	return !start && (r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040)
}

// startsName reports whether a name's first character may begin one.
func startsName(name []byte) bool {
	if name[0] < utf8.RuneSelf {
		return nameBytes[name[0]]&nameStart != 0
	}
	r, _ := utf8.DecodeRune(name)
	return isNameRune(r, true)
}

// nameEnd returns where the name that begins at i ends, i if there is none, and where its
// first colon is, 0 if it has none.
func (p *Parser) nameEnd(i int) (end, colon int) {
	if i >= len(p.doc) || !startsName(p.doc[i:]) {
		return min(i, len(p.doc)), 0
	}
	for end = i; end < len(p.doc); {
		for j, c := range p.doc[end:] {
			if c >= utf8.RuneSelf || nameBytes[c]&nameChar == 0 {
				end += j
				break
			}
			if c == ':' && colon == 0 {
				colon = end + j
			}
			if end+j == len(p.doc)-1 {
				return len(p.doc), colon
			}
		}
		r, n := utf8.DecodeRune(p.doc[end:])
		if r < utf8.RuneSelf || !isNameRune(r, false) {
			break
		}
		end += n
	}
	return end, colon
}

// qualified splits the name that begins at i into prefix and local name (Namespaces in XML
// 1.0 §4). ok is false if there is none.
func (p *Parser) qualified(i int) (n qname, end int, ok bool) {
	end, colon := p.nameEnd(i)
	n.raw = p.doc[i:end]
	if colon == 0 {
		n.local = n.raw
		return n, end, end > i
	}
	n.prefix, n.local = p.doc[i:colon], p.doc[colon+1:end]
	ok = colon > i && len(n.local) > 0 && startsName(n.local) && bytes.IndexByte(n.local, ':') < 0
	return n, end, ok
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// notSpace returns the index of the first byte of s that isn't white space, or its length.
func notSpace(s []byte) int {
	for i, c := range s {
		if !isSpace(c) {
			return i
		}
	}
	return len(s)
}

// isChar reports whether r is a character of XML (XML 1.0 §2.2).
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// checkCharacters looks once at every byte, so that nothing later need do so. Most of a
// document is ASCII without control characters, which goes eight bytes at a time.
func (p *Parser) checkCharacters() error {
	const (
		high  = 0x8080808080808080 // the top bit of each byte
		space = 0x2020202020202020
	)
	for i := 0; i < len(p.doc); {
		if len(p.doc)-i >= 8 {
			v := binary.LittleEndian.Uint64(p.doc[i:])
			if (v|(v-space)&^v)&high == 0 { // no byte from 0x80 on, none below 0x20
				i += 8
				continue
			}
		}
		c := p.doc[i]
		if c >= 0x20 && c < utf8.RuneSelf || isSpace(c) {
			i++
			continue
		}
		r, n := utf8.DecodeRune(p.doc[i:])
		if r == utf8.RuneError && n == 1 {
			return p.errorAt(i, "the byte %#02x isn't UTF-8", c)
		}
		if !isChar(r) {
			return p.errorAt(i, "the character U+%04X isn't allowed", r)
		}
		i += n
	}
	return nil
}

// unescape replaces references in s, which stands at an offset of the document, and
// normalises line ends (XML 1.0 §2.11) and, in an attribute, white space (§3.3.3). It gives
// s itself if there is nothing to do.
func (p *Parser) unescape(s []byte, at int, isAttr bool) ([]byte, error) {
	if bytes.IndexByte(s, '&') < 0 {
		if isAttr {
			return p.flatten(s), nil
		}
		return p.normalise(s), nil
	}
	from := len(p.scratch)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '&':
			r, n := reference(s[i:])
			if n == 0 {
				return nil, p.errorAt(at+i, "the reference isn't one of XML's own")
			}
			p.scratch = utf8.AppendRune(p.scratch, r)
			i += n - 1
			continue
		case c == '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				continue
			}
			c = '\n'
		}
		if isAttr && isSpace(c) {
			c = ' '
		}
		p.scratch = append(p.scratch, c)
	}
	return p.scratch[from:len(p.scratch):len(p.scratch)], nil
}

// normalise makes every line end a single LF.
func (p *Parser) normalise(s []byte) []byte {
	if bytes.IndexByte(s, '\r') < 0 {
		return s
	}
	from := len(p.scratch)
	for i, c := range s {
		switch {
		case c != '\r':
			p.scratch = append(p.scratch, c)
		case i+1 == len(s) || s[i+1] != '\n':
			p.scratch = append(p.scratch, '\n')
		}
	}
	return p.scratch[from:len(p.scratch):len(p.scratch)]
}

// flatten makes every white space character of an attribute's value a space.
func (p *Parser) flatten(s []byte) []byte {
	if bytes.IndexByte(s, '\n') < 0 && bytes.IndexByte(s, '\t') < 0 && bytes.IndexByte(s, '\r') < 0 {
		return s
	}
	s = p.normalise(s)
	from := len(p.scratch)
	for _, c := range s {
		if isSpace(c) {
			c = ' '
		}
		p.scratch = append(p.scratch, c)
	}
	return p.scratch[from:len(p.scratch):len(p.scratch)]
}

// reference reads the reference that s begins with: one of the five entities of XML or a
// character by number (XML 1.0 §4.1). n is its length, 0 if it is none.
func reference(s []byte) (r rune, n int) {
	end := bytes.IndexByte(s[:min(len(s), 12)], ';')
	if end < 0 {
		return 0, 0
	}
	name := s[1:end]
	switch string(name) {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, 0
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	if len(digits) == 0 {
		return 0, 0
	}
	for _, c := range digits {
		d := digit(c)
		if d >= base {
			return 0, 0
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, 0
		}
	}
	if !isChar(r) {
		return 0, 0
	}
	return r, end + 1
}

// digit is the value of a hexadecimal digit; 16 for what is none.
func digit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 16
}
