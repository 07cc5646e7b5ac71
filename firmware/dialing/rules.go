// Package dialing decides which numbers may be dialled, what a line of each kind dials for
// them, and how many calls a user and the board may make. It knows the numbering of each
// country (E.164; tables from libphonenumber's metadata) and neither modems nor calls.
package dialing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Errors of Rules.Check.
var (
	ErrNumber = errors.New("dialing: not a telephone number") // empty or with characters no line dials
	ErrDenied = errors.New("dialing: number not permitted")   // dialling rules, emergency, premium
)

// Rules say what may be dialled. The zero value allows nothing; what is not allowed by a
// mask of Allow never reaches a modem. Rules are not changed after the first Check.
//
// A mask is a number in which x is any digit, [2-9] one of those, and * at the end any
// further digits or none. Only a mask that has them matches the keys * and #, written \*
// and #. A mask without x, [] and * is a number permitted by name.
//
// A mask permits a telephone however its number is written, within what its digits spell
// out: a call abroad takes a mask that begins with + or the international prefix, and one to
// a country that shares the country code of another its area code, too, such as +1876x*.
// A short number takes a mask of its very length.
type Rules struct {
	Allow     []string // masks
	Deny      []string // masks; whatever the notation of the number, stronger than Allow
	Emergency []string // emergency numbers permitted by name; Allow can name them too
	Premium   bool     // premium-rate and shared-cost numbers may be dialled where Allow has them

	Region              string   // ISO 3166, in capitals: whose emergency and premium numbers
	OutsidePrefix       []string // what a PBX wants before a number of the outside, such as "9"
	InternationalPrefix string   // what an analogue line dials for "+"; "" is the region's

	once        sync.Once
	region      *region
	allow, deny []parsed
}

// read reads the masks and the tables, once.
func (r *Rules) read() {
	r.once.Do(func() {
		r.region, _ = lookup(r.Region)
		r.allow, r.deny = parseMasks(r.Allow), parseMasks(r.Deny)
	})
}

// own is the region's numbering.
func (r *Rules) own() *region {
	r.read()
	return r.region
}

// Check returns the number that a dial string means, with what each kind of line dials for
// it, if it may be dialled. The number is judged as it was typed; then the strings that are
// made of it are judged as if somebody had typed those. Errors wrap ErrNumber or ErrDenied.
func (r *Rules) Check(dial string) (Dialled, error) {
	r.read()
	t, err := scan(dial)
	if err != nil {
		return Dialled{}, err
	}
	number := r.normal(t)
	analogue, mobile := receiver{outside: r.OutsidePrefix}, receiver{enBloc: true}
	asked := r.readings(number, analogue)
	if err := r.judge(number, asked, analogue); err != nil {
		return Dialled{}, err
	}
	if !r.allowed(number, asked) {
		return Dialled{}, fmt.Errorf("%w: no mask of the allow list has %s", ErrDenied, number)
	}
	if err := r.permitted(number, asked, nil); err != nil {
		return Dialled{}, err
	}
	d := Dialled{number: number, abroad: slices.ContainsFunc(asked, func(rd reading) bool { return rd.abroad })}
	d.analogue, d.mobile = r.strings(number)
	if d.analogue != "" {
		if err := r.judgeMade(d.analogue, analogue, asked); err != nil {
			return Dialled{}, err
		}
	}
	if err := r.judgeMade(d.mobile, mobile, asked); err != nil {
		return Dialled{}, err
	}
	return d, nil
}

// receiver is what reads the digits of a line: an exchange, or the PBX before it.
type receiver struct {
	outside []string // prefixes of a PBX
	enBloc  bool     // it gets the whole number at once, as a mobile network does
}

// judgeMade judges a string that was made of a number that is allowed. What has been judged
// with it is not asked for again: the masks are for the number, not for how a line dials it.
func (r *Rules) judgeMade(made string, at receiver, asked []reading) error {
	list := r.readings(made, at)
	if err := r.judge(made, list, at); err != nil {
		return fmt.Errorf("%w, dialled as %s", err, made)
	}
	if err := r.permitted(made, list, asked); err != nil {
		return fmt.Errorf("%w, dialled as %s", err, made)
	}
	return nil
}

// judge refuses emergency numbers and those of the deny list.
func (r *Rules) judge(number string, list []reading, at receiver) error {
	for _, e := range r.emergencies(number, at) {
		if !r.named(number, e) {
			return fmt.Errorf("%w: %s may reach the emergency number %s", ErrDenied, number, e)
		}
	}
	for _, rd := range list {
		texts := []string{number, rd.country.code + rd.national}
		for _, w := range rd.writings {
			texts = append(texts, w.text)
		}
		for _, m := range r.deny {
			if slices.ContainsFunc(texts, m.denies) {
				return fmt.Errorf("%w: mask %s of the deny list", ErrDenied, m.text)
			}
		}
	}
	return nil
}

