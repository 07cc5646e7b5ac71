package dialing

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxNumber is the longest number dialled, in characters after "+".
const maxNumber = 20

// maxDial bounds what is looked at, in bytes: a number with every separator a person could
// want, as they are pasted.
const maxDial = 160

// Dialled is a number that the rules permit, together with what a line of each kind is
// given for it. Rules.Check alone makes one: nothing is dialled that has not been judged.
type Dialled struct {
	number           string
	analogue, mobile string
	abroad           bool
}

// String is the number as it was asked for, without separators.
func (d Dialled) String() string { return d.number }

// On is what a line dials; "" where an analogue line would have to know the carrier of calls
// abroad, which international_prefix names.
func (d Dialled) On(mobile bool) string {
	if mobile {
		return d.mobile
	}
	return d.analogue
}

// Abroad reports whether the call leaves the country.
func (d Dialled) Abroad() bool { return d.abroad }

// Number reads a dial string: digits, * and #, perhaps "+" in front, perhaps separated for
// the eye, perhaps as a tel: URI (RFC 3966) without parameters. Separators are spaces, dashes
// and . ( ) / in all their Unicode forms; what can't be seen at all is dropped. What would
// mean something else to a modem (a comma, a semicolon, T, P, W, !, @) is refused.
// Errors wrap ErrNumber.
func Number(dial string) (string, error) {
	t, err := scan(dial)
	return t.number, err
}

// typed is a number without separators.
type typed struct {
	number   string
	brackets []string // number up to each (, and what stood in the brackets
}

func scan(dial string) (t typed, err error) {
	if len(dial) > maxDial {
		return t, fmt.Errorf("%w: longer than %d characters", ErrNumber, maxDial)
	}
	text := strings.TrimFunc(dial, func(c rune) bool { return unicode.IsSpace(c) || unseen(c) })
	if len(text) >= 4 && strings.EqualFold(text[:4], "tel:") {
		text = text[4:]
		if _, parameter, ok := strings.Cut(text, ";"); ok {
			name, _, _ := strings.Cut(parameter, "=")
			return t, fmt.Errorf("%w: a tel: URI with parameters (%.20q) can't be dialled; "+
				"leave out what follows the semicolon", ErrNumber, name)
		}
	}
	var b strings.Builder
	open := -1
	for _, c := range text {
		switch {
		case c == '(' || c == '（':
			open = b.Len()
		case (c == ')' || c == '）') && open >= 0:
			t.brackets = append(t.brackets, b.String()[:open], b.String()[open:])
			open = -1
		case separator(c) || unseen(c):
		case c >= '0' && c <= '9', c == '*', c == '#', c == '+' && b.Len() == 0:
			b.WriteRune(c)
		case c == '+':
			return typed{}, fmt.Errorf("%w: + in the middle", ErrNumber)
		case c == unicode.ReplacementChar:
			return typed{}, fmt.Errorf("%w: a character that is not UTF-8 can't be dialled", ErrNumber)
		default:
			return typed{}, fmt.Errorf("%w: %q (%U) can't be dialled", ErrNumber, c, c)
		}
	}
	t.number = b.String()
	switch digits := strings.TrimPrefix(t.number, "+"); {
	case digits == "":
		return typed{}, fmt.Errorf("%w: no digits", ErrNumber)
	case len(digits) < len(t.number) && strings.ContainsAny(digits, "*#"):
		return typed{}, fmt.Errorf("%w: a number that begins with + has no * and #", ErrNumber)
	case len(digits) > maxNumber:
		return typed{}, fmt.Errorf("%w: more than %d digits", ErrNumber, maxNumber)
	}
	return t, nil
}

// separator reports whether a character stands between digits for the eye: a space of any
// width, a dash of any length, a minus, a dot, a bracket, a stroke.
func separator(c rune) bool {
	return strings.ContainsRune(".()/\u2212\u00b7\u2022\u2044\uff08\uff09\uff0e\uff0f", c) || unicode.In(c, unicode.Zs, unicode.Pd)
}

