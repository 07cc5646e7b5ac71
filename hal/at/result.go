package at

import "strings"

// class of a line with respect to the command that runs.
type class int

const (
	notFinal class = iota
	finalOK
	finalBad
)

// results are the final result codes of V.250 table 1 and what modems say instead; a value
// of true marks those that end only a dial command, and are unsolicited otherwise.
var results = map[string]struct {
	class class
	dial  bool
}{
	"OK":                    {finalOK, false},
	"ERROR":                 {finalBad, false},
	"COMMAND NOT SUPPORT":   {finalBad, false}, // SIM7600, some Huawei
	"VCON":                  {finalOK, true},   // Rockwell, V.253 in some firmware
	"VOICE":                 {finalOK, true},   // USRobotics
	"#VCON":                 {finalOK, true},   // Rockwell #CLS
	"NO CARRIER":            {finalBad, true},
	"NO ANSWER":             {finalBad, true},
	"BUSY":                  {finalBad, true},
	"NO DIALTONE":           {finalBad, true},
	"NO DIAL TONE":          {finalBad, true},
	"NO LINE":               {finalBad, true}, // Silicon Labs AN93
	"LINE IN USE":           {finalBad, true},
	"LINE-IN-USE":           {finalBad, true}, // Conexant -STE
	"DELAYED":               {finalBad, true},
	"BLACKLISTED":           {finalBad, true},
	"OPERATION NOT ALLOWED": {finalBad, false},
}

// numerics are the digits of ATV0 (V.250 table 1), heard before ATV1 has taken effect.
var numerics = map[string]string{
	"0": "OK", "4": "ERROR", "3": "NO CARRIER", "6": "NO DIALTONE", "7": "BUSY", "8": "NO ANSWER",
}

// resultClass classifies a whole line; a result code inside a longer line is none.
func resultClass(line string, dial bool) class {
	text := strings.TrimSpace(line)
	if r, ok := results[text]; ok {
		if r.dial && !dial {
			return notFinal
		}
		return r.class
	}
	switch {
	case isConnect(line):
		return finalOK
	// "+CME ERROR:" alone is not one; with nothing but a blank after it, it is.
	case strings.HasPrefix(line, "+CME ERROR: "), strings.HasPrefix(line, "+CMS ERROR: "),
		strings.HasPrefix(line, "+EXT ERROR: "), strings.HasPrefix(line, "MODEM ERROR: "):
		return finalBad
	}
	return notFinal
}

func isConnect(line string) bool {
	return line == "CONNECT" || strings.HasPrefix(line, "CONNECT ")
}

// callEnded says that a line without a command means the end of a call.
func callEnded(line string) bool {
	r, ok := results[strings.TrimSpace(line)]
	return ok && r.dial
}

func isEcho(line, cmd string) bool { return strings.EqualFold(strings.TrimSpace(line), cmd) }

func (p *pending) isFinal(line string) bool {
	if resultClass(line, p.cmd.Dial) != notFinal {
		return true
	}
	// Digits are result codes only where no information is asked for: AT+FCLASS? answers 8.
	if text, ok := numerics[line]; ok && p.cmd.Prefix == "" && !p.cmd.Dial {
		return resultClass(text, false) != notFinal
	}
	return false
}

// isInfo says whether line is information that the command asked for.
func (p *pending) isInfo(line string) bool {
	switch p.cmd.Prefix {
	case "":
		return false
	case Any:
		return !IsURC(line)
	}
	return strings.HasPrefix(line, p.cmd.Prefix)
}

// urcs are the beginnings of lines that come without being asked for.
var urcs = []string{
	"RING", "+CRING:", "+CLIP:", "+CCWA:", "VOICE CALL:", "MISSED_CALL:", "^DSCI:", "^ORIG:", "^CONF:",
	"^CONN:", "^CEND:", "*ECAV:", "^SLCC:", "^CIEV:", "+RXDTMF:", "+DTMF:", "+QTONEDET:", "+QIND:", "+CMTI:", "+CIEV:",
	"^RSSI:", "^BOOT:", "^MODE:", "DATE", "TIME", "NMBR", "NAME", "DRON=", "DROF=", "DTMF=", "ANID=", "USER=",
	"PASS=", "CDID=", "NDID=", "CALLID",
}

// IsURC says whether a line is a known unsolicited result code, whatever command runs.
func IsURC(line string) bool {
	if callEnded(line) {
		return true
	}
	for _, u := range urcs {
		if strings.HasPrefix(line, u) {
			return true
		}
	}
	return false
}
