package xmlpull_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"hookswitch/soap/internal/xmlpull"
)

// tokens writes what the parser makes of a document in one line: <{space}name a="v">, text
// in brackets, </{space}name>.
func tokens(p *xmlpull.Parser, doc []byte) (string, error) {
	var b strings.Builder
	if err := p.Reset(doc, ""); err != nil {
		return "", err
	}
	text := ""
	for {
		kind, err := p.Next()
		if kind != xmlpull.Text && text != "" {
			fmt.Fprintf(&b, "[%s]", text)
			text = ""
		}
		if err != nil {
			return b.String(), err
		}
		switch kind {
		case xmlpull.EOF:
			return b.String(), nil
		case xmlpull.Text:
			text += string(p.Text)
		case xmlpull.End:
			fmt.Fprintf(&b, "</%s>", name(p.Name))
		case xmlpull.Start:
			fmt.Fprintf(&b, "<%s", name(p.Name))
			for _, a := range p.Attrs {
				fmt.Fprintf(&b, " %s=%q", name(a.Name), a.Value)
			}
			b.WriteByte('>')
		}
	}
}

func name(n xmlpull.Name) string {
	if len(n.Space) == 0 {
		return string(n.Local)
	}
	return "{" + string(n.Space) + "}" + string(n.Local)
}

