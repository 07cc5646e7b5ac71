package dialing_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

var update = flag.Bool("update", false, "write the tables of regions anew")

// Codes of no country where whatever is dialled is dear: shared cost (808), Inmarsat,
// personal numbers (878), the global mobile satellite system, international networks, 888,
// and international premium rate.
var dearCodes = []int32{808, 870, 878, 881, 882, 883, 888, 979}

// What libphonenumber counts as ordinary in North America, or not at all: the exchange 976
// in every area, 900, and the personal numbers of the area codes 500, 5XX and 700.
const dearInNorthAmerica = `[2-9]\d\d976\d{4}|[79]00\d{7}|5(?:00|2[1-9]|33|44|66|77|88)\d{7}`

// tables are the four tables of a call's rules, made from libphonenumber's metadata.
func tables(t *testing.T) map[string][]byte {
	t.Helper()
	long, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	short, err := phonenumbers.ShortNumberMetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	shorts := map[string]*phonenumbers.PhoneMetadata{}
	for _, m := range short.GetMetadata() {
		shorts[m.GetId()] = m
	}
	codes := map[int32][]*phonenumbers.PhoneMetadata{}
	for _, m := range long.GetMetadata() {
		code := m.GetCountryCode()
		if m.GetMainCountryForCode() {
			codes[code] = slices.Insert(codes[code], 0, m)
		} else {
			codes[code] = append(codes[code], m)
		}
	}
	var regions, formats []string
	exactOnly := exactRegions(t)
	for _, m := range long.GetMetadata() {
		if m.GetId() != "001" {
			regions = append(regions, regionRow(m, shorts[m.GetId()], exactOnly[m.GetId()]))
			formats = append(formats, formatRows(m, codes[m.GetCountryCode()][0])...)
		}
	}
	var codeRows, lands []string
	for code, list := range codes {
		codeRows = append(codeRows, codeRow(code, list))
		for _, m := range list {
			if len(list) > 1 {
				lands = append(lands, fmt.Sprintf("%d\t%s\t%t\t%s\t%s\n", code, m.GetId(), m.GetMainCountryForCode(), compact(m.GetLeadingDigits()), patternOf(everyKind(m)...)))
			}
		}
	}
	table := func(rows []string) []byte { slices.Sort(rows); return []byte(strings.Join(rows, "")) }
	return map[string][]byte{
		"regions.tsv": table(regions), "codes.tsv": table(codeRows), "lands.tsv": table(lands),
		"formats.tsv": []byte(strings.Join(formats, "")), // whose order counts
	}
}

func regionRow(m, short *phonenumbers.PhoneMetadata, exactOnly bool) string {
	dial := m.GetPreferredInternationalPrefix()
	if dial == "" {
		dial = m.GetInternationalPrefix()
	}
	dial = strings.ReplaceAll(dial, "~", "")
	if strings.Trim(dial, "0123456789") != "" {
		dial = "" // depends on the carrier, which the owner names
	}
	exact := ""
	if exactOnly {
		exact = "exact"
	}
	dear := patternOf(short.GetPremiumRate())
	if m.GetCountryCode() == 1 {
		dear = strings.TrimPrefix(dear+`|976\d{4}`, "|")
	}
	return strings.Join([]string{
		m.GetId(), fmt.Sprint(m.GetCountryCode()), compact(m.GetInternationalPrefix()), dial, m.GetNationalPrefix(),
		compact(short.GetEmergency().GetNationalNumberPattern()), exact,
		compact(m.GetNationalPrefixForParsing()), m.GetNationalPrefixTransformRule(), dear,
	}, "\t") + "\n"
}

func codeRow(code int32, list []*phonenumbers.PhoneMetadata) string {
	var lengths []int32
	var general, dear []*phonenumbers.PhoneNumberDesc
	for _, m := range list {
		general = append(general, m.GetGeneralDesc())
		dear = append(dear, m.GetPremiumRate(), m.GetSharedCost(), m.GetPager(), m.GetPersonalNumber())
		if code != 1 || m.GetMainCountryForCode() { // Canada has numbers of seven digits that nobody dials after +1
			lengths = append(lengths, m.GetGeneralDesc().GetPossibleLength()...)
		}
	}
	slices.Sort(lengths)
	dearPattern := patternOf(dear...)
	switch {
	case slices.Contains(dearCodes, code):
		dearPattern = `\d+`
	case code == 1:
		dearPattern += "|" + dearInNorthAmerica
	}
	exact := ""
	if beginsDear(list, dearPattern) {
		exact = "exact"
	}
	return fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\n", code, strings.Trim(fmt.Sprint(slices.Compact(lengths)), "[]"), list[0].GetNationalPrefix(),
		patternOf(general...), dearPattern, exact)
}

