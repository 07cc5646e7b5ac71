package dialing

import (
	"slices"
	"strings"
)

// maxShort is the longest short number, in digits: services, directory enquiries, extensions.
const maxShort = 6

// start is where a number may begin in what is dialled: at its first character, after an
// outside prefix, after a call prefix, after a service code.
type start struct {
	from  int
	base  bool // the number itself begins here, not what a call prefix is before
	code  bool // a service code begins here: it is no number
	coded bool // the country code comes first
	guess bool // a number might begin here; it is looked at for what costs money only
}

// starts are all places where a number may begin in what is dialled.
func (r *Rules) starts(dialled string, x receiver) []start {
	list := []start{{base: true}}
	if strings.ContainsAny(dialled, "*#") {
		list = append([]start{{base: true, code: true}}, codeParts(dialled)...)
		for i := 1; i < len(list) && len(list) < 64; i++ {
			if !list[i].guess {
				list = r.afterPrefix(dialled, list[i].from, list)
			}
		}
		return list
	}
	for _, p := range x.outside {
		if strings.HasPrefix(dialled, p) && len(p) < len(dialled) {
			list[0].guess = true // the PBX takes its prefix first
			list = append(list, start{from: len(p), base: true})
		}
	}
	if strings.HasPrefix(dialled, "+") {
		return list
	}
	for i := 0; i < len(list) && len(list) < 64; i++ {
		list = r.afterPrefix(dialled, list[i].from, list)
	}
	return list
}

// afterPrefix adds the places after a call prefix that stands at from.
func (r *Rules) afterPrefix(dialled string, from int, list []start) []start {
	for _, p := range r.own().prefixes {
		for to := from + 1; to < len(dialled); to++ {
			if p.abroad && len(r.international(dialled[from:])) > 0 {
				continue // 01 is no prefix of 011
			}
			s := start{from: to, coded: p.abroad, guess: p.rest > 0}
			if whole(p.pattern, dialled[from:to]) && (p.rest == 0 || len(dialled)-to == p.rest) && !slices.ContainsFunc(list, s.same) {
				list = append(list, s)
			}
		}
	}
	return list
}

func (s start) same(other start) bool { return other.from == s.from && other.coded == s.coded }

// codeParts are where numbers may begin in a service code: *67 900…, #31#0900…, **21*0900…#.
// A code of one, two or three digits may stand right before the number.
func codeParts(dialled string) (list []start) {
	for i := range dialled {
		if keepDigits(rune(dialled[i])) < 0 || i > 0 && keepDigits(rune(dialled[i-1])) >= 0 {
			continue
		}
		end := len(dialled) - len(strings.TrimLeft(dialled[i:], "0123456789"))
		for skip := range min(5, end-i) {
			glued := i == 1 && dialled[0] == '*' && skip >= 2 && skip <= 4
			list = append(list, start{from: i + skip, guess: skip > 0 && !glued})
		}
	}
	return list
}

// reading is one way in which an exchange may take a number.
type reading struct {
	start
	text     string
	country  country // whose national number it is
	national string  // "" where it is that of none
	abroad   bool    // a call abroad
	unsure   bool    // an exchange might take it so
	known    bool    // it does, and the country has such a number
	short    bool    // a short number
	land     string  // the region, of a country code that regions share
	self     writing // the text
	writings []writing
}

// writing is a way of writing a reading's number. A call abroad takes a mask that spells out
// its first characters: name of them, or just so many as stand for "+", which is every country.
type writing struct {
	text       string
	plus, name int
	another    bool // another call, though to the same telephone: no mask of it permits this one
}

// readings are the ways in which an exchange may take what is dialled, the number as it
// stands first.
func (r *Rules) readings(dialled string, x receiver) (list []reading) {
	starts := r.starts(dialled, x)
	for _, s := range starts {
		text := dialled[s.from:]
		if i := strings.IndexAny(text, "*#"); i > 0 && !s.code {
			text = text[:i]
		}
		list = append(list, r.at(s, text)...)
	}
	if starts[0].guess && slices.ContainsFunc(list, func(rd reading) bool { return rd.base && rd.from > 0 && rd.known }) {
		// The PBX takes its prefix off, and an ordinary number follows.
		list = slices.DeleteFunc(list, func(rd reading) bool { return rd.from == 0 && rd.national != "" })
	}
	return list
}

