package call

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// maxNumber is the longest number dialled, in characters after "+".
const maxNumber = 20

// maxDial bounds what is looked at: a number with every separator a person could want.
const maxDial = 80

// Rules say what may be dialled. The zero value allows nothing; what is not allowed by a
// mask of Allow never reaches a modem. Rules are not changed after the first Check.
//
// A mask is a number in which x is any digit, [2-9] one of those, and * at the end any
// further digits or none. Only a mask that has them matches the keys * and #, written \*
// and #. A mask without x, [] and * is a number permitted by name.
type Rules struct {
	Allow     []string // masks
	Deny      []string // masks; whatever the notation of the number, stronger than Allow
	Emergency []string // emergency numbers permitted by name; Allow can name them too
	Premium   bool     // premium-rate and shared-cost numbers may be dialled where Allow has them

	Region              string   // ISO 3166, in capitals: whose emergency and premium numbers
	OutsidePrefix       []string // what a PBX wants before a number of the outside, such as "9"
	InternationalPrefix string   // what an analogue line dials for "+"; "" is the region's

	once   sync.Once
	region region
}

// own is the region's numbering.
func (r *Rules) own() region {
	r.once.Do(func() { r.region, _ = lookup(r.Region) })
	return r.region
}

// Check returns the number that a dial string means, without separators, if it may be
// dialled. It may begin with "+": see Analogue. Errors wrap ErrNumber or ErrDenied.
func (r *Rules) Check(dial string) (number string, err error) {
	number, err = Number(dial)
	if err != nil {
		return "", err
	}
	for _, e := range r.emergencies(number) {
		if !r.named(number, e) {
			return "", fmt.Errorf("%w: %s may reach the emergency number %s", ErrDenied, number, e)
		}
	}
	notations := r.notations(number)
	for _, n := range notations {
		if mask, denied := anyMask(r.Deny, n, true); denied {
			return "", fmt.Errorf("%w: mask %s of the deny list", ErrDenied, mask)
		}
	}
	if _, ok := anyMask(r.Allow, number, false); !ok && !slices.Contains(r.Emergency, number) {
		return "", fmt.Errorf("%w: no mask of the allow list has %s", ErrDenied, number)
	}
	if !r.Premium && !r.named(number) && slices.ContainsFunc(notations, isPremium) {
		return "", fmt.Errorf("%w: %s is a premium-rate or shared-cost number", ErrDenied, number)
	}
	return number, nil
}

// Number reads a dial string: digits, * and #, perhaps "+" in front, perhaps separated for
// the eye by spaces - . ( ) /, perhaps as a tel: URI (RFC 3966) without parameters. What
// would mean something else to a modem (a comma, a semicolon, T, P, W, !, @) is refused.
// Errors wrap ErrNumber.
func Number(dial string) (string, error) {
	if len(dial) > maxDial {
		return "", fmt.Errorf("%w: longer than %d characters", ErrNumber, maxDial)
	}
	text := strings.TrimSpace(dial)
	if len(text) >= 4 && strings.EqualFold(text[:4], "tel:") {
		text = text[4:]
		if strings.Contains(text, ";") {
			return "", fmt.Errorf("%w: a tel: URI with parameters can't be dialled; leave out what follows the semicolon", ErrNumber)
		}
	}
	var b strings.Builder
	for _, c := range text {
		switch {
		case strings.ContainsRune(" -.()/", c):
		case c >= '0' && c <= '9', c == '*', c == '#', c == '+' && b.Len() == 0:
			b.WriteRune(c)
		case c == '+':
			return "", fmt.Errorf("%w: + in the middle", ErrNumber)
		default:
			return "", fmt.Errorf("%w: %q can't be dialled", ErrNumber, c)
		}
	}
	number := b.String()
	switch digits := strings.TrimPrefix(number, "+"); {
	case digits == "":
		return "", fmt.Errorf("%w: no digits", ErrNumber)
	case len(digits) > maxNumber:
		return "", fmt.Errorf("%w: more than %d digits", ErrNumber, maxNumber)
	}
	return number, nil
}

