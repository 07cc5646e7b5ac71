package dialing_test

import (
	"errors"
	"strings"
	"testing"

	"hookswitch/firmware/dialing"
)

// What was seen on the wire.
func TestWhatIsDialledIsWhatWasJudged(t *testing.T) {
	for _, test := range []struct {
		name, region     string
		outside, allow   []string
		dial             string
		analogue, mobile string // "" is refused
	}{
		{"a trunk prefix that would have made 00881, a satellite", "DE", nil, []string{"+49x*"}, "+49 0 881 612 345 678", "0881612345678", "+49881612345678"},
		{"a country code and what would have made 000", "AU", nil, []string{"+61*"}, "+6100", "", ""},
		{"a country code and what would have made 911", "US", []string{"9"}, []string{"+1*"}, "+11", "", ""},
		{"the usual British way, at home", "GB", nil, []string{"+44x*"}, "+44 (0)20 7946 0000", "02079460000", "+442079460000"},
		{"the usual British way, abroad", "DE", nil, []string{"+44x*"}, "+44 (0)20 7946 0000", "00442079460000", "+442079460000"},
		{"the usual British way, after an international prefix", "DE", nil, []string{"+44x*"}, "0044 (0)20 7946 0000", "00442079460000", "+442079460000"},
		{"the Italian way keeps its 0", "DE", nil, []string{"+39x*"}, "+39 06 6982 1234", "00390669821234", "+390669821234"},
		{"the Italian way keeps its 0 in brackets", "DE", nil, []string{"+39x*"}, "+39 (0)6 6982 1234", "00390669821234", "+390669821234"},
		{"the Russian way", "DE", nil, []string{"+7x*"}, "+7 (8) 495 123-45-67", "0074951234567", "+74951234567"},
		{"brackets that are an area code", "DE", nil, []string{"+1x*"}, "+1 (212) 555-0100", "0012125550100", "+12125550100"},
		{"two trunk prefixes", "GB", nil, []string{"+44*"}, "+44 (0)0 20 7946 0000", "", ""},
		{"a national number allowed in international form", "DE", nil, []string{"+4930x*"}, "030 123456", "030123456", "030123456"},
		{"an international number allowed in national form", "DE", nil, []string{"030x*"}, "+49 30 123456", "030123456", "+4930123456"},
		{"ten digits in North America take a mask of ten", "US", nil, []string{"1[2-9]xxxxxxxxx"}, "212 555 0100", "", ""},
		{"a mask of seven digits is no mask of a number far away", "US", nil, []string{"[2-9]xxxxxx"}, "+1 212 555 0100", "", ""},
		{"behind a PBX a mobile line dials without its prefix", "US", []string{"9"}, []string{"91[2-9]xxxxxxxxx"}, "9 1 212 555 0100", "912125550100", "12125550100"},
		{"a local number behind a PBX", "US", []string{"9"}, []string{"9[2-9]xxxxxx"}, "9 555 0100", "95550100", "5550100"},
		{"an extension", "US", []string{"9"}, []string{"xxxx"}, "2110", "2110", "2110"},
		{"Argentina's mobile numbers", "AR", nil, []string{"+54x*"}, "+54 9 11 2345 6789", "0111523456789", "+5491123456789"},
		{"Australia's numbers without a trunk prefix", "AU", nil, []string{"+61x*"}, "+61 1800 123 456", "1800123456", "+611800123456"},
		{"where the carrier is the owner's choice an analogue line has no +", "BR", nil, []string{"+44x*"}, "+44 20 7946 0000", "", "+442079460000"},
		{"too few digits for its country", "DE", nil, []string{"+44x*"}, "+44 20 79", "", ""},
		{"too many digits for its country", "US", nil, []string{"+44x*"}, "+44 20 7946 0000 0", "", ""},
		{"no country", "DE", nil, []string{"+*"}, "+999 1234567", "", ""},
		{"no country, satellite of old", "DE", nil, []string{"+*"}, "+888 12345678901", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &dialing.Rules{Region: test.region, OutsidePrefix: test.outside, Allow: test.allow}
			d, err := r.Check(test.dial)
			if d.On(false) != test.analogue || d.On(true) != test.mobile || (err == nil) != (test.mobile != "") {
				t.Errorf("Check(%q) = %q on an analogue line, %q on a mobile one, %v, want %q and %q", test.dial, d.On(false), d.On(true), err, test.analogue, test.mobile)
			}
		})
	}
}

