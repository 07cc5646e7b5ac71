package xmlpull_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"hookswitch/soap/internal/xmlpull"
)

// read reads a document that came with a charset.
func read(doc []byte, charset string) (string, error) {
	p := new(xmlpull.Parser)
	if err := p.Reset(doc, charset); err != nil {
		return "", err
	}
	var text strings.Builder
	for {
		kind, err := p.Next()
		switch {
		case err != nil:
			return "", err
		case kind == xmlpull.EOF:
			return text.String(), nil
		case kind == xmlpull.Text && strings.TrimSpace(string(p.Text)) != "":
			text.Write(p.Text)
		}
	}
}

// latin1 is s in ISO-8859-1.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// TestADocumentIsInWhatItsBytesSayThenItsContentTypeThenItsDeclaration holds for every label,
// true or not: those of UTF-16 on other documents, and others on UTF-16, say nothing.
func TestADocumentIsInWhatItsBytesSayThenItsContentTypeThenItsDeclaration(t *testing.T) {
	const text, asLatin1 = "Grüße é", "GrÃ¼Ã\u0178e Ã©"
	labels := []string{"", "utf-8", "UTF-8", "us-ascii", "utf-16", "UTF-16LE", "iso-8859-1", "windows-1252", "gb2312"}
	for name, encode := range map[string]func(string) string{
		"UTF-8":                     func(s string) string { return s },
		"UTF-8 with a mark":         func(s string) string { return "\uFEFF" + s },
		"UTF-16, little endian":     func(s string) string { return string(encode16(binary.LittleEndian, "\uFEFF"+s)) },
		"UTF-16, big endian":        func(s string) string { return string(encode16(binary.BigEndian, "\uFEFF"+s)) },
		"UTF-16 without a mark, le": func(s string) string { return string(encode16(binary.LittleEndian, s)) },
		"UTF-16 without a mark, be": func(s string) string { return string(encode16(binary.BigEndian, s)) },
		"ISO-8859-1":                latin1,
	} {
		for _, charset := range labels {
			for _, declared := range labels {
				for _, before := range []string{"", "\r\n\r\n"} {
					declaration := ""
					if declared != "" {
						declaration = `<?xml version="1.0" encoding="` + declared + `"?>`
					}
					want := text
					isLatin1 := func(label string) bool { return label == "iso-8859-1" || label == "windows-1252" }
					silent := func(label string) bool {
						return label == "" || label == "us-ascii" || strings.HasPrefix(strings.ToLower(label), "utf-16")
					}
					said := charset
					if silent(charset) {
						said = declared
					}
					switch name {
					case "UTF-8":
						if isLatin1(said) || charset == "gb2312" && isLatin1(declared) {
							want = asLatin1
						}
					case "ISO-8859-1":
						if !isLatin1(charset) && !isLatin1(declared) {
							want = ""
						}
					}
					got, err := read([]byte(encode(before+declaration+"<a>"+text+"</a>")), charset)
					if got != want || (err != nil) != (want == "") {
						t.Errorf("%s, charset %q, declared %q, after %q: got %q, %v; want %q", name, charset, declared, before, got, err, want)
					}
				}
			}
		}
	}
}

func TestEveryByteOfWindows1252IsACharacter(t *testing.T) {
	var doc []byte
	for c := range 128 {
		doc = append(doc, byte(128+c))
	}
	got, err := read([]byte("<a>"+string(doc)+"</a>"), "cp1252")
	want := "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	for r := rune(0xA0); r <= 0xFF; r++ {
		want += string(r)
	}
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}