// Analogue returns what an analogue line dials for a number that Check has returned: a
// leading "+" becomes the trunk prefix at home and the international prefix elsewhere,
// after the first outside prefix, if there is one.
func (r *Rules) Analogue(number string) string {
	digits, international := strings.CutPrefix(number, "+")
	if !international {
		return number
	}
	own, outside := r.own(), ""
	if len(r.OutsidePrefix) > 0 {
		outside = r.OutsidePrefix[0]
	}
	if rest, home := strings.CutPrefix(digits, own.code); home && own.code != "" {
		return outside + own.national + rest
	}
	if r.InternationalPrefix != "" {
		return outside + r.InternationalPrefix + digits
	}
	return outside + own.dial + digits
}

// named says whether one of the numbers is permitted by name.
func (r *Rules) named(numbers ...string) bool {
	return slices.ContainsFunc(numbers, func(n string) bool {
		return slices.Contains(r.Emergency, n) || slices.ContainsFunc(r.Allow, func(mask string) bool {
			tokens, err := parseMask(mask)
			return err == nil && tokens.literal() && tokens.match(n)
		})
	})
}

// Emergency numbers of half the world, and the numbers that mobile telephones connect to
// the local one (TS 22.101 §10.1.1).
var everywhere = []string{"112", "911", "999"}

// emergencies returns the emergency numbers that number reaches or may reach. An exchange
// connects the call at the last digit of the emergency number, whatever follows; inside a
// PBX, though, 1121 is somebody's extension.
func (r *Rules) emergencies(number string) (found []string) {
	own := r.own()
	exactly := func(n string) {
		if slices.Contains(everywhere, n) || n != "" && own.emergency.FindString(n) == n {
			found = append(found, n)
		}
	}
	atFirst := func(n string) {
		if e := own.emergency.FindString(n); e != "" && !own.exact {
			found = append(found, e)
		} else {
			exactly(n)
		}
	}
	digits := strings.Map(keepDigits, number)
	if len(r.OutsidePrefix) > 0 {
		exactly(digits)
	} else {
		atFirst(digits)
		exactly(strings.TrimPrefix(digits, own.national))
	}
	for _, p := range r.OutsidePrefix {
		if rest, ok := strings.CutPrefix(digits, p); ok {
			atFirst(rest)
		}
	}
	for _, p := range []string{"0", "9"} { // what a PBX commonly wants first
		exactly(strings.TrimPrefix(digits, p))
	}
	if strings.HasPrefix(number, "+") {
		exactly(strings.TrimPrefix(digits, own.code))
	}
	if strings.ContainsAny(number, "*#") {
		serviceCode(number, exactly, atFirst)
	}
	return found
}

// serviceCode tests what a service code may be put before: *67911, *31#112, 112#.
func serviceCode(number string, exactly, atFirst func(string)) {
	parts := strings.FieldsFunc(number, func(c rune) bool { return keepDigits(c) < 0 })
	for _, part := range parts {
		for i := range min(4, len(part)) {
			exactly(part[i:])
		}
	}
	if code := strings.TrimPrefix(number, "*"); len(parts) == 1 && code == parts[0] && len(code) > 2 {
		atFirst(code[2:])
	}
}

func keepDigits(c rune) rune {
	if c < '0' || c > '9' {
		return -1
	}
	return c
}

// notations are the ways of writing a number that lead to the same telephone, the number
// itself among them.
func (r *Rules) notations(number string) []string {
	own, list := r.own(), []string{number}
	if strings.ContainsAny(number, "*#") {
		return list
	}
	for _, p := range r.OutsidePrefix {
		if rest, ok := strings.CutPrefix(number, p); ok {
			list = append(list, rest)
		}
	}
	for _, n := range list {
		for _, full := range own.full(n) {
			list = append(list, "+"+full, full, own.dial+full)
			if rest, home := strings.CutPrefix(full, own.code); home && own.code != "" {
				list = append(list, rest, own.national+rest)
			}
		}
	}
	return list
}

// full returns the international numbers, without "+", that n may mean as it is dialled.
func (own region) full(n string) (list []string) {
	if full, ok := strings.CutPrefix(n, "+"); ok {
		return []string{full}
	}
	if p := own.international.FindString(n); p != "" && len(p) < len(n) {
		list = append(list, n[len(p):])
	}
	if own.code == "" {
		return list
	}
	rest, trunk := strings.CutPrefix(n, own.national)
	if trunk || own.code == "1" && len(n) == 10 { // ten digits are a whole number in North America
		list = append(list, own.code+rest)
	}
	return list
}

// isPremium says whether a notation with "+" is that of a premium-rate number.
func isPremium(notation string) bool {
	full, ok := strings.CutPrefix(notation, "+")
	return ok && premium(full)
}
