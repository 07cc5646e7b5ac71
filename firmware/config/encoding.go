package config

import (
	"bytes"
	"unicode/utf8"
)

// byteOrderMarks are those of the encodings that editors on Windows save by the names
// "Unicode" and "UTF-32". The longer ones come first: that of UTF-16 is how UTF-32's begins.
var byteOrderMarks = []struct{ mark, encoding string }{
	{"\xff\xfe\x00\x00", "UTF-32"}, {"\x00\x00\xfe\xff", "UTF-32"},
	{"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"},
}

// encoding checks that data is UTF-8, the one encoding of TOML. It reports false where
// nothing in the file can be read.
func (r *report) encoding(data []byte) bool {
	name := ""
	for _, b := range byteOrderMarks {
		if bytes.HasPrefix(data, []byte(b.mark)) {
			name = b.encoding
			break
		}
	}
	if name == "" {
		name = withoutMark(data)
	}
	if name != "" {
		r.add(&place{line: 1}, "", "", "the file is encoded in %s (\"Unicode\" in Notepad, and what > and Out-File write in Windows PowerShell); "+
			"save it as UTF-8, such as by: iconv -f %s -t UTF-8", name, name)
		return false
	}
	lines := bytes.Split(data, []byte("\n"))
	for i, line := range lines {
		if !utf8.Valid(line) {
			r.add(&place{line: i + 1}, "", "", "not TOML: byte 0x%X is not UTF-8 (but Latin-1, Windows-1252 or ANSI, it seems); save the file as UTF-8",
				firstInvalid(line))
			return false
		}
	}
	return true
}

// withoutMark names the encoding of a text without byte order mark by the zero bytes of its
// first characters, which are ASCII in a configuration; "" is neither.
func withoutMark(data []byte) string {
	const looked = 64
	head := data[:min(len(data), looked)]
	zeros := bytes.Count(head, []byte{0})
	switch {
	case len(head) < 4 || zeros < len(head)/3:
		return ""
	case zeros > len(head)*5/8:
		return "UTF-32"
	}
	return "UTF-16"
}

func firstInvalid(line []byte) byte {
	for len(line) > 0 {
		c, n := utf8.DecodeRune(line)
		if c == utf8.RuneError && n == 1 {
			return line[0]
		}
		line = line[n:]
	}
	return 0
}