func TestACallAbroadTakesAMaskThatNamesIt(t *testing.T) {
	at := []string{"[2-9]xxxxxx", "1[2-9]xxxxxxxxx"}
	for _, test := range []struct {
		name, region string
		allow        []string
		dial         string
		ok           bool
	}{
		{"at home", "US", at, "1 212 555 0100", true},
		{"Jamaica by the masks of home", "US", at, "1 876 555 0100", false},
		{"Jamaica in international form", "US", append(at, "+1x*"), "+1 876 555 0100", false},
		{"the Dominican Republic", "US", at, "1 809 555 0100", false},
		{"Antigua", "US", at, "1 268 464 1234", false},
		{"Grenada", "US", at, "1 473 403 1234", false},
		{"Canada", "US", at, "1 416 555 0100", false},
		{"Canada by its area code", "US", append(at, "1416xxxxxxx"), "1 416 555 0100", true},
		{"Jamaica by its area code", "US", append(at, "+1876x*"), "1 876 555 0100", true},
		{"Jamaica by part of its area code", "US", append(at, "187xxxxxxxx"), "1 876 555 0100", false},
		{"any country", "US", append(at, "+*"), "1 876 555 0100", true},
		{"any country by the international prefix", "US", append(at, "011x*"), "1 876 555 0100", true},
		{"Puerto Rico is billed as at home", "US", at, "1 787 234 5678", true},
		{"freephone", "US", at, "1 800 234 5678", true},
		{"the United States from Canada", "CA", at, "1 212 555 0100", false},
		{"Canada from Canada", "CA", at, "1 416 555 0100", true},
		{"the Caribbean from another continent", "DE", []string{"+1x*"}, "+1 876 555 0100", false},
		{"the Caribbean from another continent, named", "DE", []string{"+1876x*"}, "+1 876 555 0100", true},
		{"Canada from another continent", "DE", []string{"+1x*"}, "+1 416 555 0100", true},
		{"Kazakhstan from Russia", "RU", []string{"8x*", "+7x*"}, "8 727 234 5678", false},
		{"Kazakhstan from Russia, named", "RU", []string{"+77x*"}, "8 727 234 5678", true},
		{"Jersey from Britain", "GB", []string{"0x*", "+44x*"}, "01534 456789", false},
		{"a mobile of Guernsey from Britain", "GB", []string{"0x*", "+44x*"}, "07781 123456", false},
		{"Jersey from Britain, named", "GB", []string{"01534x*"}, "01534 456789", true},
		{"Britain from Jersey", "JE", []string{"0x*"}, "020 7946 0000", true},
		{"the Vatican from Italy", "IT", []string{"06x*"}, "06 698 12345", true},
		{"Svalbard from Norway", "NO", []string{"xxxxxxxx"}, "79 12 34 56", true},
		{"the Netherlands' Bonaire from Curaçao", "CW", []string{"xxxxxxx", "xxxxxxxx"}, "715 1234", false},
		{"a mask of home that begins like the international prefix", "DE", []string{"0x*"}, "0044 20 7946 0000", false},
		{"everything that begins with a digit", "DE", []string{"*"}, "0044 20 7946 0000", false},
		{"the international prefix", "DE", []string{"00x*"}, "0044 20 7946 0000", true},
		{"after a code that hides the caller", "US", []string{`\*67x*`}, "*67 011 44 20 7946 0000", false},
		{"after a code that hides the caller, named", "US", []string{`\*67011x*`}, "*67 011 44 20 7946 0000", true},
		{"after a code that hides the caller, by + alone", "US", []string{`\*67x*`, "+44x*"}, "*67 011 44 20 7946 0000", true},
		{"Jamaica after a code", "US", []string{`\*67x*`}, "*67 1 876 555 0100", false},
		{"after a carrier's code", "US", []string{"1010288x*"}, "1010288 011 65 6123 4567", false},
		{"home after a carrier's code", "US", []string{"1010288x*"}, "1010288 1 212 555 0100", true},
		{"through the operator", "US", []string{"0x*"}, "01 44 20 7946 0000", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &dialing.Rules{Region: test.region, Allow: test.allow}
			d, err := r.Check(test.dial)
			if (err == nil) != test.ok || !test.ok && !strings.Contains(err.Error(), "abroad") {
				t.Errorf("Check(%q) = %s, %v, want permitted %t", test.dial, d, err, test.ok)
			}
		})
	}
}

