package dialing_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"hookswitch/firmware/dialing"
)

// bodies are numbers to be dialled in some way: emergency and premium ones of the region and
// ordinary ones of any, with digits missing and digits too many.
func bodies(rng *rand.Rand, region string, regions []string) string {
	kinds := []phonenumbers.PhoneNumberType{
		phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PAGER, phonenumbers.PERSONAL_NUMBER,
		phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE,
	}
	from := region
	if rng.IntN(3) == 0 {
		from = regions[rng.IntN(len(regions))]
	}
	n := phonenumbers.GetExampleNumberForType(from, kinds[rng.IntN(len(kinds))])
	body := ""
	switch pick := rng.IntN(6); {
	case pick == 0:
		body = []string{"112", "911", "999", "110", "000", "15", "119", "118"}[rng.IntN(8)]
	case pick == 1 || n == nil:
		for range 1 + rng.IntN(12) {
			body += fmt.Sprint(rng.IntN(10))
		}
	case pick == 2:
		body = phonenumbers.Format(n, phonenumbers.E164)
	case pick == 3:
		body = phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
	case pick == 4:
		body = phonenumbers.GetNationalSignificantNumber(n)
	default:
		body = phonenumbers.Format(n, phonenumbers.NATIONAL)
	}
	switch rng.IntN(8) {
	case 0:
		body += fmt.Sprint(rng.IntN(100))
	case 1:
		body = body[:len(body)-1]
	}
	return body
}

// puzzle is a dial string of pieces that mean something to some exchange.
func puzzle(rng *rand.Rand, region string, prefixes []callPrefix, regions []string) string {
	code := fmt.Sprint(phonenumbers.GetCountryCodeForRegion(region))
	pieces := []string{
		"", "", "", "", "0", "1", "9", "00", "011", "+", "+" + code, "+" + code + " (0)", "+" + code + " 0", idd(region), idd(region) + code,
		phonenumbers.GetNddPrefixForRegion(region, true), "*67", "#31#", "\u202a", prefixes[rng.IntN(len(prefixes))].digits,
	}
	var b strings.Builder
	for range rng.IntN(4) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return b.String() + bodies(rng, region, regions)
}

// masksFor are masks that permit a number, or much else, by its beginning; none is a name.
func masksFor(rng *rand.Rand, number string) (masks []string) {
	number = strings.ReplaceAll(number, "*", `\*`)
	for range 1 + rng.IntN(3) {
		keep := rng.IntN(len(number) + 1)
		if keep > 0 && number[keep-1] == '\\' {
			keep--
		}
		masks = append(masks, number[:keep]+"x*")
		if rest := len(number) - keep; rest > 0 && !strings.ContainsAny(number[keep:], `\#+`) {
			masks = append(masks, number[:keep]+strings.Repeat("x", rest))
		}
	}
	return append(masks, []string{"*", "+*", "+x*", "0x*", "1x*", `\*x*`}[rng.IntN(6)])
}

// checkDialled holds what is dialled against libphonenumber, as somebody who types it, and
// against rules that permit everything but what costs or alarms.
func checkDialled(t *testing.T, r *dialing.Rules, dial string, exact bool) (permitted bool) {
	d, err := r.Check(dial)
	if err != nil {
		return false
	}
	everything := permissive(r.Region, r.OutsidePrefix...)
	everything.Deny = r.Deny
	mobile := permissive(r.Region)
	mobile.Deny = r.Deny
	what := fmt.Sprintf("%s, allow %q, deny %q, outside %q", r.Region, r.Allow, r.Deny, r.OutsidePrefix)
	for _, line := range []struct {
		made  string
		rules *dialing.Rules
	}{{d.On(false), everything}, {d.On(true), mobile}} {
		if line.made == "" {
			continue
		}
		if _, err := line.rules.Check(line.made); err != nil && !strings.Contains(err.Error(), "dialled as") && (strings.Contains(err.Error(), "premium") || strings.Contains(err.Error(), "deny")) {
			t.Errorf("%s: %q is dialled %q, which is refused: %v", what, dial, line.made, err)
		}
		read := line.made
		for _, p := range line.rules.OutsidePrefix {
			if rest, ok := strings.CutPrefix(read, p); ok {
				read = rest
				break
			}
		}
		if phonenumbers.IsEmergencyNumber(read, r.Region) ||
			!exact && line.rules == everything && len(r.OutsidePrefix) == 0 && phonenumbers.ConnectsToEmergencyNumber(read, r.Region) {
			t.Errorf("%s: %q is dialled %q, which reaches an emergency number", what, dial, line.made)
		}
		n, err := phonenumbers.Parse(read, r.Region)
		if strings.ContainsAny(read, "*#") || err != nil || !phonenumbers.IsValidNumber(n) {
			continue
		}
		switch phonenumbers.GetNumberType(n) {
		case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PAGER, phonenumbers.PERSONAL_NUMBER:
			t.Errorf("%s: %q is dialled %q, which is dear", what, dial, line.made)
		}
		e164 := phonenumbers.Format(n, phonenumbers.E164)
		for _, deny := range r.Deny {
			if strings.HasPrefix(e164, strings.TrimSuffix(deny, "x*")) {
				t.Errorf("%s: %q is dialled %q, which is denied", what, dial, line.made)
			}
		}
	}
	return true
}

// randomCase makes rules and a dial string, and checks what is dialled.
func randomCase(t *testing.T, rng *rand.Rand, region string, prefixes []callPrefix, regions []string, exact bool) bool {
	dial := puzzle(rng, region, prefixes, regions)
	number, err := dialing.Number(dial)
	if err != nil {
		return false
	}
	r := &dialing.Rules{Region: region, Allow: masksFor(rng, number), OutsidePrefix: [][]string{nil, nil, {"9"}, {"0"}, {"0", "8"}}[rng.IntN(5)]}
	if rng.IntN(2) == 0 {
		if n := phonenumbers.GetExampleNumberForType(regions[rng.IntN(len(regions))], phonenumbers.MOBILE); n != nil {
			e164 := phonenumbers.Format(n, phonenumbers.E164)
			r.Deny = []string{e164[:min(len(e164), 3+rng.IntN(6))] + "x*"}
		}
	}
	return checkDialled(t, r, dial, exact)
}

func TestRandomNumbersUnderRandomRulesReachNothingThatCostsOrAlarms(t *testing.T) {
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	exact := exactRegions(t)
	rng := rand.New(rand.NewPCG(1, 2))
	permitted, rounds := 0, 40
	if testing.Short() {
		rounds = 4
	}
	for _, region := range regions {
		prefixes := callPrefixes(t, region)
		for range rounds {
			if randomCase(t, rng, region, prefixes, regions, exact[region]) {
				permitted++
			}
		}
	}
	if permitted < 10*rounds {
		t.Errorf("only %d were permitted: too few to tell", permitted)
	}
}

func FuzzRandomNumbersUnderRandomRules(f *testing.F) {
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	exact := exactRegions(f)
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		rng := rand.New(rand.NewPCG(a, b))
		region := regions[rng.IntN(len(regions))]
		for range 50 {
			randomCase(t, rng, region, callPrefixes(t, region), regions, exact[region])
		}
	})
}
