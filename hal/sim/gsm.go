package sim

import (
	"fmt"
	"strings"
	"time"
)

// gsmModem is a GSM or LTE modem by TS 27.007, with one call at a time and its sound on a
// second port.
type gsmModem struct {
	*dce
	set map[string]string // what settings were set to

	call   *call
	told   phase         // the last that the host was told of
	caller *Caller       // of an incoming call
	waits  *Caller       // who calls while a call is up
	since  time.Duration // when they began to
	rings  int
	held   bool // the OK of ATD waits for the answer: +COLP=1
	cause  int  // of the last release
	key    byte
	keyFor time.Duration

	pcm   bool // sound is switched to the port
	odd   []byte
	said  []int16       // from the host, on its way to the network
	flows bool          // said has not run out since sound last came
	dry   time.Duration // when it did
	tone  beeper
	out   []byte
}

var _ modemKind = (*gsmModem)(nil)

// setting is a command that takes values and keeps them.
type setting struct {
	preset string
	most   int // of the first value
}

// settings are those whose effect is known where they are asked for, or that have none here.
var settings = map[string]setting{
	"+CMEE": {"0", 2}, "+CREG": {"0", 2}, "+CEREG": {"0", 5}, "+CGREG": {"0", 2}, "+CLIP": {"0", 1}, "+CLIR": {"0", 2},
	"+CRC": {"0", 1}, "+COLP": {"0", 1}, "+CVHU": {"1", 1}, "+CSSN": {"0,0", 1}, "+CCWA": {"0", 1}, "+CMOD": {"0", 3},
	"+DDET": {"1", 1}, "+QTONEDET": {"1", 1}, "^DSCI": {"0", 1}, "^CURC": {"1", 1}, "+CPCMFRM": {"0", 1}, "+CPCMBANDWIDTH": {"1,0", 2},
	"+CLVL": {"5", 15}, "+CMUT": {"0", 1}, "+COUTGAIN": {"4", 8}, "+CMICGAIN": {"4", 8}, "+CFUN": {"1", 7}, "+CMGF": {"0", 1},
	"+CNMI": {"2", 3}, "+CSCS": {"", 0}, "+QCFG": {"", 0}, "+QINDCFG": {"", 0}, "+CTZU": {"0", 1}, "+CTZR": {"0", 1}, "+CLTS": {"0", 1},
	"+CUSD": {"0", 2}, "+CSDVC": {"1", 5}, "+MORING": {"0", 1}, "+VTD": {"1", 255}, "+FCLASS": {"0", 0}, "+CSMS": {"0", 1}, "^CVOICE": {"0", 1},
}

func newGSMModem(d *dce) *gsmModem { return &gsmModem{dce: d} }

func (g *gsmModem) reset() { g.set = map[string]string{} }

func (g *gsmModem) value(name string) string {
	if s, is := g.set[name]; is {
		return s
	}
	return settings[name].preset
}

// on says that a setting's first value is not 0.
func (g *gsmModem) on(name string) bool { return !strings.HasPrefix(g.value(name), "0") }

// cme is an error as +CMEE wants it (TS 27.007 §9.2).
func (g *gsmModem) cme(code int, text string) result {
	switch g.value("+CMEE") {
	case "1":
		return result(fmt.Sprintf("+CME ERROR: %d", code))
	case "2":
		return result("+CME ERROR: " + text)
	}
	return fail
}

// command implements modemKind.
func (g *gsmModem) command(c command) (result, bool) {
	if s, is := settings[c.name]; is && c.op != 0 && !(c.op == '?' && registration[c.name]) {
		return g.setting(c, s), true
	}
	switch c.name {
	case "D":
		return g.dial(c.arg), true
	case "A":
		return g.answer(), true
	case "H":
		if g.p.path != simcomPath || !g.on("+CVHU") { // TS 27.007 §6.20
			g.release()
		}
		return ok, true
	case "+CHUP":
		g.release()
		return ok, true
	case "O":
		return noCarrier, true
	case "+VTS":
		return g.sendKeys(c), true
	case "+CRESET":
		g.powerOn()
		return ok, true
	}
	if r, is := g.switchSound(c); is {
		return r, true
	}
	if r, is := g.card(c); is {
		return r, true
	}
	return g.status(c)
}

func (g *gsmModem) setting(c command, s setting) result {
	switch c.op {
	case '?':
		return g.infof("%s: %s", c.name, g.value(c.name))
	case 't':
		return g.infof("%s: (0-%d)", c.name, s.most)
	}
	if n := c.ints()[0]; s.most > 0 && (n < 0 || n > s.most) {
		return g.cme(50, "Incorrect parameters")
	}
	g.set[c.name] = c.arg
	return ok
}

var registration = map[string]bool{"+CREG": true, "+CEREG": true, "+CGREG": true}

