package config_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"hookswitch/firmware/config"
)

// utf16Of encodes a text as Windows PowerShell and Notepad do.
func utf16Of(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func utf32Of(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, c := range text {
		b = order.AppendUint32(b, uint32(c))
	}
	return string(b)
}

func TestAnotherEncodingThanUTF8IsNamed(t *testing.T) {
	const text = "# Büro\r\n[http]\r\nlisten = \"127.0.0.1:8080\"\r\n"
	const mark = "\ufeff"
	for _, test := range []struct{ name, data, says string }{
		{"PowerShell's UTF-16", utf16Of(binary.LittleEndian, mark+text), "UTF-16"},
		{"UTF-16, most significant byte first", utf16Of(binary.BigEndian, mark+text), "UTF-16"},
		{"UTF-16 without a mark", utf16Of(binary.LittleEndian, text), "UTF-16"},
		{"UTF-16 without a mark, most significant byte first", utf16Of(binary.BigEndian, text), "UTF-16"},
		{"only a mark", "\xff\xfe", "UTF-16"},
		{"one character", utf16Of(binary.LittleEndian, mark+"#"), "UTF-16"},
		{"UTF-32", utf32Of(binary.LittleEndian, mark+text), "UTF-32"},
		{"UTF-32, most significant byte first", utf32Of(binary.BigEndian, mark+text), "UTF-32"},
		{"UTF-32 without a mark", utf32Of(binary.BigEndian, text), "UTF-32"},
		{"Latin-1 in a comment", "# B\xfcro\n", "byte 0xFC"},
		{"half a character", "# B\xc3\n", "byte 0xC3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := mistakes(t, test.data)
			if len(told) != 1 || !strings.Contains(told[0], test.says) || !strings.Contains(told[0], "save") {
				t.Errorf("told %q, want one mistake that names %s and what to do", told, test.says)
			}
		})
	}
	if _, err := config.Parse("f", []byte(mark+text)); err != nil {
		t.Errorf("UTF-8 with a mark: %v", err)
	}
}
