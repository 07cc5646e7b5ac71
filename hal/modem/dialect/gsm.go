package dialect

import "slices"

// gsm is any modem that follows TS 27.007 and has its sound on a second port. Which maker's
// command opens that port is tried out: the others are refused.
var gsm = Dialect{
	Name: "gsm", About: "any GSM or LTE modem (TS 27.007) with an audio port", GSM: true,
	Init: []string{"AT+CLCC=1", "AT^DSCI=1", "AT+DDET=1", "AT+QTONEDET=1"},
	Cellular: Cellular{
		Sound:  anySound,
		Before: []string{"AT+QPCMV=1,0"},
		On:     []string{"AT+CPCMREG=1", "AT^DDSETEX=2"},
		Off:    []string{"AT+CPCMREG=0", "AT+QPCMV=0"},
		Guess:  true,
	},
}

// anySound is every way that is known.
var anySound = slices.Concat([]SoundTest{simcomSound, quectelSound}, huaweiSound)