// beginsDear reports whether an ordinary number begins with one that is dear.
func beginsDear(list []*phonenumbers.PhoneMetadata, dear string) bool {
	begins := regexp.MustCompile(`^(?:` + dear + `)`)
	for _, m := range list {
		for _, d := range []*phonenumbers.PhoneNumberDesc{m.GetFixedLine(), m.GetMobile(), m.GetTollFree(), m.GetVoip(), m.GetUan()} {
			if dear != "" && d.GetExampleNumber() != "" && begins.MatchString(d.GetExampleNumber()) {
				return true
			}
		}
	}
	return false
}

// patternOf is what any of the kinds matches, "" where none has a number.
func patternOf(kinds ...*phonenumbers.PhoneNumberDesc) string {
	var patterns []string
	for _, d := range kinds {
		if p := compact(d.GetNationalNumberPattern()); p != "" && p != "NA" && !slices.Contains(patterns, p) {
			patterns = append(patterns, p)
		}
	}
	slices.Sort(patterns)
	return strings.Join(patterns, "|")
}

func everyKind(m *phonenumbers.PhoneMetadata) []*phonenumbers.PhoneNumberDesc {
	return []*phonenumbers.PhoneNumberDesc{
		m.GetFixedLine(), m.GetMobile(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(), m.GetPersonalNumber(),
		m.GetVoip(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
	}
}

var group = regexp.MustCompile(`\$\d`)

// formatRows say how a region dials its own numbers, one row a pattern and the first that
// matches holds. There is none where the trunk prefix is put before each. A region without
// patterns has those of the main one of its country code.
func formatRows(m, main *phonenumbers.PhoneMetadata) (rows []string) {
	prefix := m.GetNationalPrefix()
	if prefix == "" || m.GetCountryCode() == 1 {
		return nil
	}
	list := m.GetNumberFormat()
	if len(list) == 0 {
		list = main.GetNumberFormat()
	}
	if len(list) == 0 {
		return []string{m.GetId() + "\t\t\\d+\t${0}\n"}
	}
	deviates := false
	for _, f := range list {
		template := f.GetFormat()
		if rule := f.GetNationalPrefixFormattingRule(); rule != "" {
			first := group.FindString(template)
			template = strings.Replace(template, first, strings.ReplaceAll(rule, "$1", first), 1)
		}
		template = strings.Map(func(c rune) rune {
			if c == '$' || c >= '0' && c <= '9' {
				return c
			}
			return -1
		}, template)
		template = group.ReplaceAllString(template, "$${${0}}")
		template = strings.ReplaceAll(template, "${$", "${")
		digits := strings.NewReplacer("${1}", "", "${2}", "", "${3}", "", "${4}", "", "${5}", "", "${6}", "").Replace(template)
		deviates = deviates || digits != prefix || strings.Index(template, "$") != len(prefix)
		leading := ""
		if l := f.GetLeadingDigitsPattern(); len(l) > 0 {
			leading = compact(l[len(l)-1])
		}
		rows = append(rows, strings.Join([]string{m.GetId(), leading, compact(f.GetPattern()), template}, "\t")+"\n")
	}
	if !deviates {
		return nil
	}
	return rows
}

// exactRegions are those where an emergency number with further digits is another number:
// libphonenumber names some, its example numbers tell of the others.
func exactRegions(t testing.TB) map[string]bool {
	t.Helper()
	exact := map[string]bool{}
	for _, region := range phonenumbers.REGIONS_WHERE_EMERGENCY_NUMBERS_MUST_BE_EXACT {
		exact[region] = true
	}
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE} {
			n := phonenumbers.GetExampleNumberForType(region, kind)
			if n != nil && phonenumbers.ConnectsToEmergencyNumber(phonenumbers.Format(n, phonenumbers.NATIONAL), region) {
				exact[region] = true
			}
		}
	}
	return exact
}

func compact(pattern string) string { return strings.Join(strings.Fields(pattern), "") }

func TestTheTablesOfRegionsAreLibphonenumbers(t *testing.T) {
	for name, want := range tables(t) {
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date; `go test ./firmware/call -run Tables -update` writes it anew", name)
		}
	}
}
