package dialing_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"hookswitch/firmware/dialing"
)

// allowAll has a mask for everything a keypad has, so that what is refused is refused by
// another rule.
func allowAll() *dialing.Rules {
	r := &dialing.Rules{Region: "US", Allow: []string{"*", "+*"}}
	for n := range 7 {
		r.Allow = append(r.Allow, strings.Repeat("x", n+1)) // short numbers
	}
	for _, prefix := range []string{`\*`, `\*\*`, `\*x#`, `\*xx#`, `#xx#`, `x#`, `xx#`, `xxx#`, `x\*xx`} {
		for n := range 16 {
			r.Allow = append(r.Allow, prefix+strings.Repeat("x", n))
		}
	}
	return r
}

func TestCheckAllowsWhatAMaskHas(t *testing.T) {
	r := &dialing.Rules{Region: "US", Allow: []string{"[2-9]xxxxxx", "1[2-9]xxxxxxxxx", "+1[2-9]xxxxxxxxx", `\*98`, "0049*"}, Deny: []string{"1900x*", "555013x"}}
	for _, test := range []struct {
		name, dial, want string
		err              error
	}{
		{"a local number", "555-0100", "5550100", nil},
		{"a long-distance number", "1 212 555 0100", "12125550100", nil},
		{"an international number", "+1 212 555 0100", "+12125550100", nil},
		{"the rest may be anything", "0049 30 123456", "004930123456", nil},
		{"the rest may be nothing", "0049", "0049", nil},
		{"a star that a mask names", "*98", "*98", nil},
		{"a digit outside a class", "155-0100", "", dialing.ErrDenied},
		{"a digit too few", "555010", "", dialing.ErrDenied},
		{"a digit too many", "55501000", "", dialing.ErrDenied},
		{"a plus where the mask has none", "+5550100", "", dialing.ErrDenied},
		{"a star that no mask names", "*99", "", dialing.ErrDenied},
		{"a star as the rest", "0049*1", "", dialing.ErrDenied},
		{"a call-forward code", "**21*15555550100#", "", dialing.ErrDenied},
		{"a denied number", "555-0130", "", dialing.ErrDenied},
		{"a denied range", "1 900 555 0100", "", dialing.ErrDenied},
		{"a denied range in international form", "+1 900 555 0100", "", dialing.ErrDenied},
		{"no number", "hello", "", dialing.ErrNumber},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := r.Check(test.dial); got.String() != test.want || !errors.Is(err, test.err) {
				t.Errorf("Check(%q) = %q, %v, want %q, %v", test.dial, got, err, test.want, test.err)
			}
		})
	}
}

func TestNothingIsDiallableUntilItIsAllowed(t *testing.T) {
	for _, r := range []*dialing.Rules{{}, {Region: "US"}, {Region: "DE", Premium: true, Deny: []string{"1"}}, {Allow: []string{"[", "5N", ""}}} {
		if n, err := r.Check("5550100"); !errors.Is(err, dialing.ErrDenied) || n.String() != "" {
			t.Errorf("%+v: Check = %q, %v, want ErrDenied", r, n, err)
		}
	}
}

func TestADenyMaskThatIsNoneDeniesEverything(t *testing.T) {
	r := &dialing.Rules{Region: "US", Allow: []string{"*"}, Deny: []string{"1900["}}
	if _, err := r.Check("5550100"); !errors.Is(err, dialing.ErrDenied) {
		t.Errorf("Check = %v, want ErrDenied", err)
	}
}

func TestDenyHoldsInEveryNotation(t *testing.T) {
	for _, test := range []struct {
		name, region, deny, dial string
		outside                  []string
	}{
		{"the international form of a national mask", "GB", "0207x*", "+442079460000", nil},
		{"the international prefix", "GB", "0207x*", "00442079460000", nil},
		{"the national form of an international mask", "GB", "+44207x*", "02079460000", nil},
		{"behind an outside prefix", "US", "1212x*", "912125550100", []string{"9"}},
		{"ten digits in North America", "US", "1212x*", "2125550100", nil},
		{"another country", "DE", "+7x*", "0074951234567", nil},
		{"a country without trunk prefix", "IT", "+3906x*", "0612345678", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &dialing.Rules{Region: test.region, Allow: []string{"*", "+*"}, OutsidePrefix: test.outside}
			if _, err := r.Check(test.dial); err != nil {
				t.Fatalf("without the mask: %v", err)
			}
			denying := &dialing.Rules{Region: test.region, Allow: r.Allow, OutsidePrefix: test.outside, Deny: []string{test.deny}}
			if _, err := denying.Check(test.dial); !errors.Is(err, dialing.ErrDenied) {
				t.Errorf("Check(%q) = %v, want ErrDenied", test.dial, err)
			}
		})
	}
}