// allowed reports whether the number itself has a mask, or is an emergency number permitted
// by name.
func (r *Rules) allowed(number string, list []reading) bool {
	if slices.Contains(r.Emergency, number) {
		return true
	}
	return slices.ContainsFunc(r.allow, func(m parsed) bool {
		has := func(w writing) bool { return !w.another && m.permits(w.text) }
		return m.permits(number) || slices.ContainsFunc(list, func(rd reading) bool {
			return rd.base && !rd.unsure && slices.ContainsFunc(rd.writings, has)
		})
	})
}

// permitted refuses what no mask permits but one that says so: numbers that cost more than a
// call, calls abroad, short numbers. Numbers that are none of their country are refused, too.
func (r *Rules) permitted(number string, list, asked []reading) error {
	for _, rd := range list {
		if slices.ContainsFunc(asked, rd.same) {
			continue
		}
		var err error
		switch {
		case !r.Premium && r.isDear(rd) && !r.named(append(rd.texts(), number)...):
			err = fmt.Errorf("%w: %s is a premium-rate or shared-cost number", ErrDenied, rd.text)
		case rd.short && !(list[0].known && !rd.base) && !r.spelled(number, rd, r.fits):
			err = fmt.Errorf("%w: %s is a short number, which takes a mask of its very length", ErrDenied, rd.text)
		case rd.abroad && rd.impossible() && rd.country.code == r.own().code:
			err = rd.noNumber()
		case rd.abroad && !r.spelled(number, rd, r.names) && rd.land == r.own().iso:
			err = fmt.Errorf("%w: %s is no number of %s that is known; it%s", ErrDenied, rd.text, rd.land, rd.mask())
		case rd.abroad && !r.spelled(number, rd, r.names):
			err = fmt.Errorf("%w: %s is a call abroad%s", ErrDenied, rd.text, rd.hint())
		case rd.impossible():
			err = rd.noNumber()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// same reports whether two readings are of one number.
func (rd reading) same(other reading) bool {
	if rd.national == "" {
		return other.national == "" && rd.text == other.text
	}
	return rd.country.code == other.country.code && rd.national == other.national && (other.abroad || !rd.abroad)
}

func (rd reading) texts() (list []string) {
	for _, w := range rd.writings {
		list = append(list, w.text)
	}
	return list
}

// hint says how a call abroad is permitted.
func (rd reading) hint() string {
	if rd.land != "" {
		return fmt.Sprintf(" (%s), which%s", rd.land, rd.mask())
	}
	return ", which" + rd.mask()
}

// mask says what names the country of a reading.
func (rd reading) mask() string {
	mask := "+" + rd.country.code
	if w := rd.writings[0]; w.name > w.plus {
		mask = w.text[:min(w.name, len(w.text))]
	}
	return fmt.Sprintf(" takes a mask that names it, such as %sx*", mask)
}

// noNumber says why an impossible number is none.
func (rd reading) noNumber() error {
	return fmt.Errorf("%w: +%s%s is no number of its country: those have %s digits after the code and no trunk prefix",
		ErrNumber, rd.country.code, rd.national, strings.Join(rd.country.lengths, ", "))
}

// isDear reports whether a number costs more than a call. What is in no country is dear.
func (r *Rules) isDear(rd reading) bool {
	own, short := r.own(), rd.national
	if short == "" {
		short = strings.TrimPrefix(rd.text, own.national)
	}
	if rd.country.code == own.code || rd.national == "" {
		if whole(own.shortDear, rd.text) || whole(own.shortDear, short) {
			return true
		}
	}
	if rd.national == "" {
		return false
	}
	return rd.country.isDear(rd.national, !rd.guess) || rd.country.code == "" && !rd.unsure
}

// impossible reports whether a number with its country code is too short or too long, or
// begins with the trunk prefix.
func (rd reading) impossible() bool {
	c, n := rd.country, rd.national
	return rd.coded && rd.base && !rd.unsure && c.code != "" &&
		(!c.possible(n) || c.trunk == "0" && strings.HasPrefix(n, "0") && !c.has(n))
}

// spelled reports whether a mask of Allow permits a reading by what it spells out: in any
// writing of it, or in the number as a whole.
func (r *Rules) spelled(number string, rd reading, enough func(m mask, w writing) bool) bool {
	whole := writing{text: number, name: rd.from + rd.self.name}
	if rd.coded {
		whole.plus = rd.from + rd.self.plus
	}
	list := append([]writing{whole}, rd.writings...)
	for _, m := range r.allow {
		if slices.ContainsFunc(list, func(w writing) bool { return !w.another && m.permits(w.text) && enough(m.mask, w) }) {
			return true
		}
	}
	return slices.Contains(r.Emergency, number)
}

// names reports whether a mask spells out which country a call goes to, or that it may be any.
func (r *Rules) names(m mask, w writing) bool {
	n := m.spelled()
	return n >= w.name || w.plus > 0 && n == w.plus
}

// fits reports whether a mask is as long as the number.
func (r *Rules) fits(m mask, w writing) bool { return len(m.places) == len(w.text) }

// named reports whether one of the numbers is permitted by name.
func (r *Rules) named(numbers ...string) bool {
	return slices.ContainsFunc(numbers, func(n string) bool {
		name := func(m parsed) bool { return m.literal() && m.permits(n) }
		return slices.Contains(r.Emergency, n) || slices.ContainsFunc(r.allow, name)
	})
}
