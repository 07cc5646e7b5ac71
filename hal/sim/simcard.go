package sim

import (
	"fmt"
	"strings"
)

// simCard is a SIM that asks for its PIN each time the modem has got its power.
type simCard struct {
	pin  string // "" asks for none
	left int    // tries for it
	open bool   // it has been given
}

// simTries is how often a SIM lets itself be given a wrong PIN.
const simTries = 3

// LockSIM makes the GSM modem's SIM ask for a PIN, now and after each start of the modem. At
// the third wrong one it blocks itself.
func (l *Line) LockSIM(pin string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sim = simCard{pin: pin, left: simTries}
}

// PINTries is how many tries for its PIN the SIM has left.
func (l *Line) PINTries() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sim.left
}

// relock is what the SIM does when the modem starts.
func (l *Line) relock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sim.open = false
}

// locked is what the SIM asks for: "READY", "SIM PIN", "SIM PUK".
func (l *Line) locked() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.sim.pin == "" || l.sim.open:
		return "READY"
	case l.sim.left == 0:
		return "SIM PUK"
	}
	return "SIM PIN"
}

// unlock gives the SIM a PIN.
func (l *Line) unlock(pin string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pin != l.sim.pin {
		l.sim.left = max(0, l.sim.left-1)
		return false
	}
	l.sim.left, l.sim.open = simTries, true
	return true
}

// card answers what is about the SIM; handled is false for what is not.
func (g *gsmModem) card(c command) (r result, handled bool) {
	switch {
	case g.faults().NoSIM && (c.name == "+CPIN" || c.name == "+CCID"):
		return g.cme(10, "SIM not inserted"), true
	case c.name == "+CCID":
		return g.info("+CCID: 8949020000123456789"), true
	case c.name == "+CPIN" && c.op == '=' && g.locked() == "SIM PIN":
		if !g.unlock(c.args()[0]) {
			return g.cme(16, "incorrect password"), true
		}
		g.behind = func() { g.text("+CPIN: READY") }
		return ok, true
	case c.name == "+CPIN" && c.op == '=':
		return g.cme(3, "operation not allowed"), true
	case c.name == "+CPIN":
		return g.infof("+CPIN: %s", g.locked()), true
	case c.name == "+SPIC" && g.p.path == simcomPath:
		return g.infof("+SPIC: %d,10,3,10", g.PINTries()), true
	case c.name == "+QPINC" && g.p.path == quectelPath:
		return g.info(fmt.Sprintf(`+QPINC: "SC",%d,10`, g.PINTries()), `+QPINC: "P2",3,10`), true
	case c.name == "^CPIN" && g.p.path == huaweiPath:
		return g.infof("^CPIN: %s,%d,10,%d,10,3", g.locked(), g.PINTries(), g.PINTries()), true
	}
	return fail, false
}

// registered is what a registration command tells: +CREG of calls, +CEREG of LTE.
func (g *gsmModem) registered(name string) int {
	f := g.faults()
	switch {
	case f.NoService || f.NoSIM || strings.HasSuffix(g.locked(), "PIN") || strings.HasSuffix(g.locked(), "PUK"):
		return 2 // searching
	case name == "+CREG" && f.CREG != 0:
		return f.CREG
	}
	return 1
}
