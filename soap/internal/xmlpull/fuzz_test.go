package xmlpull_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"hookswitch/soap/internal/xmlpull"
)

// standardTokens writes what encoding/xml makes of a document, in the form of tokens.
func standardTokens(doc string) (string, error) {
	var b strings.Builder
	d := xml.NewDecoder(strings.NewReader(doc))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	text, depth := "", 0
	for {
		token, err := d.Token()
		switch token.(type) {
		case xml.StartElement, xml.EndElement: // a comment doesn't end a text
			if text != "" {
				fmt.Fprintf(&b, "[%s]", text)
				text = ""
			}
		}
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		switch token := token.(type) {
		case xml.CharData:
			if depth > 0 {
				text += string(token)
			}
		case xml.EndElement:
			depth--
			fmt.Fprintf(&b, "</%s>", standardName(token.Name))
		case xml.StartElement:
			depth++
			fmt.Fprintf(&b, "<%s", standardName(token.Name))
			for _, a := range token.Attr {
				if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
					continue
				}
				fmt.Fprintf(&b, " %s=%q", standardName(a.Name), a.Value)
			}
			b.WriteByte('>')
		}
	}
}

func standardName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}

// FuzzParser holds the parser against encoding/xml: what it accepts the other accepts, with
// the same tokens. Left out is only where encoding/xml doesn't follow the specification: it
// leaves white space in attributes as it is, and knows the names of XML's fourth edition.
func FuzzParser(f *testing.F) {
	for _, seed := range []string{
		`<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetCallInfo xmlns="urn:m"><CallId>M2Y4YzFh</CallId></GetCallInfo></s:Body></s:Envelope>`,
		`<a b="1" c='&lt;&#x41;'>x<![CDATA[y]]>z<!-- c --><?p q?><d/></a>`,
		`<!DOCTYPE a [<!ENTITY e "e">]><a>&e;</a>`,
		"<p:a xmlns:p='u' p:b=''\n/>",
		"\uFEFF<a>\r\n&amp;&#13;</a>",
		"\xff\xfe<\x00a\x00/\x00>\x00",
		`<a xmlns=""><b xmlns="u"><c xmlns=""/></b></a>`,
		strings.Repeat("<a>", 33),
		`<a xml:b="1" xmlns:c="u" c:b="2"></a><b/>`,
		`<a xmlns:p="xmlns" p:a=""/>`,
		"\r\n<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9\x80</a>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var p xmlpull.Parser
		got, err := tokens(&p, doc)
		if err != nil {
			return
		}
		if bytes.HasPrefix(doc, []byte("\xff\xfe")) || bytes.HasPrefix(doc, []byte("\xfe\xff")) || bytes.IndexByte(doc, 0) >= 0 {
			return // UTF-16, which encoding/xml doesn't read
		}
		if !utf8.Valid(doc) || utf8.RuneCount(doc) < len(doc) && bytes.Contains(doc, []byte("encoding")) {
			return // nor does it read ISO-8859-1
		}
		if strings.Contains(got, "{xmlns}") {
			return // a namespace of that very name, which encoding/xml can't tell from a declaration
		}
		text := strings.TrimPrefix(string(doc), "\uFEFF")
		want, err := standardTokens(text)
		if err != nil {
			if strings.Contains(err.Error(), "invalid XML name") && utf8.RuneCountInString(text) < len(text) {
				return
			}
			t.Fatalf("encoding/xml refuses what we read as %s: %v", got, err)
		}
		spaces := strings.NewReplacer(`\n`, " ", `\t`, " ", `\r`, " ")
		if got, want := spaces.Replace(got), spaces.Replace(want); got != want {
			t.Errorf("got %s\nencoding/xml %s", got, want)
		}
	})
}
