package dialing

import (
	_ "embed"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The tables are taken from libphonenumber's metadata (Apache License 2.0) by a test, which
// also tells when they are out of date; callprefixes.tsv is our own. The library itself
// would make the program 4 MB larger and take 6 MB of memory at its start.
var (
	// One region a line: ISO 3166 code, country code, pattern of international prefixes, the
	// one to dial, trunk prefix, pattern of emergency numbers, "exact" where a longer number
	// that begins with one is another number, pattern of trunk and carrier prefixes and what
	// stands for them in the number, pattern of premium-rate short numbers.
	//
	//go:embed regions.tsv
	regionTable string

	// One country code a line: the code, lengths of its national numbers, its trunk prefix,
	// pattern of its numbers, pattern of those that are dearer than a call (premium-rate,
	// shared-cost, pager and personal numbers), and "exact" where a longer number that
	// begins with one is another number.
	//
	//go:embed codes.tsv
	codeTable string

	// One region a line of those that share a country code: code, region, "true" for the
	// main one, what its numbers begin with (where that decides) and their pattern.
	//
	//go:embed lands.tsv
	landTable string

	// How a region whose trunk prefix is not put before each number dials its own: region,
	// what the number begins with, its pattern, and what is dialled. The first row holds.
	//
	//go:embed formats.tsv
	formatTable string

	// What may be dialled before a number: regions or country code, pattern of the prefix,
	// what follows it (so many digits, "+" for a number with its country code, "" for
	// anything), and what it is.
	//
	//go:embed callprefixes.tsv
	prefixTable string
)

// region is a country's numbering, as far as the dialling rules need it.
type region struct {
	iso           string
	code          string         // country code, "1"
	international *regexp.Regexp // at the beginning of a number, in place of "+"
	dial          string         // what to dial for "+"; "" where that depends on the carrier
	national      string         // trunk prefix, "" where there is none
	emergency     *regexp.Regexp // at the beginning of a number
	exact         bool           // an emergency number with further digits is none
	trunk         *regexp.Regexp // trunk and carrier prefix
	transform     string         // what stands for it in the national number
	shortDear     *regexp.Regexp // short numbers of premium rate
	formats       []format
	prefixes      []callPrefix
}

// format is how numbers of one pattern are dialled at home.
type format struct {
	leading, pattern *regexp.Regexp
	dialled          string
}

// callPrefix is what may stand before a number.
type callPrefix struct {
	pattern *regexp.Regexp
	rest    int  // digits that follow; 0 is any
	abroad  bool // a number with its country code follows
}

// never matches nothing.
var never = regexp.MustCompile(`[^\s\S]`)

// lookup returns the region of an ISO 3166 code, in capitals.
func lookup(iso string) (*region, bool) {
	for f := range rows(regionTable) {
		if f[0] == iso {
			own := &region{
				iso: iso, code: f[1], international: pattern(f[2]), dial: f[3], national: f[4],
				emergency: pattern(f[5]), exact: f[6] == "exact",
				trunk: pattern(f[7]), transform: f[8], shortDear: pattern(f[9]),
			}
			own.formats, own.prefixes = formatsOf(iso), prefixesOf(iso, own.code)
			return own, true
		}
	}
	return &region{international: never, dial: "00", emergency: never, trunk: never, shortDear: never}, false
}

// directory are the numbers for directory enquiries that the countries of Europe agreed upon:
// 118 and two or three digits. They cost what their owner likes,
// and some countries' patterns of ordinary numbers have them.
var directory = regexp.MustCompile(`^118\d{2,3}$`)

// enquiries reports whether a short number is for directory enquiries.
func (own *region) enquiries(short string) bool {
	return own.code != "" && strings.Contains("34", own.code[:1]) && directory.MatchString(short)
}

func formatsOf(iso string) (list []format) {
	for f := range rows(formatTable) {
		if f[0] == iso {
			leading := regexp.MustCompile("")
			if f[1] != "" {
				leading = pattern(f[1])
			}
			list = append(list, format{leading, pattern(f[2]), f[3]})
		}
	}
	return list
}

func prefixesOf(iso, code string) (list []callPrefix) {
	for f := range rows(prefixTable) {
		if f[0] == "+"+code || slices.Contains(strings.Split(f[0], ","), iso) {
			n, _ := strconv.Atoi(strings.TrimPrefix(f[2], "+"))
			list = append(list, callPrefix{pattern(f[1]), n, f[2] == "+"})
		}
	}
	return list
}

// KnownRegion reports whether iso is an ISO 3166 code, in capitals, whose numbering is known.
func KnownRegion(iso string) bool {
	_, ok := lookup(iso)
	return ok
}

// dialled is what a telephone at home dials for a national number, without outside prefix.
func (own *region) dialled(national string) string {
	for _, f := range own.formats {
		if f.leading.MatchString(national) && whole(f.pattern, national) {
			return f.pattern.ReplaceAllString(national, f.dialled)
		}
	}
	return own.national + national
}

// patterns are those that have been asked for.
var patterns sync.Map // pattern → *regexp.Regexp

// pattern compiles what a number may begin with.
func pattern(p string) *regexp.Regexp {
	if p == "" {
		return never
	}
	if re, ok := patterns.Load(p); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(`^(?:` + p + `)`)
	re.Longest()
	patterns.Store(p, re)
	return re
}

// whole reports whether all of a number matches.
func whole(re *regexp.Regexp, number string) bool {
	return number != "" && re.FindString(number) == number
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

// country is a country code's numbering.
type country struct {
	code, trunk   string
	lengths       []string
	numbers, dear func() *regexp.Regexp
	exact         bool // a number that begins with a dear one is another number
}

// countries are those of the table, by code.
var countries = sync.OnceValue(func() map[string]country {
	all := map[string]country{}
	for f := range rows(codeTable) {
		all[f[0]] = country{
			f[0], f[2], strings.Fields(f[1]),
			func() *regexp.Regexp { return pattern(f[3]) }, func() *regexp.Regexp { return pattern(f[4]) }, f[5] == "exact",
		}
	}
	return all
})

// countryOf splits an international number, without "+"; country codes have up to three digits.
func countryOf(number string) (c country, national string, ok bool) {
	for n := 1; n <= 3 && n <= len(number); n++ {
		if c, ok := countries()[number[:n]]; ok {
			return c, number[n:], true
		}
	}
	return country{}, "", false
}

// possible reports whether the country has national numbers of this length.
func (c country) possible(national string) bool {
	return slices.Contains(c.lengths, strconv.Itoa(len(national)))
}

// has reports whether the country has such a national number.
func (c country) has(national string) bool {
	return c.code != "" && c.possible(national) && whole(c.numbers(), national)
}

// isDear reports whether a national number costs more than a call; overlong: an exchange may
// take only the beginning of it.
func (c country) isDear(national string, overlong bool) bool {
	if c.code == "" {
		return false
	}
	begins := c.dear().FindString(national)
	return begins != "" && (begins == national || overlong && (!c.exact || !c.has(national)))
}

// together are regions that share a country code and a tariff: a call from the first to the
// others is no call abroad. American territories and the islands of Australia, Norway and
// Finland are billed as at home, the numbers of the Vatican are Rome's; from the Channel
// Islands and Man Britain is, though not the other way.
var together = map[string]string{
	"US": "US PR VI GU AS MP", "PR": "US PR VI GU AS MP", "VI": "US PR VI GU AS MP",
	"GU": "US PR VI GU AS MP", "AS": "US PR VI GU AS MP", "MP": "US PR VI GU AS MP",
	"AU": "AU CC CX", "CC": "AU CC CX", "CX": "AU CC CX",
	"NO": "NO SJ", "SJ": "NO SJ", "FI": "FI AX", "AX": "FI AX", "IT": "IT VA", "VA": "IT VA",
	"MA": "MA EH", "EH": "MA EH", "RE": "RE YT", "YT": "RE YT",
	"GP": "GP BL MF", "BL": "GP BL MF", "MF": "GP BL MF",
	"GG": "GG GB JE IM", "JE": "JE GB GG IM", "IM": "IM GB GG JE",
}

// overseas are what a French number begins with that leads out of Europe: 0262 … and 0590 …
// have country codes of their own and are dialled as at home, too (Arcep, 2018-0881).
var overseas = [][2]string{
	{"26[23]|69[23]", "RE"}, {"269|639", "YT"}, {"590|69[01]", "GP"}, {"594|694", "GF"}, {"596|69[67]", "MQ"}, {"508", "PM"},
}

// lands are the rows of the table, by country code.
var lands = sync.OnceValue(func() map[string][][]string {
	all := map[string][][]string{}
	for f := range rows(landTable) {
		all[f[0]] = append(all[f[0]], f)
	}
	return all
})

// landOf returns the region that a national number of a shared country code belongs to: one
// of home where it can be, else the main one, else whichever has it; unknown ones are the
// main one's. It is "" for a code of one region. aside reports whether the land has to be
// named beside its country code: it is neither at home nor billed as the main one is.
func landOf(code, national string, home *region) (land string, aside bool) {
	for _, f := range overseas {
		if code == "33" && home.code == code && len(national) == 9 && pattern(f[0]).MatchString(national) {
			return f[1], true
		}
	}
	atHome := home.iso + " " + together[home.iso]
	var main, other string
	var known bool // the main one has it
	for _, f := range lands()[code] {
		has := f[3] != "" && pattern(f[3]).MatchString(national) || whole(pattern(f[4]), national)
		switch {
		case has && strings.Contains(atHome, f[1]):
			return f[1], false
		case f[2] == "true":
			main, known = f[1], has
		case has && other == "":
			other = f[1]
		}
	}
	if known || other == "" {
		return main, code == home.code && main != ""
	}
	// Whoever calls from another continent pays for Canada what the United States cost.
	billed := together[main] + " " + main
	if code != home.code && main == "US" {
		billed += " CA"
	}
	return other, !strings.Contains(billed, other)
}