func TestEmergencyNumbersAreRefused(t *testing.T) {
	for _, test := range []struct {
		name, region, dial string
		outside            []string
	}{
		{"911 in the US", "US", "911", nil},
		{"112 in the US", "US", "112", nil},
		{"999 wherever it is", "DE", "999", nil},
		{"911 wherever it is", "DE", "911", nil},
		{"110 in Germany", "DE", "110", nil},
		{"000 in Australia", "AU", "000", nil},
		{"15 in France", "FR", "15", nil},
		{"119 in Japan", "JP", "119", nil},
		{"separated", "DE", "1 1 2", nil},
		{"as a URI", "US", "tel:911", nil},
		{"with further digits", "US", "9116666666", nil},
		{"after plus", "DE", "+112", nil},
		{"after plus and the country code", "US", "+1 911", nil},
		{"after a PBX's 0, not configured", "DE", "0112", nil},
		{"after a PBX's 9, not configured", "US", "9911", nil},
		{"9112 in Germany", "DE", "9112", nil},
		{"after the trunk prefix", "US", "1911", nil},
		{"after a configured prefix", "US", "8911", []string{"8"}},
		{"after a configured prefix, with further digits", "US", "9911123", []string{"9"}},
		{"inside a PBX", "US", "911", []string{"9"}},
		{"after a star", "DE", "*112", nil},
		{"before a hash", "DE", "112#", nil},
		{"with a star between", "DE", "1*12", nil},
		{"after a code that hides the caller", "US", "*67911", nil},
		{"after a code, with further digits", "US", "*679115550", nil},
		{"after a code with hash", "DE", "*31#112", nil},
		{"after a code in hashes", "DE", "#31#110", nil},
		{"no region", "", "112", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := allowAll()
			r.Region, r.OutsidePrefix = test.region, test.outside
			number, err := r.Check(test.dial)
			if !errors.Is(err, dialing.ErrDenied) || !strings.Contains(err.Error(), "emergency") {
				t.Errorf("Check(%q) = %q, %v, want ErrDenied for an emergency number", test.dial, number, err)
			}
		})
	}
}

func TestWhatOnlyLooksLikeAnEmergencyNumberIsDialled(t *testing.T) {
	for _, test := range []struct {
		name, region, dial string
		outside            []string
	}{
		{"another region's number as an extension", "US", "110", nil},
		{"an extension of a PBX that begins like one", "FR", "1501", []string{"0"}},
		{"an extension in India", "IN", "1001", []string{"0"}},
		{"a number with it inside", "US", "15551129110", nil},
		{"a long number after a PBX's 9", "US", "915125550100", []string{"9"}},
		{"a country where further digits make another number", "BR", "1901234", nil},
		{"a mobile number with the caller hidden", "FR", "#31#0611245678", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := allowAll()
			r.Region, r.OutsidePrefix = test.region, test.outside
			if _, err := r.Check(test.dial); err != nil {
				t.Errorf("Check(%q) = %v", test.dial, err)
			}
		})
	}
}

// Every number that libphonenumber gives as an example of a region can be dialled there, in
// national and in international form, unless it is a premium one.
func TestExampleNumbersOfEveryRegionAreNoEmergencies(t *testing.T) {
	kinds := []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE}
	for _, region := range supportedRegions() {
		r := &dialing.Rules{Region: region, Allow: []string{"*", "+*"}}
		for _, kind := range kinds {
			n := phonenumbers.GetExampleNumberForType(region, kind)
			if n == nil {
				continue
			}
			for _, form := range []phonenumbers.PhoneNumberFormat{phonenumbers.NATIONAL, phonenumbers.E164} {
				dial := phonenumbers.Format(n, form)
				if _, err := r.Check(strings.ReplaceAll(dial, "~", "")); err != nil {
					t.Errorf("%s: %v", region, err)
				}
			}
		}
	}
}