func TestDomesticLookingPremiumNumbersAreRefused(t *testing.T) {
	for _, dial := range []string{
		"976 5551", "1 976 5551", "1 212 976 5551", "212 976 5551", "+1 212 976 5551", "1 900 555 1234", "1 700 555 1234", "1 500 234 5678", "1 533 234 5678",
		"0 900 555 1234", "1 900 555 1234 99", "*67 976 5551", "1010288 1 900 555 1234", "1167 1 900 555 1234",
	} {
		r := allowAll()
		if d, err := r.Check(dial); !errors.Is(err, dialing.ErrDenied) || !strings.Contains(err.Error(), "premium") {
			t.Errorf("Check(%q) = %s, %v, want ErrDenied for a premium number", dial, d, err)
		}
	}
}

func TestACodeBeforeAPrefixHidesNothing(t *testing.T) {
	for _, test := range []struct{ region, dial string }{
		{"DE", "#31#01013 0900 1234567"}, {"DE", "*31#01013 112"}, {"DE", "#31#010013 00881 612345678"},
		{"GB", "*67 1470 999"}, {"GB", "*67 141 0909 8790000"}, {"US", "*67 1010288 976 5551"}, {"US", "*67 101028 8911"},
		{"GB", "141 1280 0909 8790000"}, {"GB", "1470 141 999"}, {"AU", "1831 1411 1900 654 321"}, {"AU", "1831 000"}, {"IE", "141 1520 123 456"},
		{"FR", "3651 0899 123456"}, {"JP", "184 0990 123456"}, {"JP", "184 110"}, {"BR", "0 21 0900 123456"},
	} {
		r := allowAll()
		r.Region = test.region
		if d, err := r.Check(test.dial); err == nil {
			t.Errorf("%s: Check(%q) = %s, dialled %s and %s", test.region, test.dial, d, d.On(false), d.On(true))
		}
	}
}

func TestAShortNumberTakesAMaskOfItsLength(t *testing.T) {
	for _, test := range []struct {
		region, mask, dial string
		ok                 bool
	}{
		{"DE", "*", "11833", false}, {"DE", "1x*", "11833", false}, {"DE", "xxxxx", "11833", true}, {"DE", "11833", "11833", true},
		{"GB", "x*", "118118", false}, {"GB", "118xxx", "118118", true}, {"US", "*", "411", false}, {"US", "x11", "411", true},
		{"GB", "141x*", "141 118118", false}, {"GB", "141118118", "141 118118", true}, {"US", "*", "0", false}, {"US", "*", "00", false},
		{"NO", "x*", "02000", true}, // an ordinary number there
	} {
		r := &dialing.Rules{Region: test.region, Allow: []string{test.mask}}
		if d, err := r.Check(test.dial); (err == nil) != test.ok || !test.ok && !errors.Is(err, dialing.ErrDenied) {
			t.Errorf("%s, mask %s: Check(%q) = %s, %v, want permitted %t", test.region, test.mask, test.dial, d, err, test.ok)
		}
	}
}

