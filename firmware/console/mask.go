package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// What a secret is written as: strings, in a list or not, as TOML has them. Text that is not
// TOML yet, because it is being edited, is a secret up to the end of its line.
const (
	tomlString = `"""(?s:.*?)"""|'''(?s:.*?)'''|"(?:[^"\\\n]|\\[^\n])*"|'[^'\n]*'`
	tomlList   = `\[(?:` + tomlString + `|#[^\n]*|[^\]"'#])*(?:\]|\z)`
)

var (
	secrets    = regexp.MustCompile(`\b(?:password_hash|nt_hash|token_hash|sim_pin)["']?[ \t]*=[ \t]*(` + tomlList + `|(?:` + tomlString + `)(?:[ \t]*#[^\n]*)?|[^\n]+)`)
	secretList = regexp.MustCompile(`\A(?:` + tomlList + `)\z`)
	secretText = regexp.MustCompile(tomlString + `|#[^\n]*`)
)

// stars begins what stands for a secret. What follows tells it from others for as long as the
// daemon runs, so that a file that comes back with its parts moved has each in its place.
const stars = "********"

var maskKey = []byte(rand.Text())

// alias stands for a secret, and tells nothing of it.
func alias(secret string) string {
	mac := hmac.New(sha256.New, maskKey)
	mac.Write([]byte(secret))
	return fmt.Sprintf("%s-%x", stars, mac.Sum(nil)[:4])
}

// mask replaces each secret by its alias. The lines keep their numbers.
func mask(text string) string {
	return eachSecret(text, func(secret string) string {
		switch {
		case strings.HasPrefix(secret, "#"):
			return "#"
		case strings.Contains(secret, "\n"): // between the quotes
			return secret[:3] + alias(secret) + strings.Repeat("\n", strings.Count(secret, "\n")) + secret[:3]
		}
		return `"` + alias(secret) + `"`
	})
}

// unmask gives each secret of before that came back masked its value again. An alias that is
// none of theirs stays, and config check then refuses it.
func unmask(text string, before []string) string {
	values := map[string]string{}
	eachSecret(strings.Join(before, "\n"), func(secret string) string {
		values[alias(secret)] = secret
		return secret
	})
	return eachSecret(text, func(secret string) string {
		value, ok := values[strings.Trim(secret, "\"'\n")]
		if !ok || strings.Count(value, "\n") != strings.Count(secret, "\n") {
			return secret
		}
		return value
	})
}

// eachSecret replaces each secret, and each comment in a list of them.
func eachSecret(text string, replace func(secret string) string) string {
	var out strings.Builder
	done := 0
	for _, m := range secrets.FindAllStringSubmatchIndex(text, -1) {
		value := text[m[2]:m[3]]
		out.WriteString(text[done:m[2]])
		if secretList.MatchString(value) {
			out.WriteString(secretText.ReplaceAllStringFunc(value, replace))
		} else {
			out.WriteString(replace(value))
		}
		done = m[3]
	}
	return out.String() + text[done:]
}
