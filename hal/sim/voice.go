package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// voiceModem is an analogue voice modem: V.250 with V.253.
//
//	idle ── ATD ──► dialling ── OK ──► idle ── +VTX, +VRX, +VTR ──► streaming
//	     ── +VTS ──► beeping ── OK ──►      ◄── <DLE><ETX> … OK ──
type voiceModem struct {
	*dce
	loop loop
	mode mode

	class int
	vls   int
	form  format
	set   map[string][]int // parameters that are numbers

	ear    ear
	dialer dialer
	beeper beeper
	stream stream
}

var _ modemKind = (*voiceModem)(nil)

type mode int

const (
	idle mode = iota
	dialling
	beeping
	streaming
)

func newVoiceModem(d *dce) *voiceModem {
	return &voiceModem{dce: d, loop: loop{l: d.Line, x: d.x}}
}

// parameter is a setting that is one number or two.
type parameter struct {
	most   int
	preset []int
}

// parameters are those of V.253 (and of vendors) that need no code of their own.
var parameters = map[string]parameter{
	"+VRA": {255, []int{50}}, "+VRN": {255, []int{10}}, "+VTD": {255, []int{100}}, "+VIT": {255, []int{0}},
	"+VNH": {2, []int{0}}, "+VCID": {2, []int{0}}, "+VGT": {255, []int{128}}, "+VGR": {255, []int{128}},
	"+VGM": {255, []int{128}}, "+VGS": {255, []int{128}}, "+VSD": {255, []int{128, 50}}, "+VDR": {255, []int{0, 0}},
	"+VBT": {8192, []int{192, 3072}}, "+VPR": {255, []int{0}}, "+VEM": {255, []int{0}}, "+VSP": {1, []int{0}},
	"+VDT": {255, []int{0, 0}}, "+VRID": {1, []int{0}}, "+VPP": {1, []int{0}}, "+VDID": {3, []int{0}},
	"-STE": {7, []int{0}}, "-SCID": {2, []int{0}}, "+VRL": {255, []int{0}},
}

func (v *voiceModem) reset() {
	v.class, v.set = 0, map[string][]int{}
	v.form = unsignedPCM
	v.todo = nil
}

// param is the first number of a setting.
func (v *voiceModem) param(name string) int {
	if s, is := v.set[name]; is {
		return s[0]
	}
	return parameters[name].preset[0]
}

// command implements modemKind.
func (v *voiceModem) command(c command) (result, bool) {
	if p, is := parameters[c.name]; is {
		return v.parameter(c, p), true
	}
	switch c.name {
	case "D":
		return v.dial(c.arg), true
	case "A":
		return v.answer(), true
	case "O":
		return noCarrier, true
	case "H":
		return v.hook(c.n()), true
	case "+FCLASS", "#CLS":
		return v.setClass(c), true
	case "+VSM":
		return v.setFormat(c), true
	case "+VLS":
		return v.setLine(c), true
	case "+VTS":
		return v.beep(c), true
	case "+VTX", "+VRX", "+VTR":
		return v.startStream(c), true
	case "+VIP":
		clear(v.set)
		return ok, true
	}
	return fail, false
}

// parameter reads, sets or describes one.
func (v *voiceModem) parameter(c command, p parameter) result {
	switch c.op {
	case '?':
		values := p.preset
		if s, is := v.set[c.name]; is {
			values = s
		}
		return v.info(joinInts(values))
	case 't':
		return v.info(strings.TrimSuffix(strings.Repeat(fmt.Sprintf("(0-%d),", p.most), len(p.preset)), ","))
	case '=':
		values := c.ints()
		if len(values) > len(p.preset) || slices.ContainsFunc(values, func(n int) bool { return n < 0 || n > p.most }) {
			return fail
		}
		v.set[c.name] = append(values, p.preset[len(values):]...)
		return ok
	}
	return fail
}

func joinInts(list []int) string {
	var text []string
	for _, n := range list {
		text = append(text, strconv.Itoa(n))
	}
	return strings.Join(text, ",")
}

// setClass is +FCLASS: 0 data, 1 fax, 8 voice.
func (v *voiceModem) setClass(c command) result {
	switch n := c.n(); {
	case c.op == 't':
		return v.info("0,1,8")
	case c.op == '?':
		return v.infof("%d", v.class)
	case c.op != '=' || n != 0 && n != 1 && n != 8:
		return fail
	default:
		if v.class == 8 && n != 8 && v.param("+VNH") == 0 && !v.faults().Holds {
			v.hangUp() // V.253 §10.1.9: automatic hang-up
		}
		v.class = n
	}
	return ok
}

// setFormat is +VSM (V.253 §10.3.8): a format, its rate and what this modem has not.
func (v *voiceModem) setFormat(c command) result {
	switch c.op {
	case 't':
		var lines []string
		for _, f := range v.p.formats {
			lines = append(lines, fmt.Sprintf(v.p.vsmLine, f.id, f.name, f.bits))
		}
		return v.info(lines...)
	case '?':
		return v.infof("%d,8000,0,0", v.form.id)
	case '=':
		n := c.ints()
		i := slices.IndexFunc(v.p.formats, func(f format) bool { return f.id == n[0] })
		if i < 0 || len(n) > 1 && n[1] != rate || v.class != 8 {
			return fail
		}
		v.form = v.p.formats[i]
		return ok
	}
	return fail
}

