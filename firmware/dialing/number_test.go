package dialing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"hookswitch/firmware/dialing"
)

func TestNumberIsWhatADialStringMeans(t *testing.T) {
	for _, test := range []struct{ name, dial, want string }{
		{"digits alone", "5550100", "5550100"},
		{"separators for the eye", " (555) 555-01.00/9 ", "55555501009"},
		{"an international number", "+1 555 555 0100", "+15555550100"},
		{"brackets before the plus", "(+44) 20 7946 0000", "+442079460000"},
		{"a tel URI", "tel:+1-555-555-0100", "+15555550100"},
		{"a tel URI in capitals", "TEL:5550100", "5550100"},
		{"star and hash", "*21#", "*21#"},
		{"twenty digits", strings.Repeat("1", 20), strings.Repeat("1", 20)},
		{"twenty digits and plus", "+" + strings.Repeat("1", 20), "+" + strings.Repeat("1", 20)},
		{"no-break spaces", "+49\u00a030\u202f123\u2007456", "+4930123456"},
		{"marks of direction, as Windows' contacts have them", "\u202a+49 30 123456\u202c", "+4930123456"},
		{"isolates", "\u2066+49 30 123456\u2069", "+4930123456"},
		{"zero-width spaces and joiners", "030\u200b12\u200c34\u200d56\u2060", "030123456"},
		{"a byte order mark", "\ufeff030123456", "030123456"},
		{"soft hyphens", "030\u00ad123\u00ad456", "030123456"},
		{"hyphens and dashes of every length", "030\u2010123\u2011456\u20127\u20138\u20149\u20150", "0301234567890"},
		{"a minus sign", "030\u2212123456", "030123456"},
		{"full-width separators", "（030）123－456　7", "0301234567"},
		{"a Mongolian vowel separator", "030\u180e123", "030123"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := dialing.Number(test.dial); err != nil || got != test.want {
				t.Errorf("Number(%q) = %q, %v, want %q", test.dial, got, err, test.want)
			}
		})
	}
}

func TestARefusedDialStringNamesTheCharacterOrTheRule(t *testing.T) {
	for dial, want := range map[string]string{
		"030 123O56": `'O' (U+004F)`, "555,0100": `','`, "5550100;": `';'`, "５５５": "'５' (U+FF15)", "555\x000100": `'\x00' (U+0000)`, "555\xff": "UTF-8",
		"tel:+15555550100;ext=12": `"ext"`, "1+5": "+ in the middle", "": "no digits", "+*21#": "no * and #",
		strings.Repeat("1", 21): "20 digits", "19005550100": "premium", "*67 911": "911", "0044": "short",
	} {
		r := allowAll()
		r.Allow = slices.DeleteFunc(r.Allow, func(mask string) bool { return mask == "xxxx" })
		if _, err := r.Check(dial); err == nil {
			t.Errorf("Check(%q) permits it", dial)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%q) = %v, want it to name %s", dial, err, want)
		}
	}
	for _, dial := range []string{"+441", "+4420794600001"} {
		if _, err := allowAll().Check(dial); err == nil || !strings.Contains(err.Error(), "7, 9, 10 digits after the code") {
			t.Errorf("Check(%q) = %v, want it to name the lengths", dial, err)
		}
	}
	denied := &dialing.Rules{Region: "US", Allow: []string{"x*"}, Deny: []string{"555013x"}}
	if _, err := denied.Check("5550130"); err == nil || !strings.Contains(err.Error(), "mask 555013x of the deny list") {
		t.Errorf("Check = %v, want the mask", err)
	}
}

func TestNumberRefusesWhatIsNone(t *testing.T) {
	for _, test := range []struct{ name, dial string }{
		{"nothing", ""},
		{"only separators", " - () "},
		{"only a plus", "+"},
		{"two pluses", "++15550100"},
		{"a plus in the middle", "1+555"},
		{"a pause", "555,0100"},
		{"a semicolon", "5550100;"},
		{"a second command", "5550100;+CPWROFF"},
		{"an at sign", "anna@example.com"},
		{"a bang", "!5550100"},
		{"an ampersand", "555&0100"},
		{"tone dialling", "T5550100"},
		{"pulse dialling", "p5550100"},
		{"a wait", "9W5550100"},
		{"letters", "555-CALL"},
		{"a DTMF letter", "555A"},
		{"a line end", "555\r\nATH"},
		{"a tab", "555\t0100"},
		{"a NUL", "555\x000100"},
		{"full-width digits", "５５５０１００"},
		{"a line separator", "555\u20280100"},
		{"a plus before a star", "+*21#"},
		{"a plus before a hash at the end", "+49301234#"},
		{"a letter that looks like a digit", "O30123456"},
		{"a superscript digit", "03012²"},
		{"Arabic digits", "٥٥٥٠١٠٠"},
		{"broken UTF-8", "555\xff"},
		{"an extension", "tel:+15555550100;ext=12"},
		{"a context", "tel:5550100;phone-context=+1"},
		{"another URI", "sip:5550100"},
		{"a tel URI twice", "tel:tel:5550100"},
		{"an escape", "555%300100"},
		{"21 digits", strings.Repeat("1", 21)},
		{"a megabyte", strings.Repeat("1", 1<<20)},
		{"a megabyte of separators", strings.Repeat(" ", 1<<20) + "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := dialing.Number(test.dial)
			if !errors.Is(err, dialing.ErrNumber) || got != "" {
				t.Errorf("Number = %q, %v, want ErrNumber", got, err)
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
		})
	}
}