// unseen reports whether a character has no shape: a soft hyphen, a joiner, a mark of
// direction or of byte order, such as web pages, address books and Word put into numbers.
func unseen(c rune) bool { return unicode.Is(unicode.Cf, c) }

// normal is a typed number without the trunk prefix that people write into an international
// one: +44 (0)20 7946 0000, +49 0 30 123456. In the Italian +39 06 it belongs to the number.
func (r *Rules) normal(t typed) string {
	for _, head := range r.heads(t.number) {
		c, national, ok := countryOf(t.number[head:])
		if !ok || c.has(national) {
			continue
		}
		at := len(t.number) - len(national)
		for _, trunk := range []string{c.trunk, "0"} {
			rest, cut := strings.CutPrefix(national, trunk)
			if trunk == "" || !cut || !c.possible(rest) {
				continue
			}
			if trunk == "0" && c.trunk == "0" || t.inBrackets(at, trunk) {
				return t.number[:at] + rest
			}
		}
	}
	return t.number
}

func (t typed) inBrackets(at int, digits string) bool {
	for i := 0; i < len(t.brackets); i += 2 {
		if len(t.brackets[i]) == at && t.brackets[i+1] == digits {
			return true
		}
	}
	return false
}

// heads are how many characters of a number may stand before its country code. Where a PBX
// takes a prefix off, the exchange sees the rest only.
func (r *Rules) heads(number string) []int {
	before := 0
	for _, p := range r.OutsidePrefix {
		if strings.HasPrefix(number, p) {
			before = len(p)
			break
		}
	}
	list := r.international(number[before:])
	for i := range list {
		list[i] += before
	}
	return list
}

// international are the lengths of "+" or of the international prefixes that a number may
// begin with, the likeliest first.
func (r *Rules) international(number string) (list []int) {
	if strings.HasPrefix(number, "+") {
		return []int{1}
	}
	own := r.own()
	for _, p := range []string{r.InternationalPrefix, own.dial, own.international.FindString(number)} {
		if p != "" && strings.HasPrefix(number, p) && len(p) < len(number) && !slices.Contains(list, len(p)) {
			list = append(list, len(p))
		}
	}
	return list
}

// strings returns what an analogue and a mobile line are given for a number. A number with
// its country code is made from that: the trunk prefix at home, the international prefix
// elsewhere, after the first outside prefix, on an analogue line; "+" on a mobile one, which
// no PBX is in front of. Every other is dialled as it was typed.
func (r *Rules) strings(number string) (analogue, mobile string) {
	if strings.ContainsAny(number, "*#") {
		return number, number
	}
	own := r.own()
	full, plus := strings.CutPrefix(number, "+")
	if !plus {
		bare := number
		for _, p := range r.OutsidePrefix {
			rest, ok := strings.CutPrefix(number, p)
			if ok && (r.known(rest) || len(rest) > maxShort && !r.complete(number)) {
				bare = rest
				break
			}
		}
		if heads := r.international(bare); len(heads) == 1 {
			return number, "+" + bare[heads[0]:]
		}
		return number, bare
	}
	outside := ""
	if len(r.OutsidePrefix) > 0 {
		outside = r.OutsidePrefix[0]
	}
	if national, home := strings.CutPrefix(full, own.code); home && own.code != "" {
		return outside + own.dialled(national), number
	}
	if r.InternationalPrefix != "" {
		return outside + r.InternationalPrefix + full, number
	}
	if own.dial == "" {
		return "", number
	}
	return outside + own.dial + full, number
}

// complete reports whether a number is one as it stands, with what looks like an outside
// prefix: 0881 612345 where the PBX wants a 0, too.
func (r *Rules) complete(number string) bool {
	return r.known(number) || slices.ContainsFunc(r.international(number), func(head int) bool {
		c, national, _ := countryOf(number[head:])
		return c.has(national)
	})
}

// known reports whether an exchange at home takes text for a number of the country.
func (r *Rules) known(text string) bool { return r.at(start{}, text)[0].known }