// at are the readings of a number that begins at s; the first is the text itself.
func (r *Rules) at(s start, text string) []reading {
	own := r.own()
	plain := reading{start: s, text: text, unsure: s.guess, writings: []writing{{text: text}}}
	list := []reading{plain}
	if s.code {
		return list
	}
	heads := r.international(text)
	plus := strings.HasPrefix(text, "+")
	if s.coded {
		list = append(list, r.numbered(plain, 0, text))
	} else {
		for i, n := range heads {
			rd := plain
			rd.unsure = rd.unsure || i > 0
			list = append(list, r.numbered(rd, n, text[n:]))
		}
	}
	for _, national := range own.nationals(text, len(heads) == 0) {
		rd := plain
		rd.unsure = rd.unsure || !own.sure(text, national)
		rd = r.numbered(rd, 0, own.code+national)
		rd.known = !rd.unsure && rd.country.has(national)
		list[0].known = list[0].known || rd.known
		list = append(list, rd)
	}
	list[0].short = !plus && !s.guess && len(text) <= maxShort && (!list[0].known || own.enquiries(text))
	return list
}

// nationals are the national numbers that may be meant at home: the text itself, and what is
// left of it without trunk or carrier prefix and, where all are wanted, without several of
// them and the country code.
func (own *region) nationals(text string, all bool) []string {
	if own.code == "" || strings.HasPrefix(text, "+") {
		return nil
	}
	list := []string{text}
	for i := 0; i < len(list) && len(list) < 16 && (all || i == 0); i++ {
		rest := list[i]
		for _, p := range []string{own.national, own.code} {
			if r, ok := strings.CutPrefix(rest, p); ok && r != "" && !slices.Contains(list, r) {
				list = append(list, r)
			}
		}
		m := own.trunk.FindStringSubmatch(rest)
		if m == nil || len(m[0]) == len(rest) && own.transform == "" {
			continue
		}
		r := rest[len(m[0]):]
		if own.transform != "" && len(m) > 1 && m[1] != "" {
			r = own.trunk.ReplaceAllString(rest, own.transform)
		}
		if r != "" && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return list
}

// trunks are the national numbers that follow a trunk or carrier prefix.
func (own *region) trunks(text string) (list []string) {
	if rest, ok := strings.CutPrefix(text, own.national); ok && own.national != "" {
		list = append(list, rest)
	}
	if m := own.trunk.FindString(text); m != "" && strings.HasPrefix(text, m) {
		list = append(list, text[len(m):])
	}
	return list
}

// sure reports whether an exchange at home takes text for this national number.
func (own *region) sure(text, national string) bool {
	c, _, _ := countryOf(own.code + national)
	switch {
	case c.code != own.code || !c.possible(national):
		return false
	case own.code == "1":
		return national[0] >= '2' && (text == national || text == "1"+national)
	case text != national:
		return slices.Contains(own.trunks(text), national)
	}
	return c.has(national) && own.dialled(national) == text
}

// numbered completes the reading of a text that is a number with its country code, full:
// head characters of the text stand for "+", 0 at home.
func (r *Rules) numbered(rd reading, head int, full string) reading {
	own, text := r.own(), rd.text
	rd.coded, rd.writings = rd.coded || head > 0, nil
	c, national, ok := countryOf(full)
	rd.country, rd.national = c, national
	if !ok {
		rd.national = full
	}
	rd.short = rd.coded && !rd.unsure && c.code == own.code && len(national) <= maxShort &&
		(!c.has(national) || own.enquiries(national))
	land, aside := landOf(c.code, national, own)
	rd.land, rd.abroad = land, !rd.unsure && own.code != "" && (c.code != own.code || aside)
	area := 0 // digits of the national number that name a land aside
	if aside {
		area = 3 // French numbers, too: 262, 590
		if c.code == "7" {
			area = 1
		}
	}
	american := own.code == "1" && c.code == "1"
	add := func(text string, plus, code int) {
		// In North America ten digits are for the neighbourhood, eleven for far away.
		w := writing{text: text, another: american && (text == national) != (rd.text == national)}
		if rd.abroad {
			w.plus, w.name = plus, plus
			if aside {
				w.name = plus + code + area
			}
		}
		rd.writings = append(rd.writings, w)
	}
	add("+"+full, 1, len(c.code))
	for _, p := range []string{own.dial, r.InternationalPrefix} {
		if p != "" {
			add(p+full, len(p), len(c.code))
		}
	}
	rd.self = writing{name: head + area}
	if rd.coded {
		rd.self.plus = head
		if aside {
			rd.self.name += len(c.code)
		}
	} else if strings.HasSuffix(text, national) {
		rd.self.name += len(text) - len(national)
	}
	if head > 0 {
		add(text, head, len(c.code))
	}
	if c.code == own.code {
		add(national, 0, 0)
		add(own.national+national, 0, len(own.national))
		add(own.dialled(national), 0, len(own.national))
	}
	return rd
}
