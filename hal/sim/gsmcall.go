package sim

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Release causes (ITU-T Q.850).
const (
	causeUnallocated = 1
	causeNormal      = 16
	causeBusy        = 17
	causeNoAnswer    = 19
)

const (
	networkRings = 180 * time.Second // TS 24.008 T301
	busyTold     = 700 * time.Millisecond
	ringAgain    = 5 * time.Second
	saidLimit    = rate // samples from the host: then its writes wait
	dryShort     = 200 * time.Millisecond
)

// dial is ATD…; without the semicolon it would be a data call, which finds no carrier.
func (g *gsmModem) dial(text string) result {
	text, voice := strings.CutSuffix(strings.TrimSpace(text), ";")
	f := g.faults()
	switch {
	case !voice:
		return noCarrier
	case f.NoSIM:
		return g.cme(10, "SIM not inserted")
	case f.NoService:
		return g.cme(30, "No network service")
	case g.call != nil:
		return g.cme(3, "operation not allowed")
	}
	number := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789*#+ABCD", r) {
			return r
		}
		return -1
	}, strings.ToUpper(text))
	if number == "" {
		return g.cme(50, "Incorrect parameters")
	}
	g.begin(newCall(g.x, number))
	if g.on("+COLP") {
		g.held = true
		return later
	}
	g.behind = func() { g.announce(routing) } // ^ORIG comes behind the OK
	return ok
}

func (g *gsmModem) begin(c *call) {
	g.call, g.told, g.cause = c, routing, 0
	g.said, g.odd, g.flows, g.dry, g.tone = g.said[:0], g.odd[:0], false, 0, beeper{}
	g.setHeard(c.heard)
	g.setModem(true)
}

// incoming implements modemKind.
func (g *gsmModem) incoming(from Caller) {
	if g.call != nil {
		g.wait(from)
		return
	}
	c := newCall(g.x, "")
	c.number, c.end, c.phase = from.Number, from.End, ringing
	c.end.Rings = -1
	g.call, g.told, g.caller, g.rings = c, ringing, &from, 0
}

// wait lets somebody call while a call is up, which is told and nothing more: nobody here
// answers two.
func (g *gsmModem) wait(from Caller) {
	if g.waits != nil {
		return
	}
	g.waits, g.since = &from, g.now
	if g.on("+CCWA") {
		g.text(fmt.Sprintf(`+CCWA: "%s",129,1`, from.Number))
	}
	if g.set["+CLCC"] == "1" && g.p.path == simcomPath {
		g.text(g.clccWaiting(5))
	}
	if g.on("^DSCI") && g.p.path == quectelPath {
		g.text(fmt.Sprintf("^DSCI: %d,1,5,0,%s,129", g.index()+1, from.Number))
	}
}

// waiting ends what is told of who waits: they give up, or the call ends and they ring.
func (g *gsmModem) waiting() {
	w := g.waits
	switch {
	case w == nil:
		return
	case g.call == nil:
		g.waits = nil
		g.incoming(*w)
		return
	case w.GiveUp == 0 || g.now-g.since < time.Duration(w.GiveUp)*ringAgain:
		return
	}
	switch g.p.path {
	case simcomPath: // it does not say whose end it is
		if g.set["+CLCC"] == "1" {
			g.text(g.clccWaiting(6))
		}
		g.text("VOICE CALL: END: 000000")
	case quectelPath:
		g.text(fmt.Sprintf("^DSCI: %d,1,6,0,%s,129", g.index()+1, w.Number))
	case huaweiPath:
		g.text(fmt.Sprintf("^CEND:%d,0,29,%d", g.index()+1, causeNormal))
	}
	g.waits = nil
	g.code(noCarrier)
}

// answer is ATA.
func (g *gsmModem) answer() result {
	if g.caller == nil || g.call.phase == up {
		return noCarrier
	}
	c := g.call
	c.end = g.caller.End
	c.enter(up)
	g.begin(c)
	g.behind = func() { g.announce(up) }
	return ok
}

// release is the host's hang-up.
func (g *gsmModem) release() {
	if g.call == nil {
		return
	}
	held := g.held
	g.ended(causeNormal)
	if held {
		g.final(noCarrier)
	}
}

// hangUp implements modemKind: without a word.
func (g *gsmModem) hangUp() {
	if g.call != nil {
		g.keep(g.call)
	}
	g.call, g.caller, g.held, g.pcm = nil, nil, false, false
	g.setModem(false)
	g.loopEdges()
}

// ended tells the end of the call in the way of the make, and takes it down.
func (g *gsmModem) ended(cause int) {
	c := g.call
	seconds := int(c.upFor / time.Second)
	clcc, incoming, index := g.clcc(6), one(g.caller != nil), g.index()
	missed := g.caller != nil && c.phase != up && c.phase != released
	g.hangUp()
	g.cause = cause
	switch g.p.path {
	case simcomPath:
		if g.set["+CLCC"] == "1" {
			g.text(clcc)
		}
		if missed {
			g.text("MISSED_CALL: " + time.Now().Format("03:04PM") + " " + c.number)
		} else {
			g.text(fmt.Sprintf("VOICE CALL: END: %06d", seconds))
		}
	case quectelPath:
		if g.on("^DSCI") {
			g.text(fmt.Sprintf("^DSCI: %d,%d,6,0,%s,129", index, incoming, c.number))
		}
	case huaweiPath:
		g.text(fmt.Sprintf("^CEND:%d,%d,104,%d", index, seconds, cause))
	}
}