// The reference for what reaches an emergency number, and what is a premium number, is
// libphonenumber itself.
func TestEmergencyAndPremiumNumbersAgreeWithLibphonenumber(t *testing.T) {
	var short []string
	for n := range 100 {
		short = append(short, fmt.Sprint(100+n), fmt.Sprintf("%02d", n/5), fmt.Sprint(990+n/10))
	}
	short = append(slices.Compact(slices.Sorted(slices.Values(short))), "000", "911", "912", "800")
	exact := exactRegions(t)
	for _, region := range supportedRegions() {
		r := &dialing.Rules{Region: region, Allow: []string{"*", "+*"}}
		for _, e := range short {
			for _, dial := range []string{e, e + "5"} {
				_, err := r.Check(dial)
				reaches := phonenumbers.ConnectsToEmergencyNumber(dial, region)
				if reaches && !exact[region] || phonenumbers.IsEmergencyNumber(dial, region) {
					if !errors.Is(err, dialing.ErrDenied) {
						t.Errorf("%s: %s connects to an emergency number and is not refused", region, dial)
					}
				}
			}
		}
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PAGER} {
			n := phonenumbers.GetExampleNumberForType(region, kind)
			if n == nil {
				continue
			}
			if _, err := r.Check(phonenumbers.Format(n, phonenumbers.E164)); !errors.Is(err, dialing.ErrDenied) {
				t.Errorf("%s: %v: %v, want ErrDenied", region, phonenumbers.Format(n, phonenumbers.E164), err)
			}
			r.Premium = true
			if _, err := r.Check(phonenumbers.Format(n, phonenumbers.E164)); err != nil {
				t.Errorf("%s: premium numbers permitted: %v", region, err)
			}
			r.Premium = false
		}
	}
}

func TestNumbersPermittedByNameAreDialled(t *testing.T) {
	for _, test := range []struct {
		name, dial string
		rules      *dialing.Rules
		err        error
	}{
		{"an emergency number in emergency", "112", &dialing.Rules{Region: "DE", Emergency: []string{"112"}}, nil},
		{"an emergency number in allow", "112", &dialing.Rules{Region: "DE", Allow: []string{"112"}}, nil},
		{"another emergency number", "110", &dialing.Rules{Region: "DE", Allow: []string{"*"}, Emergency: []string{"112"}}, dialing.ErrDenied},
		{"a mask is no name", "112", &dialing.Rules{Region: "DE", Allow: []string{"11x", "112*", "[12]12"}}, dialing.ErrDenied},
		{"a longer number that begins with one permitted", "11234567", &dialing.Rules{Region: "DE", Allow: []string{"*"}, Emergency: []string{"112"}}, nil},
		{"deny is stronger", "112", &dialing.Rules{Region: "DE", Emergency: []string{"112"}, Deny: []string{"11x"}}, dialing.ErrDenied},
		{"a premium number in allow", "19005550100", &dialing.Rules{Region: "US", Allow: []string{"19005550100"}}, nil},
		{"a premium number by a mask", "19005550100", &dialing.Rules{Region: "US", Allow: []string{"1900x*"}}, dialing.ErrDenied},
		{"premium numbers permitted, by a mask", "19005550100", &dialing.Rules{Region: "US", Allow: []string{"1900x*"}, Premium: true}, nil},
		{"premium numbers permitted, no mask", "19005550100", &dialing.Rules{Region: "US", Premium: true}, dialing.ErrDenied},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.rules.Check(test.dial); !errors.Is(err, test.err) {
				t.Errorf("Check(%q) = %v, want %v", test.dial, err, test.err)
			}
		})
	}
}

func TestPremiumNumbersAreRefusedInEveryNotation(t *testing.T) {
	for _, test := range []struct{ name, region, dial string }{
		{"national", "US", "1 900 555 0100"},
		{"without the trunk prefix", "US", "900 555 0100"},
		{"international", "US", "+1 900 555 0100"},
		{"from abroad", "DE", "001 900 555 0100"},
		{"shared cost", "GB", "0845 46 47 000"},
		{"another country's", "US", "011 49 900 1234567"},
		{"international premium rate", "US", "+979 1 2345 6789"},
		{"a satellite telephone", "US", "+881 6 1234 5678"},
		{"behind an outside prefix", "US", "9 1 900 555 0100"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := allowAll()
			r.Region, r.OutsidePrefix = test.region, []string{"9"}
			if _, err := r.Check(test.dial); !errors.Is(err, dialing.ErrDenied) || !strings.Contains(err.Error(), "premium") {
				t.Errorf("Check(%q) = %v, want ErrDenied for a premium number", test.dial, err)
			}
		})
	}
}

