package console

import (
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
	secrets    = regexp.MustCompile(`\b(password_hash|nt_hash|token_hash|sim_pin)["']?[ \t]*=[ \t]*(` + tomlList + `|(?:` + tomlString + `)(?:[ \t]*#[^\n]*)?|[^\n]+)`)
	secretList = regexp.MustCompile(`\A(?:` + tomlList + `)\z`)
	secretText = regexp.MustCompile(tomlString + `|#[^\n]*`)
)

const stars = "********"

// mask replaces each secret by stars. The lines keep their numbers.
func mask(text string) string {
	return eachSecret(text, func(_, secret string) string {
		switch {
		case strings.HasPrefix(secret, "#"):
			return "#"
		case strings.Contains(secret, "\n"): // between the quotes
			return secret[:3] + stars + strings.Repeat("\n", strings.Count(secret, "\n")) + secret[:3]
		}
		return `"` + stars + `"`
	})
}

// unmask gives a secret that came back masked its value again: the n-th of its key. Where
// there are fewer than before, nobody knows whose they were: they stay masked, which config
// check then refuses.
func unmask(text string, before []string) string {
	was, now, n := map[string][]string{}, map[string]int{}, map[string]int{}
	eachSecret(strings.Join(before, "\n"), func(key, secret string) string {
		if !strings.HasPrefix(secret, "#") {
			was[key] = append(was[key], secret)
		}
		return secret
	})
	eachSecret(text, func(key, secret string) string {
		if !strings.HasPrefix(secret, "#") {
			now[key]++
		}
		return secret
	})
	return eachSecret(text, func(key, secret string) string {
		if strings.HasPrefix(secret, "#") {
			return secret
		}
		i := n[key]
		n[key]++
		if !strings.Contains(secret, stars) || i >= len(was[key]) || now[key] < len(was[key]) ||
			strings.Count(was[key][i], "\n") != strings.Count(secret, "\n") {
			return secret
		}
		return was[key][i]
	})
}

// eachSecret replaces each secret, and each comment in a list of them.
func eachSecret(text string, replace func(key, secret string) string) string {
	var out strings.Builder
	done := 0
	for _, m := range secrets.FindAllStringSubmatchIndex(text, -1) {
		key, value := text[m[2]:m[3]], text[m[4]:m[5]]
		out.WriteString(text[done:m[4]])
		if secretList.MatchString(value) {
			out.WriteString(secretText.ReplaceAllStringFunc(value, func(s string) string { return replace(key, s) }))
		} else {
			out.WriteString(replace(key, value))
		}
		done = m[5]
	}
	return out.String() + text[done:]
}