// A country code in front makes no ordinary number of a short one: +49 11833 is what a
// mobile telephone's address book makes of directory enquiries.
func TestAShortNumberIsOneBehindItsCountryCode(t *testing.T) {
	for _, test := range []struct {
		region, allow, dial string
		ok                  bool
	}{
		{"DE", "+49x*", "+49 11833", false},
		{"DE", "0x*", "0049 118 33", false},
		{"GB", "+44x*", "+44 118 118", false},
		{"AT", "0x*", "118 877", false}, // libphonenumber has it among the ordinary numbers
		{"AT", "118xxx", "118 877", true},
		{"IT", "+39x*", "+39 06 6982", true}, // the Vatican's, and an ordinary one
	} {
		r := &dialing.Rules{Region: test.region, Allow: []string{test.allow}}
		if d, err := r.Check(test.dial); (err == nil) != test.ok {
			t.Errorf("%s, mask %s: Check(%q) = %v, %v, want permitted %v", test.region, test.allow, test.dial, d, err, test.ok)
		}
	}
}

// Whoever has no PBX in mind types a national number, which may begin as its prefix does.
func TestAMobileLineDialsANationalNumberThatBeginsAsThePBXsPrefixDoes(t *testing.T) {
	for _, test := range []struct{ region, outside, dial, mobile string }{
		{"DE", "0", "0881/612345", "0881612345"},
		{"DE", "0", "0 0881/612345", "0881612345"},
		{"DE", "0", "0049 881 612345", "+49881612345"},
		{"DE", "0", "0 0049 881 612345", "+49881612345"},
		{"FR", "0", "01 23 45 67 89", "0123456789"},
		{"FR", "0", "0 01 23 45 67 89", "0123456789"},
		{"AU", "0", "(02) 9374 4000", "0293744000"},
		{"US", "9", "9 1 212 555 0100", "12125550100"},
		{"US", "9", "972 555 0100", "9725550100"},
	} {
		r := &dialing.Rules{Region: test.region, OutsidePrefix: []string{test.outside}, Allow: []string{"x*"}}
		if d, err := r.Check(test.dial); err != nil || d.On(true) != test.mobile {
			t.Errorf("%s, prefix %s: Check(%q) dials %q on a mobile line, %v, want %q", test.region, test.outside, test.dial, d.On(true), err, test.mobile)
		}
	}
}

// Réunion, Guadeloupe, Guyana and Martinique are dialled from Europe as if they were at home.
func TestFrenchNumbersOverseasTakeAMaskThatNamesThem(t *testing.T) {
	for _, dial := range []string{"0262 20 12 34", "0692 12 34 56", "0590 20 12 34", "0594 10 12 34", "0596 30 12 34", "0696 20 12 34", "+33 262 20 12 34"} {
		for allow, want := range map[string]bool{"0x*": false, "+33x*": false, "0" + strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimPrefix(dial, "0"), "+33 ")), "")[:3] + "x*": true} {
			r := &dialing.Rules{Region: "FR", Allow: []string{allow}}
			if d, err := r.Check(dial); (err == nil) != want {
				t.Errorf("mask %s: Check(%q) = %v, %v, want permitted %v", allow, dial, d, err, want)
			}
		}
	}
	r := &dialing.Rules{Region: "FR", Allow: []string{"0x*"}}
	if _, err := r.Check("01 23 45 67 89"); err != nil {
		t.Errorf("Paris: %v", err)
	}
}

// What can't be placed in a country that shares its code is not called a call abroad.
func TestAnUnknownNumberAtHomeIsSaidToBeUnknown(t *testing.T) {
	for _, test := range []struct{ region, dial, want string }{
		{"GB", "+44 0044 20 7946 0000", "is no number of its country"},
		{"US", "+1 710 555 1234", "is no number of US that is known"},
	} {
		_, err := (&dialing.Rules{Region: test.region, Allow: []string{"+44x*", "+1xxxxxxxxxx"}}).Check(test.dial)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "abroad") {
			t.Errorf("Check(%q) = %v, want %q", test.dial, err, test.want)
		}
	}
}
