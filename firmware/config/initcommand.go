package config

import (
	"regexp"
	"strings"
)

// What init may hold is a list of what is harmless, not of what is not: modems know more ways
// to dial, answer and forward than anybody has written down (ATD, ATA, ATS0=1, +VLS, +CCFC,
// +CHLD, +CUSD and ATD*21*, ^DIAL …).
var (
	initCommand = regexp.MustCompile(`^[Aa][Tt][ -~]{1,120}$`)
	initDials   = regexp.MustCompile(`^AT[^+^*#"]*[DAO]|;[^+^*#"]*[DAO]|^AT.*\+(VLS|CDU|CHLD|CDV)|^AT.*S0+=`)
	initForward = regexp.MustCompile(`\+(CCFC|CUSD|CLCK|CPWD)`)

	// V.250 §6.2–6.3 and the registers of most voice modems: speaker, result codes, signals,
	// flow control; S6 to S11 are times of dialling, S25 and S30 those of DTR and idling.
	initBasic = regexp.MustCompile(`^(E0|V1|Q0|X[0-7]|W[0-2]|[LM][0-3]|&C1|&D[0-3]|&G[0-2]|&[HKIR][0-6]|&P[0-3]|&S[01]|` +
		`%[CE][0-3]|\\[GN][0-9]|S(6|7|8|9|10|11|25|29|30|91|92)=[0-9]{1,3})+$`)

	// T.35 country codes are the one value in hexadecimal.
	initExtended = regexp.MustCompile(`^(\+GCI=[0-9A-F]{2}|([+^*-][A-Z0-9]+)=(` + initValue + `(,` + initValue + `)*))$`)
)

const initValue = `(?:-?[0-9]{1,6}(?:\.[0-9]{1,2})?|"[A-Z0-9 _./:-]{0,64}")?`

// initNames are the extended commands that a line may be set up with: sound, tones and
// caller id; the serial port; a network's choice and what it tells.
var initNames = strings.Fields(`
	+FCLASS +VSM +VGT +VGR +VGM +VGS +VIT +VSD +VRA +VRN +VCID +VDR +VEM +VPR +VBT +VTD +VPP -STE
	+IPR +ICF +IFC +FLO +ILRR +MS +ES +DS +PCW +PMH
	+CLVL +CRSL +CMUT +CMIC +CSDVC +CECM +CHFA +SIDET +CTXVOL +CRXVOL +CPCMFRM +CPCMBANDWIDTH +DDET
	+QMIC +QRXGAIN +QAUDMOD +QGPSCFG +QSIDET +QEEC +QAUDCH +QDAI +QTONEDET ^CVOICE ^SWSPATH ^ECHO
	+CREG +CGREG +CEREG +COPS +CNMP +CMNB +CNBP +CGDCONT +QNWPREFCFG ^SYSCFG ^SYSCFGEX
	+CLIP +CLIR +COLP +CSSN +CCWA +CRC +CMEE +CTZU +CSCS +CNMI +CLCC +MORING ^CURC ^DSCI *ECAM`)

// initQCFG are the settings of +QCFG that are a network's choice.
var initQCFG = regexp.MustCompile(`^\+QCFG="(NWSCANMODE|NWSCANSEQ|BAND|IMS|SERVICEDOMAIN|TONE/INCOMING)"(,` + initValue + `)*$`)

// checkInit returns why a command may not stand in a line's init; "" is one that may.
func checkInit(cmd string) string {
	if !initCommand.MatchString(cmd) {
		return `%s is no AT command; write "AT+…"`
	}
	// Modems skip spaces and take small letters for capital ones (V.250 §5.2.1, §5.3).
	text := strings.ToUpper(strings.ReplaceAll(cmd, " ", ""))
	body := text[len("AT"):]
	if initBasic.MatchString(body) || initQCFG.MatchString(body) {
		return ""
	}
	if m := initExtended.FindStringSubmatch(body); m != nil {
		for _, name := range append(initNames, "") { // "" is +GCI's
			if m[2] == name {
				return ""
			}
		}
	}
	switch {
	case strings.Contains(text, "+CPIN"):
		return "%s: a wrong PIN that is given again and again blocks the SIM; write sim_pin instead"
	case initForward.MatchString(text):
		return "%s would forward or bar calls; remove it"
	case initDials.MatchString(text):
		return "%s would make or take a call; remove it"
	case strings.ContainsAny(text, ";+") && !strings.HasPrefix(body, "+") || strings.Contains(text, ";"):
		return "%s is more than one command; write each in quotes of its own"
	}
	return "%s is not among the commands that are known to be harmless here: those of sound (AT+VGT=128, AT+CLVL=5), " +
		"of the port (AT+IFC=2,2, AT&K3) and of the network's choice (AT+COPS=…)"
}

// quoteInit is a command as it is told: a PIN in it is not.
func quoteInit(cmd string) string {
	if i := strings.Index(strings.ToUpper(cmd), "CPIN"); i >= 0 {
		cmd = cmd[:i+len("CPIN")] + "…"
	}
	return quote(cmd)
}
