package dialing_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"hookswitch/firmware/dialing"
)

// supportedRegions are those of libphonenumber; with -short one of ten, and those that the
// other tests are about.
func supportedRegions() (list []string) {
	known := []string{"AR", "AU", "BR", "DE", "FR", "GB", "IT", "RU", "US"}
	for i, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		if !testing.Short() || i%10 == 0 || slices.Contains(known, region) {
			list = append(list, region)
		}
	}
	return list
}

// everyRegion runs a test for each region, side by side.
func everyRegion(t *testing.T, test func(t *testing.T, region string)) {
	for _, region := range supportedRegions() {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			test(t, region)
		})
	}
}

// permissive has a mask for whatever begins with a digit or +, for short numbers by their
// length, and for numbers after service codes.
func permissive(region string, outside ...string) *dialing.Rules {
	r := allowAll()
	r.Region, r.OutsidePrefix = region, outside
	return r
}

// callPrefix is an example of a row of callprefixes.tsv, and how many digits follow, 0 for any.
type callPrefix struct {
	digits string
	rest   int
	coded  bool
}

// callPrefixes are examples of a region's, and the service codes of every region.
func callPrefixes(t testing.TB, region string) []callPrefix {
	t.Helper()
	table, err := os.ReadFile("callprefixes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	list := []callPrefix{{digits: "*67"}, {digits: "*82"}, {digits: "*31*"}, {digits: "*31#"}, {digits: "#31#"}}
	code := fmt.Sprintf("+%d", phonenumbers.GetCountryCodeForRegion(region))
	for row := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(row), "\t")
		if f[0] != code && !slices.Contains(strings.Split(f[0], ","), region) {
			continue
		}
		re, err := syntax.Parse(f[1], syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		rest, _ := strconv.Atoi(f[2])
		for _, digits := range examples(re) {
			list = append(list, callPrefix{digits, rest, f[2] == "+"})
		}
	}
	return list
}

// examples are strings that a pattern of digits matches, one for each alternative.
func examples(re *syntax.Regexp) (list []string) {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		list = []string{string(re.Rune[0])}
		if last := re.Rune[len(re.Rune)-1]; last != re.Rune[0] {
			list = append(list, string(last))
		}
		return list
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			list = append(list, examples(sub)...)
		}
		return list
	case syntax.OpRepeat, syntax.OpQuest:
		one := examples(re.Sub[0])[0]
		least, most := re.Min, re.Max
		if re.Op == syntax.OpQuest {
			least, most = 0, 1
		}
		return []string{strings.Repeat(one, least), strings.Repeat(one, most)}
	case syntax.OpConcat:
		list = []string{""}
		for _, sub := range re.Sub {
			var longer []string
			for _, head := range list {
				for _, tail := range examples(sub) {
					longer = append(longer, head+tail)
				}
			}
			list = longer
		}
		return list
	case syntax.OpCapture:
		return examples(re.Sub[0])
	}
	panic("no example for " + re.String())
}

var idds = sync.OnceValue(func() map[string]string {
	table, _ := os.ReadFile("regions.tsv")
	all := map[string]string{}
	for row := range strings.Lines(string(table)) {
		f := strings.Split(row, "\t")
		all[f[0]] = f[3]
	}
	return all
})

// idd is what the region dials for "+", as the table has it.
func idd(region string) string { return idds()[region] }

// boards are one on the public exchange and two behind a PBX.
func boards(region string) []*dialing.Rules {
	return []*dialing.Rules{permissive(region), permissive(region, "9"), permissive(region, "0", "8")}
}