func TestAnalogueLinesDialPlusAsTheirCountryDoes(t *testing.T) {
	for _, test := range []struct {
		name, number, want string
		rules              *dialing.Rules
	}{
		{"no plus", "5550100", "5550100", &dialing.Rules{Region: "US"}},
		{"at home in the US", "+12125550100", "12125550100", &dialing.Rules{Region: "US"}},
		{"abroad from the US", "+442079460000", "011442079460000", &dialing.Rules{Region: "US"}},
		{"at home in Britain", "+442079460000", "02079460000", &dialing.Rules{Region: "GB"}},
		{"abroad from Britain", "+12125550100", "0012125550100", &dialing.Rules{Region: "GB"}},
		{"at home in Italy, without trunk prefix", "+390612345678", "0612345678", &dialing.Rules{Region: "IT"}},
		{"a prefix of one's own", "+12125550100", "001812125550100", &dialing.Rules{Region: "AU", InternationalPrefix: "0018"}},
		{"behind a PBX", "+12125550100", "912125550100", &dialing.Rules{Region: "US", OutsidePrefix: []string{"9", "8"}}},
		{"no region", "+12125550100", "0012125550100", &dialing.Rules{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.rules.Allow = []string{"*", "+*"}
			if got, err := test.rules.Check(test.number); err != nil || got.On(false) != test.want {
				t.Errorf("Check(%q) = %q on an analogue line, %v, want %q", test.number, got.On(false), err, test.want)
			}
		})
	}
}

func TestMasksThatAreNoneAreTold(t *testing.T) {
	for mask, want := range map[string]string{
		"":                       "1 to 100",
		strings.Repeat("x", 101): "1 to 100",
		"1*2":                    `\*`,
		"*1":                     `\*`,
		"[2-9":                   "[2-9]",
		"[]":                     "[2-9]",
		"[9-2]x":                 "[135]",
		"[2-]":                   "[135]",
		"[a-f]":                  "[135]",
		"[2,3]":                  "[135]",
		"555 0100":               "separators",
		"555-0100":               "separators",
		"1NXXNXXXXXX":            "'N'",
		"_X.":                    "'_'",
		"1+5":                    "'+'",
		`1\x`:                    `'\\'`,
		"Ü":                      "'Ü'",
	} {
		if err := dialing.CheckMask(mask); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckMask(%q) = %v, want it to mention %s", mask, err, want)
		}
	}
	for _, mask := range []string{"x", "X*", "*", "+*", "[2-9]xx[135]", "[13-57]", `\*\*21\*x*`, "#31#x*", "0"} {
		if err := dialing.CheckMask(mask); err != nil {
			t.Errorf("CheckMask(%q) = %v", mask, err)
		}
	}
}

func TestRegions(t *testing.T) {
	for region, want := range map[string]bool{"US": true, "GB": true, "DE": true, "us": false, "UK": false, "": false, "001": false} {
		if got := dialing.KnownRegion(region); got != want {
			t.Errorf("KnownRegion(%q) = %v", region, got)
		}
	}
}

// A number that is let through is one that a modem may be given, and every rule holds for
// it in its final form.
func FuzzCheck(f *testing.F) {
	for _, dial := range []string{"5550100", "+1 (212) 555-0100", "tel:911", "tel:+1;ext=1", "**21*1#", "0112", "*67911", "1,2;3", "１", "\xff", "+", ""} {
		f.Add(dial, "US", "")
		f.Add(dial, "DE", "0")
	}
	f.Fuzz(func(t *testing.T, dial, region, outside string) {
		r := &dialing.Rules{Region: region, Allow: []string{"*", "+*", `\*xx#`, `\*x*`, "#xx#x*"}}
		if outside != "" && strings.Trim(outside, "0123456789") == "" {
			r.OutsidePrefix = []string{outside}
		}
		number, err := r.Check(dial)
		if err != nil {
			if number.String() != "" || !errors.Is(err, dialing.ErrNumber) && !errors.Is(err, dialing.ErrDenied) {
				t.Fatalf("Check(%q) = %q, %v", dial, number, err)
			}
			return
		}
		if len(number.String()) > 21 || strings.Trim(strings.TrimPrefix(number.String(), "+"), "0123456789*#") != "" {
			t.Fatalf("Check(%q) = %q", dial, number)
		}
		if again, err := r.Check(number.String()); err != nil || again != number {
			t.Fatalf("Check(Check(%q)) = %q, %v", dial, again, err)
		}
		for _, made := range []string{number.String(), number.On(false), number.On(true)} {
			if slices.Contains([]string{"112", "911", "999"}, strings.Trim(made, "+*#")) || phonenumbers.IsEmergencyNumber(made, region) {
				t.Fatalf("emergency number %q let through", made)
			}
		}
		if strings.ContainsAny(number.On(false), "+,;") {
			t.Fatalf("an analogue line would dial %q", number.On(false))
		}
	})
}