func TestWellFormedDocumentsAreRead(t *testing.T) {
	for _, test := range []struct{ name, doc, want string }{
		{"an empty element is a start and an end", `<a/>`, `<a></a>`},
		{"text and nested elements come in order", `<a>x<b>y</b>z</a>`, `<a>[x]<b>[y]</b>[z]</a>`},
		{"the XML declaration is passed over", `<?xml version="1.0" encoding="utf-8"?><a/>`, `<a></a>`},
		{"so is one with single quotes and standalone", `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>` + "\n<a/>\n", `<a></a>`},
		{"a byte order mark is passed over", "\uFEFF<a/>", `<a></a>`},
		{"comments and instructions are passed over", `<!-- c --><?p q?><a><!----><?p?>x</a><!-- - -->`, `<a>[x]</a>`},
		{"a CDATA section is text", `<a>1<![CDATA[<&]]]>2</a>`, `<a>[1<&]2]</a>`},
		{"the five entities and numbered characters are replaced", `<a b="&quot;&apos;&#9;">&lt;&gt;&amp;&#65;&#x1F600;</a>`, `<a b="\"'\t">[<>&A😀]</a>`},
		{"line ends become LF", "<a>1\r\n2\r3\n4</a>", "<a>[1\n2\n3\n4]</a>"},
		{"white space in an attribute becomes spaces", "<a b='1\r\n2\t3\n4'/>", `<a b="1 2 3 4"></a>`},
		{"a numbered line end in an attribute stays", "<a b='1&#10;2\n3'/>", `<a b="1\n2 3"></a>`},
		{"prefixes stand for namespaces", `<p:a xmlns:p="urn:1" p:b="2" c="3"/>`, `<{urn:1}a {urn:1}b="2" c="3"></{urn:1}a>`},
		{"the default namespace is for elements only", `<a xmlns="urn:1" b="2"><c xmlns=""/></a>`, `<{urn:1}a b="2"><c></c></{urn:1}a>`},
		{"a declaration ends with its element", `<a><p:b xmlns:p="urn:1"/><p:b xmlns:p="urn:2"/></a>`, `<a><{urn:1}b></{urn:1}b><{urn:2}b></{urn:2}b></a>`},
		{"a namespace with a reference in it outlives its tag", `<a xmlns="urn:1&amp;2"><b>&lt;&lt;&lt;&lt;&lt;</b><c/></a>`, `<{urn:1&2}a><{urn:1&2}b>[<<<<<]</{urn:1&2}b><{urn:1&2}c></{urn:1&2}c></{urn:1&2}a>`},
		{"the prefix xml is known", `<a xml:lang="en"/>`, `<a {http://www.w3.org/XML/1998/namespace}lang="en"></a>`},
		{"names may have letters of any script", `<é:名 xmlns:é="urn:1"/>`, `<{urn:1}名></{urn:1}名>`},
		{"white space may stand around = and before >", "<a b = '1' \n ></a >", `<a b="1"></a>`},
		{"two prefixes of one namespace are one namespace", `<p:a xmlns:p="u" xmlns:q="u"><q:b></q:b></p:a>`, `<{u}a><{u}b></{u}b></{u}a>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := tokens(new(xmlpull.Parser), []byte(test.doc))
			if err != nil || got != test.want {
				t.Errorf("got %s, %v\nwant %s", got, err, test.want)
			}
		})
	}
}

func TestBadDocumentsAreRefusedWithLineAndColumn(t *testing.T) {
	deep := strings.Repeat("<a>", xmlpull.MaxDepth)
	for _, test := range []struct {
		name, doc    string
		line, column int
	}{
		{"nothing", ``, 1, 1},
		{"only white space", " \n ", 2, 2},
		{"only a declaration", `<?xml version="1.0"?>`, 1, 22},
		{"an element that isn't closed", `<a><b></b>`, 1, 11},
		{"an end tag of another name", "<a>\n  <b></a>", 2, 8},
		{"an end tag of the same name with another prefix", `<p:a xmlns:p="u" xmlns:q="u"></q:a>`, 1, 32},
		{"an end tag too many", `<a/></a>`, 1, 7},
		{"a second root", `<a/><b/>`, 1, 6},
		{"text before the root", `x<a/>`, 1, 1},
		{"text after the root", `<a/>x`, 1, 5},
		{"a reference outside the root", `<a/>&#32;`, 1, 5},
		{"CDATA outside the root", `<a/><![CDATA[x]]>`, 1, 5},
		{"an attribute twice", `<a b="1" b="2"/>`, 1, 10},
		{"an attribute twice by two prefixes", `<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>`, 1, 35},
		{"a namespace declared twice", `<a xmlns:p="1" xmlns:p="2"/>`, 1, 16},
		{"an undeclared prefix", `<p:a/>`, 1, 2},
		{"an undeclared prefix of an attribute", `<a p:b=""/>`, 1, 4},
		{"a prefix after its scope", `<a><p:b xmlns:p="u"/><p:c/></a>`, 1, 23},
		{"a prefix undeclared", `<a xmlns:p=""/>`, 1, 4},
		{"the prefix xmlns declared", `<a xmlns:xmlns="u"/>`, 1, 4},
		{"the prefix xml declared as something else", `<a xmlns:xml="u"/>`, 1, 4},
		{"XML's namespace under another prefix", `<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`, 1, 4},
		{"two colons in a name", `<p:a:b xmlns:p="u"/>`, 1, 2},
		{"a colon at the end of a name", `<a: />`, 1, 2},
		{"a document type", "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", 2, 1},
		{"an entity of its own", `<a>&e;</a>`, 1, 4},
		{"an entity that doesn't end", `<a>&amp</a>`, 1, 4},
		{"a bare ampersand", `<a b="1&2"/>`, 1, 8},
		{"NUL by number", `<a>&#0;</a>`, 1, 4},
		{"a surrogate by number", `<a>&#xD800;</a>`, 1, 4},
		{"a number past the last character", `<a>&#x110000;</a>`, 1, 4},
		{"a number with no end of digits", `<a>&#99999999999999999999999;</a>`, 1, 4},
		{"a NUL byte", "<a>\x00</a>", 1, 4},
		{"a control character", "<a>\x1b</a>", 1, 4},
		{"U+FFFE", "<a>\uFFFE</a>", 1, 4},
		{"a byte that isn't UTF-8", "<a>\xff</a>", 1, 4},
		{"a surrogate in UTF-8", "<a>\xed\xa0\x80</a>", 1, 4},
		{"an overlong NUL", "<a>\xc0\x80</a>", 1, 4},
		{"< in an attribute", `<a b="<"/>`, 1, 7},
		{"an attribute without quotes", `<a b=c/>`, 1, 6},
		{"an attribute without a value", `<a b/>`, 1, 4},
		{"no space between attributes", `<a b="1"c="2"/>`, 1, 9},
		{"]]> in text", `<a>]]></a>`, 1, 4},
		{"-- in a comment", `<a><!-- -- --></a>`, 1, 9},
		{"a comment without an end", `<a><!-- </a>`, 1, 4},
		{"a declaration that isn't first", `<!-- --><?xml version="1.0"?><a/>`, 1, 9},
		{"XML 1.1", `<?xml version="1.1"?><a/>`, 1, 1},
		{"another encoding", `<?xml version="1.0" encoding="gb2312"?>` + "<a>\xc4\xe3</a>", 1, 1},
		{"an instruction without a target", `<? ?><a/>`, 1, 1},
		{"a tag without a name", `< a/>`, 1, 2},
		{"a line end of CR LF counts once, columns count characters", "<a>\r\n\r\né<</a>", 3, 3},
		{"too deep", deep + "<a>", 1, 98},
		{"a document that ends in a tag", `<a b="1`, 1, 6},
		{"a lone <", `<`, 1, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := tokens(new(xmlpull.Parser), []byte(test.doc))
			var e *xmlpull.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %s, %v; want an error", got, err)
			}
			if e.Line != test.line || e.Column != test.column {
				t.Errorf("got %v, want line %d, column %d", e, test.line, test.column)
			}
		})
	}
}

