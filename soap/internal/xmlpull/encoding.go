package xmlpull

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode makes p.doc the document in UTF-8 without a byte order mark. A document without a
// mark is UTF-16 if its first character is "<" in it (XML 1.0 appendix F).
func (p *Parser) decode(body []byte) error {
	p.mark = 0
	switch {
	case bytes.HasPrefix(body, []byte{0xEF, 0xBB, 0xBF}):
		p.doc, p.mark = body[3:], 3
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}):
		return p.transcode(body[2:], binary.LittleEndian)
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return p.transcode(body[2:], binary.BigEndian)
	case bytes.HasPrefix(body, []byte{'<', 0}):
		return p.transcode(body, binary.LittleEndian)
	case bytes.HasPrefix(body, []byte{0, '<'}):
		return p.transcode(body, binary.BigEndian)
	default:
		p.doc = body
	}
	return nil
}

// transcode makes p.doc from UTF-16. A surrogate without its other half is an error.
func (p *Parser) transcode(body []byte, order binary.ByteOrder) error {
	p.mark = -1
	out := p.transcoded[:0]
	var fault string
	for len(body) > 0 && fault == "" {
		if len(body) == 1 {
			fault = "the document ends in half a character of UTF-16"
			break
		}
		r := rune(order.Uint16(body))
		body = body[2:]
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if len(body) >= 2 {
				low = rune(order.Uint16(body))
				body = body[2:]
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				fault = "a surrogate stands alone"
				break
			}
		}
		out = utf8.AppendRune(out, r)
	}
	p.transcoded, p.doc = out, out
	if fault != "" {
		return p.errorAt(len(out), "%s", fault)
	}
	return nil
}

// declaration reads the XML declaration, if there is one (XML 1.0 §2.8).
func (p *Parser) declaration() error {
	const begin = "<?xml"
	if len(p.doc) <= len(begin) || string(p.doc[:len(begin)]) != begin || !isSpace(p.doc[len(begin)]) {
		return nil
	}
	end := bytes.Index(p.doc, []byte("?>"))
	if end < 0 {
		return p.errorAt(0, "the XML declaration has no end")
	}
	rest := p.doc[len(begin):end]
	version, rest := pseudoAttribute(rest, "version")
	if string(version) != "1.0" {
		return p.errorAt(0, "the document isn't XML 1.0")
	}
	encoding, rest := pseudoAttribute(rest, "encoding")
	if encoding != nil && !p.encodedAs(string(encoding)) {
		return p.errorAt(0, "the document isn't in the encoding %q that it declares", encoding)
	}
	standalone, rest := pseudoAttribute(rest, "standalone")
	if standalone != nil && string(standalone) != "yes" && string(standalone) != "no" ||
		notSpace(rest) < len(rest) {
		return p.errorAt(0, "the XML declaration isn't well-formed")
	}
	p.pos = end + 2
	return nil
}

// encodedAs reports whether the document may declare the encoding name.
func (p *Parser) encodedAs(name string) bool {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return p.mark >= 0
	case "utf-16", "utf-16le", "utf-16be":
		return p.mark < 0
	}
	return false
}

// pseudoAttribute reads ` name="value"` from the beginning of s. Without it the value is nil
// and s comes back as it is.
func pseudoAttribute(s []byte, name string) (value, rest []byte) {
	t := s[notSpace(s):]
	if len(t) == len(s) || !bytes.HasPrefix(t, []byte(name)) {
		return nil, s
	}
	t = t[len(name):]
	t = t[notSpace(t):]
	if len(t) == 0 || t[0] != '=' {
		return nil, s
	}
	t = t[1:]
	t = t[notSpace(t):]
	if len(t) == 0 || t[0] != '"' && t[0] != '\'' {
		return nil, s
	}
	n := bytes.IndexByte(t[1:], t[0])
	if n < 0 {
		return nil, s
	}
	return t[1 : 1+n : 1+n], t[n+2:]
}
