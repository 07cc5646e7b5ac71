package xmlpull

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode makes p.doc the document in UTF-8 without a byte order mark. What a document is in is
// told by its bytes where they can (XML 1.0 appendix F), then by charset, the parameter of its
// content type (RFC 7303 §3.2), then by its declaration; else it is UTF-8. Labels are often
// wrong: programs declare the UTF-16 of the string that they have made the document in.
func (p *Parser) decode(body []byte, charset string) error {
	start := notSpace16(body)
	switch {
	case bytes.HasPrefix(body, []byte{0xEF, 0xBB, 0xBF}):
		p.doc = body[3:]
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}):
		return p.transcode(body[2:], binary.LittleEndian)
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return p.transcode(body[2:], binary.BigEndian)
	case bytes.HasPrefix(body[start:], []byte{'<', 0}):
		return p.transcode(body, binary.LittleEndian)
	case bytes.HasPrefix(body[start:], []byte{0, '<'}):
		return p.transcode(body, binary.BigEndian)
	default:
		p.doc = body
		return p.decode8(charset)
	}
	return nil
}

// notSpace16 returns the index of the first character that isn't white space in UTF-16, of
// either byte order; 0 for a document that isn't UTF-16.
func notSpace16(s []byte) (i int) {
	for i+1 < len(s) && (s[i] == 0 && isSpace(s[i+1]) || isSpace(s[i]) && s[i+1] == 0) {
		i += 2
	}
	return i
}

// Encodings of bytes that go on from ASCII.
type encoding uint8

const (
	unlabelled encoding = iota
	inUTF8
	inLatin1 // or windows-1252, which has characters where the other has rare controls
	inAnother
)

// encodingNamed gives the encoding that a label stands for (RFC 2978). One that can't be true
// of a document that is not UTF-16 says nothing, nor does ASCII, once the default of text/xml.
func encodingNamed(label string) encoding {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "", "us-ascii", "ascii", "iso646-us", "ansi_x3.4-1968",
		"utf-16", "utf-16le", "utf-16be", "utf16", "unicode", "ucs-2", "iso-10646-ucs-2":
		return unlabelled
	case "utf-8", "utf8", "unicode-1-1-utf-8", "cp65001":
		return inUTF8
	case "iso-8859-1", "iso8859-1", "iso88591", "iso_8859-1", "iso_8859-1:1987", "latin1", "latin-1", "l1",
		"cp819", "ibm819", "windows-28591",
		"windows-1252", "cp1252", "cp-1252", "x-cp1252", "ansi":
		return inLatin1
	}
	return inAnother
}

// decode8 makes p.doc UTF-8 if it isn't.
func (p *Parser) decode8(charset string) error {
	declared := ""
	if at := notSpace(p.doc); isDeclaration(p.doc[at:]) {
		if end := bytes.Index(p.doc, []byte("?>")); end > 0 {
			_, rest := pseudoAttribute(p.doc[at+len(declarationStart):end], "version")
			name, _ := pseudoAttribute(rest, "encoding")
			declared = string(name)
		}
	}
	by, second := encodingNamed(charset), encodingNamed(declared)
	label := charset
	switch {
	case by == unlabelled:
		by, label = second, declared
	case by == inUTF8 && second == inLatin1 && !utf8.Valid(p.doc), by == inAnother && second == inLatin1:
		by = inLatin1
	}
	switch {
	case by == inLatin1:
		p.transcodeLatin1()
	case by == inAnother && !utf8.Valid(p.doc):
		return p.errorAt(0, "the encoding %q isn't supported, but UTF-8, UTF-16, ISO-8859-1 and windows-1252 are", label)
	}
	return nil
}

// windows1252 are the characters from 0x80 to 0x9F; 0 stands for none.
var windows1252 = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// transcodeLatin1 makes p.doc from ISO-8859-1 or windows-1252.
func (p *Parser) transcodeLatin1() {
	out := p.transcoded[:0]
	for _, c := range p.doc {
		r := rune(c)
		if c >= 0x80 && c < 0xA0 && windows1252[c-0x80] != 0 {
			r = windows1252[c-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	p.transcoded, p.doc = out, out
}

// transcode makes p.doc from UTF-16. A surrogate without its other half is an error.
func (p *Parser) transcode(body []byte, order binary.ByteOrder) error {
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

// declarationStart begins an XML declaration.
const declarationStart = "<?xml"

func isDeclaration(s []byte) bool {
	return len(s) > len(declarationStart) && string(s[:len(declarationStart)]) == declarationStart && isSpace(s[len(declarationStart)])
}

// declaration reads the XML declaration, if there is one (XML 1.0 §2.8). Blank lines before
// it, which templates leave, are passed over. Its encoding has been looked at by decode.
func (p *Parser) declaration() error {
	at := notSpace(p.doc)
	if !isDeclaration(p.doc[at:]) {
		return nil
	}
	end := bytes.Index(p.doc, []byte("?>"))
	if end < 0 {
		return p.errorAt(at, "the XML declaration has no end")
	}
	rest := p.doc[at+len(declarationStart) : end]
	version, rest := pseudoAttribute(rest, "version")
	if string(version) != "1.0" {
		return p.errorAt(at, "the document isn't XML 1.0")
	}
	_, rest = pseudoAttribute(rest, "encoding")
	standalone, rest := pseudoAttribute(rest, "standalone")
	if standalone != nil && string(standalone) != "yes" && string(standalone) != "no" ||
		notSpace(rest) < len(rest) {
		return p.errorAt(at, "the XML declaration isn't well-formed")
	}
	p.pos = end + 2
	return nil
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