// lost ends a call from the network's side.
func (g *gsmModem) lost(cause int, r result) {
	g.ended(cause)
	g.code(r) // the result of a held ATD, else a URC
}

// announce tells that the call has come to a phase.
func (g *gsmModem) announce(p phase) {
	if g.call == nil {
		return
	}
	incoming := one(g.caller != nil)
	dsci := map[phase]int{routing: 2, ringing: 7, up: 3}
	switch g.p.path {
	case simcomPath:
		if g.set["+CLCC"] == "1" {
			g.text(g.clcc(g.stat()))
		}
		if p == up {
			g.text("VOICE CALL: BEGIN")
		}
	case quectelPath:
		if n, is := dsci[p]; is && g.on("^DSCI") {
			g.text(fmt.Sprintf("^DSCI: %d,%d,%d,0,%s,129", g.index(), incoming, n, g.call.number))
		}
	case huaweiPath:
		if text, is := map[phase]string{routing: "^ORIG:%d,0", ringing: "^CONF:%d", up: "^CONN:%d,0"}[p]; is {
			g.text(fmt.Sprintf(text, g.index()))
		}
	}
}

// working implements modemKind.
func (g *gsmModem) working() bool { return g.call != nil || g.waits != nil }

// current, parallel and take implement modemKind: there is no loop, and characters abort
// nothing but an ATD whose OK waits for the answer.
func (g *gsmModem) current([]edge) {}

func (g *gsmModem) parallel(bool) {}

func (g *gsmModem) take([]byte) (int, bool) {
	if !g.held {
		return 0, false
	}
	if !g.faults().Unheed {
		g.release()
	}
	return 1, true
}

// frame implements modemKind.
func (g *gsmModem) frame() {
	g.waiting()
	if g.call == nil {
		return
	}
	said := make([]int16, frameSamples)
	if g.open() {
		g.speak(said)
	}
	g.tone.add(said)
	heard, what := g.call.frame(said)
	if g.open() {
		g.out = g.out[:0]
		for _, s := range heard {
			g.out = binary.LittleEndian.AppendUint16(g.out, uint16(s))
		}
		g.dce.pcm.send(g.out, g.faults().Delay)
	}
	g.press(what.key)
	g.follow()
}

// open says that sound flows: the call is up and the port is switched on.
func (g *gsmModem) open() bool { return g.pcm && g.call != nil && g.call.phase == up }

// follow does what the network does.
func (g *gsmModem) follow() {
	c := g.call
	if after := g.faults().NoCarrier; after > 0 && c.at >= after {
		g.lost(causeNormal, noCarrier)
		return
	}
	switch in := c.in(); {
	case c.phase == engaged && in >= busyTold:
		g.lost(causeBusy, busy)
		return
	case c.phase == intercepted && in >= busyTold:
		g.lost(causeUnallocated, noCarrier)
		return
	case c.phase == ringing && g.caller != nil:
		g.rung(in)
		return
	case c.phase == ringing && in >= networkRings:
		g.lost(causeNoAnswer, noAnswer)
		return
	case c.phase == released:
		g.lost(causeNormal, noCarrier)
		return
	}
	if c.phase == g.told {
		return
	}
	g.told = c.phase
	if c.phase == up && g.held {
		g.held = false
		g.infof(`+COLP: "%s",129`, c.number)
		g.final(ok)
	}
	g.announce(c.phase)
}

// rung tells of an incoming call, again and again.
func (g *gsmModem) rung(in time.Duration) {
	if (in-frameTime)%ringAgain >= frameTime {
		return
	}
	if g.rings++; g.caller.GiveUp > 0 && g.rings > g.caller.GiveUp {
		g.lost(causeNormal, noCarrier)
		return
	}
	if g.on("+CRC") {
		g.text("+CRING: VOICE")
	} else {
		g.code("RING")
	}
	if g.on("+CLIP") {
		g.text(fmt.Sprintf(`+CLIP: "%s",129,"",,"",0`, g.caller.Number))
	}
}

// press tells of a key of the far end, once.
func (g *gsmModem) press(key byte) {
	if key != g.key {
		g.key, g.keyFor = key, 0
	}
	if g.keyFor += frameTime; key == 0 || g.keyFor != keySure {
		return
	}
	switch {
	case g.p.path == simcomPath && g.on("+DDET"):
		g.text("+RXDTMF: " + string(rune(key)))
	case g.p.path == quectelPath && g.on("+QTONEDET"):
		g.text(fmt.Sprintf("+QTONEDET: %d", key))
	case g.p.path == noPath && g.on("+DDET"):
		g.text(fmt.Sprintf("+DTMF: %c,%d", key, keyHold/time.Millisecond))
	}
}

// room says whether the audio port takes more from the host.
func (g *gsmModem) room() bool { return len(g.said) < saidLimit }

// sound takes what the host has written to the audio port; while no call is up, or the
// port is not switched on, it is lost.
func (g *gsmModem) sound(b []byte) {
	if !g.open() {
		g.odd = g.odd[:0]
		return
	}
	if g.dry > 0 && g.now-g.dry <= dryShort {
		g.underrun()
	}
	g.flows, g.dry = true, 0
	g.odd = append(g.odd, b...)
	for len(g.odd) >= 2 {
		g.said = append(g.said, int16(binary.LittleEndian.Uint16(g.odd)))
		g.odd = g.odd[2:]
	}
}

// speak takes a frame of what the host has written.
func (g *gsmModem) speak(said []int16) {
	n := copy(said, g.said)
	g.said = append(g.said[:0], g.said[n:]...)
	if g.flows && n < len(said) {
		g.flows, g.dry = false, g.now
	}
}
