// Package xmlpull reads an XML document as a SOAP server should: strictly, with limits, and
// without copying what it need not.
//
// It is a pull parser for XML 1.0 (fifth edition) with namespaces over a document that is
// wholly in memory. Unlike encoding/xml it refuses document type declarations, entities of
// the author's own, duplicate attributes, undeclared prefixes, a second root element and
// depth without end; it says in which line and column a document goes wrong.
package xmlpull

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Limits of a document. What exceeds one is refused as a malformed document is.
const (
	MaxDepth     = 32      // elements open at once
	MaxAttrs     = 32      // attributes of one element, namespace declarations included
	MaxAttrValue = 8 << 10 // bytes of one attribute's value, as written
)

// Kind is a kind of token.
type Kind uint8

// The tokens of a document. Comments and processing instructions are checked and passed over.
// Text may come in several pieces.
const (
	EOF Kind = iota
	Start
	End
	Text
)

// Name is a name with its namespace; Space is empty for a name in none.
type Name struct{ Space, Local []byte }

// Attr is one attribute of a start tag, its value normalised (XML 1.0 §3.3.3).
type Attr struct {
	Name
	Value []byte
}

// Error says what is wrong with a document and where: line and column count from 1, the
// column in characters.
type Error struct {
	Line, Column int
	Msg          string
}

// Error gives the message with its place.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// Parser reads one document at a time; Reset begins the next. The zero value is ready for
// Reset. Names that it gives out are good until Reset, values and text until the next token.
type Parser struct {
	Name  Name   // of the element, at Start and End
	Attrs []Attr // at Start; without the namespace declarations
	Text  []byte // at Text

	doc   []byte
	pos   int // the next byte to be read
	token int // where the current token's name or text begins

	open     [MaxDepth]element
	depth    int
	empty    bool // the last start tag ended in "/>": its End comes next
	rooted   bool // the root element has been seen
	bindings []binding
	attrs    [MaxAttrs]Attr
	raw      [MaxAttrs]attribute

	transcoded []byte // doc, if it didn't come as UTF-8
	scratch    []byte // values of the current token that differ from what was written
	content    []byte // what Content has gathered
}

// element is an element that is open.
type element struct {
	raw      []byte // as written: the end tag must be the same
	name     Name
	bindings int // namespace declarations before this element's
}

// binding is a namespace declaration in force.
type binding struct{ prefix, space []byte }

// qname is a name as written, with its prefix, nil for none.
type qname struct{ raw, prefix, local []byte }

// attribute is an attribute as written, before prefixes are resolved.
type attribute struct {
	qname
	at    int
	value []byte
}

// declares reports whether a is a namespace declaration.
func (a *attribute) declares() bool {
	if a.prefix == nil {
		return string(a.local) == "xmlns"
	}
	return string(a.prefix) == "xmlns"
}

// Reset begins a document, which must not change until the last token has been read. What is
// in UTF-16, ISO-8859-1 or windows-1252, by its bytes, by charset, which is the parameter of
// its content type, or by its declaration, is transcoded. The error, an *Error, tells of bytes
// that are no characters of XML.
func (p *Parser) Reset(document []byte, charset string) error {
	p.pos, p.token, p.depth = 0, 0, 0
	p.empty, p.rooted = false, false
	p.bindings = p.bindings[:0]
	p.Attrs, p.Text, p.Name = nil, nil, Name{}
	if err := p.decode(document, charset); err != nil {
		return err
	}
	return p.checkCharacters()
}

// Next moves to the next token. At the end of a complete document it gives EOF; any error is
// an *Error.
func (p *Parser) Next() (Kind, error) {
	p.scratch = p.scratch[:0]
	if p.empty {
		p.empty = false
		return p.endElement(), nil
	}
	if p.pos == 0 {
		if err := p.declaration(); err != nil {
			return EOF, err
		}
	}
	for {
		p.token = p.pos
		if p.pos == len(p.doc) {
			return p.end()
		}
		if p.doc[p.pos] != '<' {
			if kind, err := p.text(); kind == Text || err != nil {
				return kind, err
			}
			continue
		}
		if p.pos+1 == len(p.doc) {
			return p.end()
		}
		switch p.doc[p.pos+1] {
		case '/':
			return p.endTag()
		case '?':
			if err := p.instruction(); err != nil {
				return EOF, err
			}
		case '!':
			if kind, err := p.declared(); kind == Text || err != nil {
				return kind, err
			}
		default:
			return p.startTag()
		}
	}
}

// end is the end of the bytes, which is right only after the root element.
func (p *Parser) end() (Kind, error) {
	switch {
	case p.depth > 0:
		return EOF, p.errorAt(len(p.doc), "the document ends inside element %s", p.open[p.depth-1].raw)
	case p.pos < len(p.doc):
		return EOF, p.errorAt(len(p.doc), "the document ends inside a tag")
	case !p.rooted:
		return EOF, p.errorAt(p.pos, "there is no root element")
	}
	return EOF, nil
}

