package call_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

var update = flag.Bool("update", false, "write the tables of regions anew")

// Satellite networks: Inmarsat, the global mobile satellite system, and the shared code
// 883 of international networks. Whatever is dialled there is dear.
var satellite = []int32{870, 881, 882, 883}

// regionTables makes the two tables from libphonenumber's metadata.
func regionTables(t *testing.T) (regions, premium []byte) {
	t.Helper()
	long, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	short, err := phonenumbers.ShortNumberMetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	emergency := map[string]string{}
	for _, m := range short.GetMetadata() {
		emergency[m.GetId()] = compact(m.GetEmergency().GetNationalNumberPattern())
	}
	exactOnly := exactRegions(t)
	var lines []string
	dear := map[int32][]string{}
	for _, m := range long.GetMetadata() {
		code := m.GetCountryCode()
		for _, d := range []*phonenumbers.PhoneNumberDesc{m.GetPremiumRate(), m.GetSharedCost(), m.GetPager()} {
			if p := compact(d.GetNationalNumberPattern()); p != "" && p != "NA" && !slices.Contains(dear[code], p) {
				dear[code] = append(dear[code], p)
			}
		}
		if m.GetId() == "001" {
			continue
		}
		dial := m.GetPreferredInternationalPrefix()
		if dial == "" {
			dial = m.GetInternationalPrefix()
		}
		exact := ""
		if exactOnly[m.GetId()] {
			exact = "exact"
		}
		dial = strings.ReplaceAll(dial, "~", "")
		if strings.Trim(dial, "0123456789") != "" {
			dial = "00" // depends on the carrier, which the owner names
		}
		lines = append(lines, fmt.Sprintf("%s\t%d\t%s\t%s\t%s\t%s\t%s\n", m.GetId(), code, compact(m.GetInternationalPrefix()), dial,
			m.GetNationalPrefix(), emergency[m.GetId()], exact))
	}
	slices.Sort(lines)
	for _, code := range satellite {
		dear[code] = []string{`\d+`}
	}
	var dearLines []string
	for code, patterns := range dear {
		slices.Sort(patterns)
		dearLines = append(dearLines, fmt.Sprintf("%d\t%s\n", code, strings.Join(patterns, "|")))
	}
	slices.Sort(dearLines)
	return []byte(strings.Join(lines, "")), []byte(strings.Join(dearLines, ""))
}

// exactRegions are those where an emergency number with further digits is another number:
// libphonenumber names some, its example numbers tell of the others.
func exactRegions(t *testing.T) map[string]bool {
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
	regions, premium := regionTables(t)
	for name, want := range map[string][]byte{"regions.tsv": regions, "premium.tsv": premium} {
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
