package modem

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

// gsmInit is what every GSM modem is told. CMEE=1 gives errors numbers, CREG and CEREG tell
// when the network is lost; with COLP=1 the OK of ATD would wait for the answer; CVHU=0 makes
// ATH hang up; S0=0 is never to answer by itself; CLIP and CCWA tell who calls, and that somebody
// calls while a call is up. Without its second parameter +CCWA changes nothing in the network.
var gsmInit = []string{
	"ATS0=0", "AT+CMEE=1", "AT+CREG=1", "AT+CEREG=1", "AT+COLP=0", "AT+CVHU=0",
	"AT+CLIP=1", "AT+CCWA=1",
}
