// Package dialect is what modems do differently, as data: one file for each make, with its
// commands, its words for what becomes of a call, and how its sound is had. The configuration
// takes names from it; hal/modem does what it says.
package dialect

import (
	"slices"
	"strings"
	"time"
)

// Dialect is what one family of modems does differently. A zero field is what the standard
// has. Commands that a modem refuses are passed over where nothing else is said: firmware
// differs within a family.
type Dialect struct {
	Name  string   // as in the configuration
	About string   // which modems, for a person
	GSM   bool     // TS 27.007, else V.253
	Maker string   // of GSM modems: what another maker's line is not; "" is anybody's
	Match []string // words of its identification, in capitals; "=5601" is a whole line
	Init  []string // set-up, beside what every modem of its kind is told

	Voice    // of a voice modem
	Cellular // of a GSM modem
}

// Voice is the part of a Dialect that voice modems have.
type Voice struct {
	Setup  []string      // set-up of voice mode, repeated before each call
	Format Format        // the one that is known to work; the zero one is chosen from +VSM=?
	Select []string      // how a format is selected, tried in order; nil is "AT+VSM=%d,8000" and the form with two zeroes
	Ahead  time.Duration // how much sound is kept queued in the modem, at the most; 0 is 240 ms
}

// Cellular is the part of a Dialect that GSM modems have.
type Cellular struct {
	NoAudio string      // why no sound can be had from such a modem; "" where it can
	Sound   []SoundTest // ways to find out whether sound can be had; one that is not refused is enough
	Before  []string    // before a call: a modem that refuses one of these can't be heard, and is not dialled with
	On      []string    // once the far end has answered
	Off     []string    // after the call
	Guess   bool        // Before and On are several makers' commands: one that is accepted is enough
	NoPoll  bool        // +CLCC while dialling disturbs the call: until the answer the modem's words are believed
	Words   []Word      // what it reports unasked of calls, beside +CLCC
	Reset   string      // restarts the module, where On has failed at first
}

// Auto is the dialect of a line that leaves the choice to what the modem says it is.
const Auto = "auto"

// All is every dialect; those that match a modem more closely come first.
var All = []Dialect{
	conexant, usr, rockwell, multitech, lucent, silabs, voice,
	sim800, dataOnly, sim7600, simcom, quectel, huawei, stericsson, gsm,
}

// Lookup finds a dialect by its name.
func Lookup(name string) (Dialect, bool) {
	i := slices.IndexFunc(All, func(d Dialect) bool { return d.Name == name })
	if i < 0 {
		return Dialect{}, false
	}
	return All[i], true
}

// Detect chooses the dialect for a modem that says of itself what ident says.
func Detect(ident []string, isGSM bool) Dialect {
	for _, d := range All {
		if d.GSM == isGSM && slices.ContainsFunc(d.Match, func(m string) bool { return matches(ident, m) }) {
			return d
		}
	}
	if isGSM {
		return gsm
	}
	return voice
}

func matches(ident []string, match string) bool {
	whole, isWhole := strings.CutPrefix(match, "=")
	return slices.ContainsFunc(ident, func(line string) bool {
		line = strings.ToUpper(strings.TrimSpace(line))
		return isWhole && line == whole || !isWhole && strings.Contains(line, match)
	})
}
