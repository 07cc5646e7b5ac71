package call

import (
	_ "embed"
	"iter"
	"regexp"
	"strings"
	"sync"
)

// regionTable and premiumTable are taken from libphonenumber's metadata (Apache License 2.0)
// by a test, which also tells when they are out of date. The library itself would make the
// program 4 MB larger and take 6 MB of memory at its start.
//
// One region a line: ISO 3166 code, country code, pattern of international prefixes, the
// one to dial, national prefix, pattern of emergency numbers, and "exact" where a longer
// number that begins with one is another number.
//
//go:embed regions.tsv
var regionTable string

// One country code a line: the code, and a pattern of its premium-rate, shared-cost and
// pager numbers, after the country code.
//
//go:embed premium.tsv
var premiumTable string

// region is a country's numbering, as far as the dialling rules need it.
type region struct {
	code          string         // country code, "1"
	international *regexp.Regexp // at the beginning of a number, in place of "+"
	dial          string         // what to dial for "+"
	national      string         // trunk prefix, "" where there is none
	emergency     *regexp.Regexp // at the beginning of a number
	exact         bool           // an emergency number with further digits is none
}

// never matches nothing.
var never = regexp.MustCompile(`[^\s\S]`)

// lookup returns the region of an ISO 3166 code, in capitals.
func lookup(iso string) (region, bool) {
	for f := range rows(regionTable) {
		if f[0] == iso {
			return region{
				code: f[1], international: pattern(f[2]), dial: f[3], national: f[4],
				emergency: pattern(f[5]), exact: f[6] == "exact",
			}, true
		}
	}
	return region{international: never, dial: "00", emergency: never}, false
}

// KnownRegion says whether iso is an ISO 3166 code, in capitals, whose numbering is known.
func KnownRegion(iso string) bool {
	_, ok := lookup(iso)
	return ok
}

// pattern compiles what a number may begin with.
func pattern(p string) *regexp.Regexp {
	if p == "" {
		return never
	}
	re := regexp.MustCompile(`^(?:` + p + `)`)
	re.Longest()
	return re
}

// rows are the lines of a table, split at its tabs.
func rows(table string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(table) {
			if !yield(strings.Split(strings.TrimSuffix(line, "\n"), "\t")) {
				return
			}
		}
	}
}

// premium says whether an international number, without "+", costs more than a call.
// Satellite telephones do.
func premium(number string) bool {
	for f := range rows(premiumTable) {
		if rest, ok := strings.CutPrefix(number, f[0]); ok {
			return premiumPattern(f[1]).FindString(rest) == rest && rest != ""
		}
	}
	return false
}

// patterns are those of the country codes that have been dialled.
var patterns sync.Map // pattern → *regexp.Regexp

func premiumPattern(p string) *regexp.Regexp {
	if re, ok := patterns.Load(p); ok {
		return re.(*regexp.Regexp)
	}
	re := pattern(p)
	patterns.Store(p, re)
	return re
}
