package dialing

import (
	"slices"
	"strings"
)

// Emergency numbers of half the world, and the numbers that mobile telephones connect to
// the local one (TS 22.101 §10.1.1).
var everywhere = []string{"112", "911", "999"}

// emergencies returns the emergency numbers that what is dialled reaches or may reach. An
// exchange connects the call at the last digit of the emergency number, whatever follows;
// inside a PBX, though, 1121 is somebody's extension.
func (r *Rules) emergencies(dialled string, x receiver) []string {
	own := r.own()
	f := finder{own: own, enBloc: x.enBloc}
	digits := strings.Map(keepDigits, dialled)
	if len(x.outside) > 0 {
		f.exactly(digits)
	} else {
		f.first(digits)
		f.exactly(strings.TrimPrefix(digits, own.national))
	}
	for _, p := range x.outside {
		if rest, ok := strings.CutPrefix(digits, p); ok {
			f.first(rest)
		}
	}
	for _, s := range r.starts(dialled, x) {
		rest := strings.Map(keepDigits, dialled[s.from:])
		if !s.base && !s.guess && !s.coded {
			f.first(rest)
		}
		for _, p := range []string{"", own.national, "0", "9"} { // 0 and 9 are what a PBX commonly wants first
			f.exactly(strings.TrimPrefix(rest, p))
		}
		heads := r.international(dialled[s.from:])
		if s.coded {
			heads = []int{0}
		}
		for _, n := range heads {
			national := strings.TrimPrefix(strings.Map(keepDigits, dialled[s.from+n:]), own.code)
			f.exactly(national)
			f.exactly(strings.TrimPrefix(national, own.national))
		}
	}
	if strings.ContainsAny(dialled, "*#") {
		f.serviceCode(dialled)
	}
	return f.found
}

// finder gathers emergency numbers.
type finder struct {
	own    *region
	enBloc bool
	found  []string
}

// exactly takes a number that is an emergency number.
func (f *finder) exactly(number string) {
	if slices.Contains(everywhere, number) || number != "" && f.own.emergency.FindString(number) == number {
		f.found = append(f.found, number)
	}
}

// first takes the emergency number that a number begins with.
func (f *finder) first(number string) {
	if e := f.own.emergency.FindString(number); e != "" && !f.own.exact && !f.enBloc {
		f.found = append(f.found, e)
	} else {
		f.exactly(number)
	}
}

// serviceCode takes what a service code may be put before: *67911, *31#112, 112#.
func (f *finder) serviceCode(dialled string) {
	parts := strings.FieldsFunc(dialled, func(c rune) bool { return keepDigits(c) < 0 })
	for _, part := range parts {
		for i := range min(4, len(part)) {
			f.exactly(part[i:])
		}
	}
	if code := strings.TrimPrefix(dialled, "*"); len(parts) == 1 && code == parts[0] && len(code) > 2 {
		f.first(code[2:])
	}
}

func keepDigits(c rune) rune {
	if c < '0' || c > '9' {
		return -1
	}
	return c
}