// text reads character data up to the next tag. Outside the root element only white space
// may stand, and is passed over.
func (p *Parser) text() (Kind, error) {
	n := bytes.IndexByte(p.doc[p.pos:], '<')
	if n < 0 {
		n = len(p.doc) - p.pos
	}
	s := p.doc[p.pos : p.pos+n]
	if p.depth == 0 {
		if i := notSpace(s); i < n {
			return EOF, p.errorAt(p.pos+i, "text outside the root element")
		}
		p.pos += n
		return EOF, nil
	}
	if i := bytes.Index(s, []byte("]]>")); i >= 0 {
		return EOF, p.errorAt(p.pos+i, "\"]]>\" in text")
	}
	text, err := p.unescape(s, p.pos, false)
	if err != nil {
		return EOF, err
	}
	p.pos += n
	p.Text = text
	return Text, nil
}

// declared reads what begins with "<!": a comment, which is passed over, or a CDATA section.
func (p *Parser) declared() (Kind, error) {
	rest := p.doc[p.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		i := bytes.Index(rest[4:], []byte("--"))
		if i < 0 {
			return EOF, p.errorAt(p.pos, "a comment has no end")
		}
		if len(rest) == i+6 || rest[i+6] != '>' {
			return EOF, p.errorAt(p.pos+i+4, "\"--\" inside a comment")
		}
		p.pos += i + 7
		return EOF, nil
	case bytes.HasPrefix(rest, []byte("<![CDATA[")) && p.depth > 0:
		i := bytes.Index(rest, []byte("]]>"))
		if i < 0 {
			return EOF, p.errorAt(p.pos, "a CDATA section has no end")
		}
		p.Text = p.normalise(rest[len("<![CDATA["):i])
		p.pos += i + 3
		return Text, nil
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return EOF, p.errorAt(p.pos, "a document type declaration isn't allowed")
	}
	return EOF, p.errorAt(p.pos, "markup isn't well-formed")
}

// instruction passes over a processing instruction.
func (p *Parser) instruction() error {
	target := p.pos + 2
	end, colon := p.nameEnd(target)
	name := p.doc[target:end]
	if len(name) == 0 || colon > 0 || bytes.EqualFold(name, []byte("xml")) {
		return p.errorAt(p.pos, "a processing instruction isn't well-formed")
	}
	i := bytes.Index(p.doc[end:], []byte("?>"))
	if i < 0 || i > 0 && !isSpace(p.doc[end]) {
		return p.errorAt(p.pos, "a processing instruction isn't well-formed")
	}
	p.pos = end + i + 2
	return nil
}

// endTag reads "</name>".
func (p *Parser) endTag() (Kind, error) {
	p.token = p.pos + 2
	if p.depth > 0 { // as nearly all end tags are
		open := p.open[p.depth-1].raw
		if rest := p.doc[p.token:]; len(rest) > len(open) && rest[len(open)] == '>' && string(rest[:len(open)]) == string(open) {
			p.pos = p.token + len(open) + 1
			return p.endElement(), nil
		}
	}
	end, _ := p.nameEnd(p.token)
	name := p.doc[p.token:end]
	if p.depth == 0 {
		return EOF, p.errorAt(p.token, "end tag %s without a start tag", name)
	}
	if open := p.open[p.depth-1].raw; !bytes.Equal(open, name) {
		return EOF, p.errorAt(p.token, "end tag %s where element %s should end", name, open)
	}
	end += notSpace(p.doc[end:])
	if end == len(p.doc) || p.doc[end] != '>' {
		return EOF, p.errorAt(end, "an end tag isn't well-formed")
	}
	p.pos = end + 1
	return p.endElement(), nil
}

func (p *Parser) endElement() Kind {
	p.depth--
	p.Name = p.open[p.depth].name
	p.bindings = p.bindings[:p.open[p.depth].bindings]
	p.Attrs = nil
	return End
}

// Errorf is an *Error at the current token, for a reader that finds a well-formed document
// to be of no use.
func (p *Parser) Errorf(format string, args ...any) error {
	return p.errorAt(p.token, format, args...)
}

// Position is the line and column of the current token, as an Error has them.
func (p *Parser) Position() (line, column int) {
	e := p.errorAt(p.token, "")
	return e.Line, e.Column
}

// errorAt is an *Error at an offset. A line ends with CR LF, CR or LF.
func (p *Parser) errorAt(offset int, format string, args ...any) *Error {
	e := &Error{Line: 1, Msg: fmt.Sprintf(format, args...)}
	before := p.doc[:min(offset, len(p.doc))]
	start := 0
	for i, c := range before {
		if c == '\n' || c == '\r' && (i+1 == len(p.doc) || p.doc[i+1] != '\n') {
			e.Line++
			start = i + 1
		}
	}
	e.Column = utf8.RuneCount(before[start:]) + 1
	return e
}