func TestLimitsHoldExactly(t *testing.T) {
	attrs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d=''", i)
		}
		return "<a" + b.String() + "/>"
	}
	deep := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	value := func(n int) string { return "<a b='" + strings.Repeat("x", n) + "'/>" }
	for _, test := range []struct {
		name    string
		allowed string
		refused string
	}{
		{"depth", deep(xmlpull.MaxDepth), deep(xmlpull.MaxDepth + 1)},
		{"attributes", attrs(xmlpull.MaxAttrs), attrs(xmlpull.MaxAttrs + 1)},
		{"length of an attribute", value(xmlpull.MaxAttrValue), value(xmlpull.MaxAttrValue + 1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p xmlpull.Parser
			if _, err := tokens(&p, []byte(test.allowed)); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			if _, err := tokens(&p, []byte(test.refused)); err == nil {
				t.Error("past the limit: no error")
			}
		})
	}
}

func encode16(order binary.AppendByteOrder, s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestUTF16IsReadInBothByteOrdersWithAndWithoutAMark(t *testing.T) {
	const doc = "<a b='é'>名😀</a>"
	const want = `<a b="é">[名😀]</a>`
	const declared = `<?xml version="1.0" encoding="utf-16"?>`
	for _, test := range []struct {
		name  string
		order binary.AppendByteOrder
	}{{"little endian", binary.LittleEndian}, {"big endian", binary.BigEndian}} {
		t.Run(test.name, func(t *testing.T) {
			var p xmlpull.Parser
			for _, s := range []string{doc, "\uFEFF" + doc, declared + doc, "\uFEFF" + declared + doc} {
				if got, err := tokens(&p, encode16(test.order, s)); err != nil || got != want {
					t.Errorf("%q: got %s, %v; want %s", s, got, err, want)
				}
			}
			for name, bad := range map[string][]byte{
				"a high surrogate alone": test.order.AppendUint16(encode16(test.order, "\uFEFF<a>"), 0xD800),
				"a low surrogate alone":  append(test.order.AppendUint16(encode16(test.order, "\uFEFF<a>"), 0xDC00), encode16(test.order, "</a>")...),
				"half a character":       encode16(test.order, "\uFEFF<a/>x")[:11],
			} {
				if got, err := tokens(&p, bad); err == nil {
					t.Errorf("%s: got %s, want an error", name, got)
				}
			}
		})
	}
}

func TestElementsAreReadByTheirReaders(t *testing.T) {
	var p xmlpull.Parser
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	child := func(want bool) {
		t.Helper()
		ok, err := p.Child()
		must(err)
		if ok != want {
			t.Fatalf("Child: got %v at %s, want %v", ok, p.Name.Local, want)
		}
	}
	must(p.Reset([]byte("<a>\n <b x='1'> y<!-- -->z </b><c><d>x<e/></d></c><f/> </a>"), ""))
	child(true) // a
	child(true) // b
	if v, ok := p.Attr("x"); !ok || string(v) != "1" {
		t.Errorf("Attr: got %s, %v", v, ok)
	}
	if _, ok := p.Attr("y"); ok {
		t.Error("Attr: found one that isn't there")
	}
	text, err := p.Content()
	must(err)
	if string(text) != "yz" {
		t.Errorf("Content: got %q, want yz", text)
	}
	child(true) // c
	must(p.Skip())
	child(true) // f
	must(p.Skip())
	child(false) // a's end
	child(false) // the document's
	for _, doc := range []string{"<a>x<b/></a>", "<a><b/>x</a>"} {
		must(p.Reset([]byte(doc), ""))
		child(true)
		if _, err := p.Content(); err == nil {
			t.Errorf("Content of %s: no error", doc)
		}
	}
	must(p.Reset([]byte("<a>x</a>"), ""))
	child(true)
	if _, err := p.Child(); err == nil {
		t.Error("Child at text: no error")
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	doc := []byte(`<?xml version="1.0"?><s:a xmlns:s="urn:s" xmlns="urn:m"><s:b><c d="1&amp;2">x&lt;y</c></s:b></s:a>`)
	var p xmlpull.Parser
	got := testing.AllocsPerRun(100, func() {
		if err := p.Reset(doc, ""); err != nil {
			t.Fatal(err)
		}
		for {
			kind, err := p.Next()
			if err != nil {
				t.Fatal(err)
			}
			if kind == xmlpull.EOF {
				return
			}
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations a document, want none", got)
	}
}