// status answers what asks for the modem's state.
func (g *gsmModem) status(c command) (result, bool) {
	f := g.faults()
	switch {
	case registration[c.name] && c.op == '?':
		mode, _, _ := strings.Cut(g.value(c.name), ",")
		return g.infof("%s: %s,%d", c.name, mode, g.registered(c.name)), true
	case c.name == "+CIREG" && c.op == '?':
		return g.infof("+CIREG: 0,%d", one(!f.NoIMS)), true
	case c.name == "+CSQ":
		if f.NoService || f.NoSIM {
			return g.info("+CSQ: 99,99"), true
		}
		return g.info("+CSQ: 21,99"), true
	case c.name == "+COPS" && c.op == '?':
		if f.NoService || f.NoSIM {
			return g.info("+COPS: 0"), true
		}
		return g.info(`+COPS: 0,0,"Simulated",7`), true
	case c.name == "+COPS", c.name == "+CPAS" && c.op != 0:
		return ok, true
	case c.name == "+CPAS":
		return g.infof("+CPAS: %d", g.activity()), true
	case c.name == "+CLCC":
		return g.list(c), true
	case c.name == "+CEER":
		if g.cause == 0 {
			return g.info("+CEER: No cause information available"), true
		}
		return g.infof("+CEER: 0,%d", g.cause), true
	case c.name == "+CIMI":
		return g.info("001010123456789"), true
	}
	return fail, false
}

// activity is +CPAS (TS 27.007 §8.1).
func (g *gsmModem) activity() int {
	switch {
	case g.call == nil:
		return 0
	case g.caller != nil:
		return 3
	}
	return 4
}

// list is +CLCC (TS 27.007 §7.18); SIMCom's AT+CLCC=1 makes it a URC too.
func (g *gsmModem) list(c command) result {
	switch c.op {
	case '=':
		g.set["+CLCC"] = c.arg
	case '?':
		return g.infof("+CLCC: %d", one(g.set["+CLCC"] == "1"))
	case 0:
		if lines := g.listed(); len(lines) > 0 {
			g.text(strings.Join(lines, "\r\n"))
		}
	}
	return ok
}

// listed are the lines of +CLCC: data connections, the call, who waits.
func (g *gsmModem) listed() (lines []string) {
	for i := range g.faults().Contexts {
		lines = append(lines, fmt.Sprintf(`+CLCC: %d,%d,0,1,0,"",128`, i+1, i%2))
	}
	if g.call != nil {
		lines = append(lines, g.clcc(g.stat()))
	}
	if g.waits != nil {
		lines = append(lines, g.clccWaiting(5))
	}
	return lines
}

// index is the call's in +CLCC; who waits has the next.
func (g *gsmModem) index() int { return g.faults().Contexts + 1 }

func (g *gsmModem) clccWaiting(stat int) string {
	return fmt.Sprintf(`+CLCC: %d,1,%d,0,0,"%s",129`, g.index()+1, stat, g.waits.Number)
}

// stat is the call's state as TS 27.007 §7.18 numbers it.
func (g *gsmModem) stat() int {
	switch {
	case g.call.phase == up:
		return 0
	case g.caller != nil:
		return 4
	case g.call.phase == ringing:
		return 3
	}
	return 2
}

func (g *gsmModem) clcc(stat int) string {
	number, kind := g.call.number, 129
	if strings.HasPrefix(number, "+") {
		kind = 145
	}
	return fmt.Sprintf(`+CLCC: %d,%d,%d,0,0,"%s",%d`, g.index(), one(g.caller != nil), stat, number, kind)
}

// switchSound switches sound to the port, in the way of the make.
func (g *gsmModem) switchSound(c command) (result, bool) {
	first := ""
	if c.op == '=' {
		first = c.args()[0]
	}
	switch {
	case c.name == "+CPCMREG" && g.p.path == simcomPath:
		if first == "1" && (g.call == nil || g.call.phase != up) {
			return fail, true // as a SIM7600 before the answer
		}
	case c.name == "+QPCMV" && g.p.path == quectelPath:
	case c.name == "^DDSETEX" && g.p.path == huaweiPath:
		if g.call == nil {
			return fail, true
		}
	default:
		return fail, false
	}
	switch {
	case c.op == '?':
		return g.infof("%s: %d", c.name, one(g.pcm)), true
	case c.op == 't':
		return g.infof("%s: (0-2)", c.name), true
	case first != "0" && first != "1" && first != "2":
		return fail, true
	}
	g.pcm = first != "0"
	g.said, g.odd, g.flows, g.dry = g.said[:0], g.odd[:0], false, 0
	return ok, true
}

// sendKeys is +VTS (TS 27.007 §C.2.11): one key, a list, or a key in quotes.
func (g *gsmModem) sendKeys(c command) result {
	if c.op != '=' {
		return ok
	}
	if g.call == nil || g.call.phase != up {
		return g.cme(3, "operation not allowed")
	}
	const length = 120 * time.Millisecond
	text := strings.ToUpper(strings.NewReplacer(`"`, "", ",", "", " ", "", "{", "", "}", "").Replace(c.arg))
	for _, key := range []byte(text) {
		if keyTones(key) == nil {
			return g.cme(50, "Incorrect parameters")
		}
	}
	for _, key := range []byte(text) {
		g.tone.key(key, length)
		g.tone.tone(nil, keyGap)
	}
	return ok
}