// spellings are the ways of dialling a national number that a person, a program or a thief
// may think of.
func spellings(t *testing.T, region, code, national, dialled string) (list []string) {
	trunk := phonenumbers.GetNddPrefixForRegion(region, true)
	forms := []string{dialled, national, trunk + national}
	list = append(list, forms...)
	abroad := []string{"+"}
	if p := idd(region); p != "" {
		abroad = append(abroad, p)
	}
	for _, p := range abroad {
		list = append(list, p+code+national, p+" "+code+"\u00a0\u202a"+national+"\u202c")
		if trunk == "0" {
			list = append(list, p+" "+code+" (0)"+national, p+code+" (0) "+national)
		}
	}
	list = append(list, "tel:+"+code+"-"+national)
	for _, p := range callPrefixes(t, region) {
		for _, form := range forms {
			if p.rest == 0 && !p.coded || p.rest == len(form) {
				list = append(list, p.digits+form)
			}
		}
		switch {
		case p.coded && !strings.HasPrefix(code, "1"): // 01 and 1 is 011
			list = append(list, p.digits+code+national)
		case !p.coded && p.rest == 0 && idd(region) != "":
			list = append(list, p.digits+idd(region)+code+national)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// behind are spellings as they are dialled where a PBX wants its prefix first.
func behind(rules *dialing.Rules, list []string) []string {
	if len(rules.OutsidePrefix) == 0 {
		return list
	}
	var dials []string
	for _, s := range list {
		if strings.HasPrefix(s, "+") || strings.HasPrefix(s, "tel:") {
			dials = append(dials, s)
			continue
		}
		for _, p := range rules.OutsidePrefix {
			dials = append(dials, p+s)
		}
	}
	return dials
}

func digitsOf(s string) string { return phonenumbers.NormalizeDigitsOnly(s) }

func TestNoEmergencyNumberOfAnyRegionIsReached(t *testing.T) {
	short, err := phonenumbers.ShortNumberMetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	emergency := map[string][]string{}
	for _, m := range short.GetMetadata() {
		if re, err := syntax.Parse(compact(m.GetEmergency().GetNationalNumberPattern()), syntax.Perl); err == nil && m.GetEmergency().GetNationalNumberPattern() != "" {
			emergency[m.GetId()] = examples(re.Simplify())
		}
	}
	everyRegion(t, func(t *testing.T, region string) {
		code, all := fmt.Sprint(phonenumbers.GetCountryCodeForRegion(region)), boards(region)
		for _, number := range append(emergency[region], "112", "911", "999") {
			for _, rules := range all {
				for _, dial := range append(behind(rules, spellings(t, region, code, number, number)), number, "0"+number, "9"+number) {
					if d, err := rules.Check(dial); err == nil {
						t.Errorf("outside %q: %s reaches %s: dialled %s and %s", rules.OutsidePrefix, dial, number, d.On(false), d.On(true))
					}
				}
			}
		}
	})
}

func TestNoDearNumberOfAnyRegionIsDialled(t *testing.T) {
	abroad := map[string]*dialing.Rules{}
	for _, from := range []string{"US", "DE", "AU", "BR", "JP"} {
		abroad[from] = permissive(from)
	}
	kinds := []phonenumbers.PhoneNumberType{phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PAGER, phonenumbers.PERSONAL_NUMBER}
	everyRegion(t, func(t *testing.T, region string) {
		all := boards(region)
		for _, kind := range kinds {
			n := phonenumbers.GetExampleNumberForType(region, kind)
			if n == nil {
				continue
			}
			code, national := fmt.Sprint(n.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(n)
			dialled := digitsOf(phonenumbers.Format(n, phonenumbers.NATIONAL))
			for _, rules := range all {
				for _, dial := range behind(rules, append(spellings(t, region, code, national, dialled), dialled+"12")) {
					if d, err := rules.Check(dial); err == nil {
						t.Errorf("outside %q: %s (kind %d) is dialled %s and %s", rules.OutsidePrefix, dial, kind, d.On(false), d.On(true))
					}
				}
			}
			for from, rules := range abroad {
				if d, err := rules.Check("+" + code + national); err == nil {
					t.Errorf("from %s: +%s%s is dialled %s and %s", from, code, national, d.On(false), d.On(true))
				}
			}
		}
	})
}

// dialledAtHome is what a telephone of the number's own region dials for it.
func dialledAtHome(n *phonenumbers.PhoneNumber) string {
	national := phonenumbers.GetNationalSignificantNumber(n)
	switch {
	case n.GetCountryCode() == 1:
		return "1" + national
	case n.GetCountryCode() == 54 && strings.HasPrefix(national, "911"):
		return "01115" + national[3:] // phonenumbers puts the prefix before the wrong group
	case n.GetCountryCode() == 54 && strings.HasPrefix(national, "9"):
		return ""
	}
	return digitsOf(phonenumbers.Format(n, phonenumbers.NATIONAL))
}

func TestOrdinaryNumbersOfEveryRegionAreDialledRight(t *testing.T) {
	abroad, behindPBX := map[string]*dialing.Rules{}, map[string]*dialing.Rules{}
	for _, from := range []string{"US", "DE", "GB", "AU", "BR", "RU"} {
		abroad[from], behindPBX[from] = permissive(from), permissive(from, "0")
	}
	everyRegion(t, func(t *testing.T, region string) {
		r, pbx := permissive(region), permissive(region, "9")
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
			n := phonenumbers.GetExampleNumberForType(region, kind)
			if n == nil {
				continue
			}
			code, e164 := fmt.Sprint(n.GetCountryCode()), phonenumbers.Format(n, phonenumbers.E164)
			national, home := phonenumbers.GetNationalSignificantNumber(n), dialledAtHome(n)
			check := func(rules *dialing.Rules, dial, analogue, mobile string) {
				t.Helper()
				d, err := rules.Check(dial)
				if err != nil || analogue != "" && d.On(false) != analogue || d.On(true) != mobile {
					t.Errorf("%s, outside %q: %q is dialled %q and %q, %v, want %q and %q", rules.Region, rules.OutsidePrefix, dial, d.On(false), d.On(true), err, analogue, mobile)
				}
			}
			for _, dial := range []string{
				e164, phonenumbers.Format(n, phonenumbers.INTERNATIONAL), phonenumbers.Format(n, phonenumbers.RFC3966),
				"+" + code + "\u00a0" + national, "\u202a" + e164 + "\u202c",
			} {
				check(r, dial, home, e164)
				if home != "" {
					check(pbx, dial, "9"+home, e164)
				}
			}
			if trunk := phonenumbers.GetNddPrefixForRegion(region, true); trunk == "0" {
				check(r, "+"+code+" (0)"+national, home, e164)
				check(r, "+"+code+" 0 "+national, home, e164)
			}
			typed := digitsOf(phonenumbers.Format(n, phonenumbers.NATIONAL))
			check(r, phonenumbers.Format(n, phonenumbers.NATIONAL), typed, typed)
			check(pbx, "9"+typed, "9"+typed, typed)
			for from := range abroad {
				if int(n.GetCountryCode()) == phonenumbers.GetCountryCodeForRegion(from) {
					continue
				}
				if idd(from) == "" {
					check(abroad[from], e164, "", e164)
					continue
				}
				check(abroad[from], e164, idd(from)+e164[1:], e164)
				check(abroad[from], idd(from)+" "+code+" "+national, idd(from)+e164[1:], e164)
				check(behindPBX[from], e164, "0"+idd(from)+e164[1:], e164)
			}
		}
	})
}

func TestErrorsOfEveryRegionAreOfTheirKind(t *testing.T) {
	everyRegion(t, func(t *testing.T, region string) {
		code := fmt.Sprint(phonenumbers.GetCountryCodeForRegion(region))
		for _, dial := range []string{"+" + code + "1", "+" + code + "00", "+" + code + "0000000000000000", "+" + code} {
			if d, err := permissive(region).Check(dial); !errors.Is(err, dialing.ErrNumber) && !errors.Is(err, dialing.ErrDenied) {
				t.Errorf("%s is dialled %s and %s, %v", dial, d.On(false), d.On(true), err)
			}
		}
	})
}
