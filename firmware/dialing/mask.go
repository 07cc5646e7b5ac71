package dialing

import (
	"errors"
	"fmt"
	"strings"
)

// maxMask bounds a mask, in characters.
const maxMask = 100

// mask is a parsed mask: one set of characters for each place, and perhaps the rest.
type mask struct {
	places []string
	rest   bool
}

// CheckMask says what is wrong with a mask of Rules, nil if nothing is.
func CheckMask(text string) error {
	_, err := parseMask(text)
	return err
}

func parseMask(text string) (mask, error) {
	var m mask
	if text == "" || len(text) > maxMask {
		return m, fmt.Errorf("a mask has 1 to %d characters", maxMask)
	}
	for i := 0; i < len(text); i++ {
		place, width, err := nextPlace(text[i:], i == 0)
		if err != nil {
			return mask{}, err
		}
		if place == "" {
			m.rest = true
			return m, nil
		}
		m.places = append(m.places, place)
		i += width - 1
	}
	return m, nil
}

// nextPlace reads the first place of a mask: which characters may stand there, "" for the
// rest of the number, and how long it is in the mask.
func nextPlace(text string, first bool) (place string, width int, err error) {
	switch c := text[0]; {
	case c >= '0' && c <= '9', c == '#', c == '+' && first:
		return text[:1], 1, nil
	case c == 'x' || c == 'X':
		return "0123456789", 1, nil
	case c == '*' && len(text) == 1:
		return "", 1, nil
	case c == '*':
		return "", 0, errors.New(`* stands for the rest and only at the end; the key * is \*`)
	case strings.HasPrefix(text, `\*`):
		return "*", 2, nil
	case c == '[':
		return class(text)
	case strings.ContainsRune(" -.()/", rune(c)):
		return "", 0, errors.New("no spaces or other separators in a mask: they are taken out of what is dialled")
	default:
		return "", 0, fmt.Errorf("%q can't stand in a mask; there are digits, x for any, [2-9] for some, * at the end for the rest, \\* and # for those keys", []rune(text)[0])
	}
}

// class reads a set such as [2-9] or [135].
func class(text string) (set string, width int, err error) {
	end := strings.IndexByte(text, ']')
	if end < 2 {
		return "", 0, errors.New("[ wants digits and ], such as [2-9]")
	}
	in := text[1:end]
	for i := 0; i < len(in); i++ {
		from, to := in[i], in[i]
		if i+2 < len(in) && in[i+1] == '-' {
			to = in[i+2]
			i += 2
		}
		if from < '0' || to > '9' || from > to {
			return "", 0, fmt.Errorf("[%s] is no set of digits; write one such as [2-9] or [135]", in)
		}
		for d := from; d <= to; d++ {
			set += string(rune(d))
		}
	}
	return set, end + 1, nil
}

// literal reports whether the mask is one number.
func (m mask) literal() bool {
	for _, p := range m.places {
		if len(p) > 1 {
			return false
		}
	}
	return !m.rest
}

// spelled is how many characters from the first one on the mask has spelled out.
func (m mask) spelled() int {
	for i, p := range m.places {
		if len(p) > 1 {
			return i
		}
	}
	return len(m.places)
}

func (m mask) match(number string) bool {
	if len(number) < len(m.places) || len(number) > len(m.places) && !m.rest {
		return false
	}
	for i, p := range m.places {
		if strings.IndexByte(p, number[i]) < 0 {
			return false
		}
	}
	return strings.Trim(number[len(m.places):], "0123456789") == ""
}

// parsed is a mask with its text. One that does not parse matches nothing of an allow list
// and everything of a deny list.
type parsed struct {
	mask
	text string
	bad  bool
}

func parseMasks(texts []string) (list []parsed) {
	for _, text := range texts {
		m, err := parseMask(text)
		list = append(list, parsed{m, text, err != nil})
	}
	return list
}

// permits reports whether a mask of an allow list matches.
func (p parsed) permits(number string) bool { return !p.bad && p.match(number) }

// denies reports whether a mask of a deny list matches.
func (p parsed) denies(number string) bool { return p.bad || p.match(number) }