// offHookVLS are the values of +VLS that connect the modem to the line (V.253 table 20); the
// others are loudspeakers, microphones and telephones that it does without.
var offHookVLS = map[int]bool{0: false, 1: true, 2: false, 3: true, 4: false, 5: true, 6: false, 7: true, 8: false, 11: false}

func (v *voiceModem) setLine(c command) result {
	switch c.op {
	case 't':
		return v.info("0,1,2,3,4,5,6,7,8,11")
	case '?':
		return v.infof("%d", v.vls)
	}
	off, known := offHookVLS[c.n()]
	if c.op != '=' || !known || v.class != 8 {
		return fail
	}
	if !off {
		v.hangUp()
	} else {
		v.seize()
	}
	v.vls = c.n()
	return ok
}

// hook is ATH0 or ATH1.
func (v *voiceModem) hook(n int) result {
	switch n {
	case 0:
		if !v.faults().Holds || v.class != 8 {
			v.hangUp()
		}
	case 1:
		v.seize()
		v.vls = 1
	default:
		return fail
	}
	return ok
}

// seize goes off-hook.
func (v *voiceModem) seize() {
	v.ear = ear{}
	v.setModem(true)
	v.loopEdges()
}

// hangUp implements modemKind.
func (v *voiceModem) hangUp() {
	v.mode, v.vls = idle, 0
	v.dialer, v.beeper, v.stream, v.ear = dialer{}, beeper{}, stream{}, ear{}
	v.dropTimers()
	v.setModem(false)
	v.loopEdges()
	if v.loop.state != ringingIn {
		v.loop.clear()
	}
}

// current implements modemKind.
func (v *voiceModem) current(edges []edge) {
	for _, e := range edges {
		v.loop.current(e.on, e.at)
	}
}

// incoming implements modemKind.
func (v *voiceModem) incoming(from Caller) {
	v.s[1] = 0
	v.loop.ring(from)
}

// parallel implements modemKind: -STE reports another telephone on the line.
func (v *voiceModem) parallel(lifted bool) {
	if v.param("-STE") == 0 || v.class != 8 {
		return
	}
	if lifted {
		v.event('P')
	} else {
		v.event('p')
	}
}

// working implements modemKind.
func (v *voiceModem) working() bool {
	return v.mode != idle || v.vls != 0 || v.loop.state != onHook
}

// room and sound implement modemKind: there is no audio port.
func (v *voiceModem) room() bool { return true }

func (v *voiceModem) sound([]byte) {}

// event reports to a host in voice mode (V.253 table 24).
func (v *voiceModem) event(code byte) { v.emit([]byte{dle, code}, false) }

// take implements modemKind.
func (v *voiceModem) take(b []byte) (int, bool) {
	switch v.mode {
	case dialling:
		return v.abort(b)
	case beeping:
		return 0, true // it waits
	case streaming:
		return v.stream.take(v, b), true
	}
	return 0, false
}

// frame implements modemKind.
func (v *voiceModem) frame() {
	said := v.say16()
	heard, what := v.loop.frame(said)
	if v.loop.burst {
		v.rung()
	}
	for _, code := range v.ear.hear(v.now, what) {
		v.report(code)
	}
	switch v.mode {
	case dialling:
		v.dialFrame()
	case beeping:
		if v.beeper.silent() {
			v.mode = idle
			v.done(ok)
		}
	case streaming:
		v.streamFrame(heard, what)
	}
}

// say16 is what the modem sends to the line in this frame.
func (v *voiceModem) say16() []int16 {
	said := make([]int16, frameSamples)
	if v.mode == streaming && v.stream.tx {
		v.stream.send(v, said)
	}
	v.beeper.add(said)
	return said
}

// report passes on what the modem has heard, in voice mode.
func (v *voiceModem) report(code byte) {
	switch {
	case v.class != 8:
		return
	case v.mode == dialling && code != 'r' && code != 'J':
		return // the result code will tell
	case code == 'd' && v.mode != streaming:
		return // expected
	}
	v.event(code)
}

// rung reports a burst of ringing current, and who calls after the first.
func (v *voiceModem) rung() {
	if v.class == 8 {
		v.event('R')
	} else {
		v.code("RING")
	}
	v.s[1]++
	if v.s[1] == 1 && v.param("+VCID") > 0 {
		from := *v.loop.caller
		v.after(2500*time.Millisecond, true, func() { v.callerID(from) })
	}
	if v.s[0] > 0 && v.s[1] >= v.s[0] {
		v.answer()
	}
}

// callerID is the formatted presentation of +VCID=1 (V.253 §10.4.2).
func (v *voiceModem) callerID(from Caller) {
	now := time.Now()
	number, name := from.Number, from.Name
	if number == "" {
		number = "P" // withheld
	}
	v.text("DATE = " + now.Format("0102"))
	v.text("TIME = " + now.Format("1504"))
	v.text("NMBR = " + number)
	if name != "" {
		v.text("NAME = " + name)
	}
}

// answer is ATA. There is no modem at any far end: a data call finds no carrier.
func (v *voiceModem) answer() result {
	if v.loop.state != ringingIn {
		return noCarrier
	}
	v.seize()
	v.vls = 1
	if v.class == 8 {
		return result(v.answered())
	}
	v.mode = dialling
	v.dialer = dialer{started: v.now, dialled: v.now, complete: true}
	return later
}

func (v *voiceModem) answered() string {
	if v.p.Answered != "" {
		return v.p.Answered
	}
	return string(ok)
}
