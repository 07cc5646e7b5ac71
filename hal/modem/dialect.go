package modem

import (
	"strings"
	"time"
)

// Dialect is what differs between modems. A zero field is the standard's behaviour.
type Dialect struct {
	Name  string
	About string   // which modems, for a person
	GSM   bool     // TS 27.007, else V.253
	Match []string // any of these in what the modem says it is, regardless of case
	Init  []string // set-up commands; one that is refused is passed over

	Hangup  []string // in order, until one is answered OK
	NoAudio string   // why no sound can be sent through such a modem

	// Voice modems.
	VSM   string        // selects the voice format: "AT+VSM=128,8000"; "" chooses from +VSM=?
	Codec string        // the format that VSM selects, a name in codecs
	Ahead time.Duration // how much sound is kept queued in the modem; 0 is 300 ms

	// GSM modems.
	PCMSetup []string // before the call
	PCMOn    []string // once it is answered; any that is refused is tried again after PCMOff
	PCMOff   []string
	PCMGuess bool // PCMOn are several makers' commands: refused ones are passed over
	NoPoll   bool // +CLCC while dialling disturbs the call
}

// Dialects is every dialect, each in a file of its own. The last two are the generic ones.
var Dialects = []Dialect{
	conexant, usr, rockwell, multitech, lucent, silabs,
	sim800, sim7600, simcom, quectel, huawei,
	gsm, voice,
}

// Detect chooses the dialect for a modem that says of itself what ident says. A GSM modem
// that no dialect knows is told from a voice modem by its answer to +CGMI.
func Detect(ident []string) Dialect {
	all := strings.ToUpper(strings.Join(ident, "\n"))
	for _, d := range Dialects {
		for _, match := range d.Match {
			if strings.Contains(all, strings.ToUpper(match)) {
				return d
			}
		}
	}
	return voice
}
