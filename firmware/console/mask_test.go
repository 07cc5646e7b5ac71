package console

import (
	"regexp"
	"strings"
	"testing"
)

var aliases = regexp.MustCompile(`\*{8}-[0-9a-f]{8}`)

func TestNoSecretIsShown(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a string", "password_hash = \"S3CRET\"\nx = 1", "password_hash = \"********\"\nx = 1"},
		{"a list over lines", "token_hash = [\n  \"S3CRET\", # S3CRET ]\n  'S3CRET',\n]\nx = \"1\"", "token_hash = [\n  \"********\", #\n  \"********\",\n]\nx = \"1\""},
		{"an inline table", "user = [{ name = \"a\", password_hash = \"S3CRET\", admin = true }]", "user = [{ name = \"a\", password_hash = \"********\", admin = true }]"},
		{"a quoted key", "\"nt_hash\" = 'S3CRET'", "\"nt_hash\" = \"********\""},
		{"a number", "sim_pin = S3CRET", "sim_pin = \"********\""},
		{"a comment", "# sim_pin = \"S3CRET\"", "# sim_pin = \"********\""},
		{"a string over lines", "sim_pin = \"\"\"\nS3CRET\n\"\"\"\nx = 1", "sim_pin = \"\"\"********\n\n\"\"\"\nx = 1"},
		{"a string without an end", "password_hash = \"S3CRET S3CRET\nx = 1", "password_hash = \"********\"\nx = 1"},
		{"a list without an end", "token_hash = [\"S3CRET\",\n\"S3CRET\"", "token_hash = [\"********\",\n\"********\""},
		{"a comment behind one", "sim_pin = \"S3CRET\" # was S3CRET\nx = 1", "sim_pin = \"********\"\nx = 1"},
		{"an empty list", "token_hash = []", "token_hash = []"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := aliases.ReplaceAllString(mask(tt.text), stars); got != tt.want {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestASecretThatComesBackMaskedIsWhatItWas(t *testing.T) {
	before := "[[user]]\npassword_hash = \"A\"\ntoken_hash = [\"1\",\n\"2\"]\n[[user]]\npassword_hash = \"B\""
	lines := strings.Split(before, "\n")
	if got := unmask(mask(before), lines); got != before {
		t.Errorf("%s", got)
	}
	masked := strings.Split(mask(before), "\n")
	tests := []struct{ name, text, want string }{
		{"one changed", masked[1] + "\npassword_hash = \"C\"", "password_hash = \"A\"\npassword_hash = \"C\""},
		{"one removed", "[[user]]\n" + masked[5], "[[user]]\npassword_hash = \"B\""},
		{"two in another order", masked[5] + "\n" + masked[1], "password_hash = \"B\"\npassword_hash = \"A\""},
		{"one twice", masked[1] + "\n" + masked[1], "password_hash = \"A\"\npassword_hash = \"A\""},
		{"one in other quotes", strings.ReplaceAll(masked[1], `"`, `'`), "password_hash = \"A\""},
		{"one that isn't there", "password_hash = \"********-00000000\"", "password_hash = \"********-00000000\""},
		{"stars alone", "password_hash = \"********\"", "password_hash = \"********\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := unmask(tt.text, lines); got != tt.want {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestNoiseDoesNotSwallowTheKeyAfterIt(t *testing.T) {
	for _, noise := range []string{"\x1b", "\x1b[", "\x1bO", "\x1b[12;", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xff", "\x1b\x1b"} {
		typed := []byte(noise + "\rx")
		next := func() (byte, error) { b := typed[0]; typed = typed[1:]; return b, nil }
		unread := func(b byte) { typed = append([]byte{b}, typed...) }
		var keys []rune
		for len(typed) > 0 {
			k, err := readKey(next, unread)
			if err != nil {
				t.Fatal(err)
			}
			if k != keyNone {
				keys = append(keys, k)
			}
		}
		if string(keys) != "\rx" {
			t.Errorf("after %q: %q", noise, string(keys))
		}
	}
}
