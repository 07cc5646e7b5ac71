package soap

import (
	"strconv"
	"unicode/utf8"
)

// writer writes an XML document element by element, so that code reads like the document:
//
//	w.open("CallId", "xmlns", nsMessages)
//	w.text(id)
//	w.close()
type writer struct {
	out   []byte
	names []string // of the elements that are open
	inTag bool     // the start tag of the last one still takes attributes
	empty string   // ends an element without content, as the published examples have it
}

// Ends of an empty element. The examples of the UM service and of Autodiscover have a blank
// there, those of EWS have none.
const (
	spacedEnd = " />"
	tightEnd  = "/>"
)

// begin starts a new document with its declaration.
func (w *writer) begin(emptyEnd string) {
	w.out = append(w.out[:0], `<?xml version="1.0" encoding="utf-8"?>`+"\n"...)
	w.names, w.inTag, w.empty = w.names[:0], false, emptyEnd
}

// open starts an element. attributes are names and their values in turn.
func (w *writer) open(name string, attributes ...string) {
	w.endTag()
	w.out = append(w.out, '<')
	w.out = append(w.out, name...)
	w.names, w.inTag = append(w.names, name), true
	for i := 0; i < len(attributes); i += 2 {
		w.attribute(attributes[i], attributes[i+1])
	}
}

// attribute adds an attribute to the element that open has just started.
func (w *writer) attribute(name, value string) {
	w.out = append(w.out, ' ')
	w.out = append(w.out, name...)
	w.out = append(w.out, `="`...)
	w.out = appendText(w.out, value)
	w.out = append(w.out, '"')
}

// text adds text to the element; "" makes sure that it has a start and an end tag.
func (w *writer) text(s string) {
	w.endTag()
	w.out = appendText(w.out, s)
}

// close ends the element that was opened last.
func (w *writer) close() {
	last := len(w.names) - 1
	if w.inTag {
		w.out = append(w.out, w.empty...)
		w.inTag = false
	} else {
		w.out = append(w.out, "</"...)
		w.out = append(w.out, w.names[last]...)
		w.out = append(w.out, '>')
	}
	w.names = w.names[:last]
}

// closeAll ends every element that is open, and so the document.
func (w *writer) closeAll() {
	for len(w.names) > 0 {
		w.close()
	}
}

// leaf writes an element that holds text only.
func (w *writer) leaf(name, text string, attributes ...string) {
	w.open(name, attributes...)
	w.text(text)
	w.close()
}

func (w *writer) endTag() {
	if w.inTag {
		w.out = append(w.out, '>')
		w.inTag = false
	}
}

// appendText appends s as text or the value of an attribute in double quotes. What is no
// character of XML becomes U+FFFD.
func appendText(out []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf {
			switch c {
			case '&':
				out = append(out, "&amp;"...)
			case '<':
				out = append(out, "&lt;"...)
			case '>':
				out = append(out, "&gt;"...)
			case '"':
				out = append(out, "&quot;"...)
			default:
				out = append(out, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			out = append(out, "&#"...)
			out = strconv.AppendInt(out, int64(r), 10)
			out = append(out, ';')
		case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
			out = append(out, "\uFFFD"...)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}
