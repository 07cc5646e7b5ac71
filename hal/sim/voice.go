package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// mode of a voice modem.
type mode int

const (
	command mode = iota
	dialling
	sending   // +VTX
	receiving // +VRX
)

const (
	dle = 0x10
	etx = 0x03
	can = 0x18
	sub = 0x1a

	txBuffer      = 8000 // samples: a second
	deaf          = 125 * time.Millisecond
	dialToneWait  = 500 * time.Millisecond
	digitTime     = 100 * time.Millisecond
	noDialToneIn  = 5 * time.Second
	answerDetects = 500 * time.Millisecond // from the answer to the modem's OK
)

// voiceModem is a V.250 and V.253 modem.
type voiceModem struct {
	l    *Line
	clk  *clock
	line commandLine

	verbose bool
	class   int
	s       map[int]int
	vls     int
	vsm     int

	mode    mode
	entered time.Duration // line time since the mode began
	call    *phoneCall
	number  string
	rang    bool
	escaped bool
	ending  bool    // <DLE><ETX> has come, the buffer plays out
	dry     bool    // an underrun has been reported
	queue   []int16 // sound on its way to the line
	keyHeld bool
	toldEnd bool
}

func newVoiceModem(l *Line) *voiceModem {
	m := &voiceModem{l: l, clk: l.x.newClock()}
	m.reset()
	return m
}

func (m *voiceModem) reset() {
	m.verbose, m.line.echo, m.class, m.vls, m.vsm = true, true, 0, 0, 130
	m.s = map[int]int{0: 0, 2: 43, 3: 13, 4: 10, 5: 8, 6: 2, 7: 50, 8: 2, 12: 50}
}

func (m *voiceModem) run() {
	defer m.clk.stop()
	for {
		select {
		case b := <-m.l.host:
			if m.l.x.opt.Trace != nil {
				m.l.x.opt.Trace(m.l.name, true, b)
			}
			for _, c := range b {
				m.byte(c)
			}
		case <-m.clk.t.C:
			for range m.clk.due() {
				m.frame()
			}
		case <-m.l.quit:
			m.hangUp()
			return
		}
	}
}

func (m *voiceModem) text(s string) { m.l.say([]byte(s)) }

func (m *voiceModem) info(s string) { m.text("\r\n" + s + "\r\n") }

// result sends a result code (V.250 table 1).
func (m *voiceModem) result(s string) {
	if m.verbose {
		m.text("\r\n" + s + "\r\n")
		return
	}
	code := map[string]string{"OK": "0", "CONNECT": "1", "NO CARRIER": "3", "ERROR": "4", "NO DIALTONE": "6", "BUSY": "7", "NO ANSWER": "8"}[s]
	m.text(code + "\r")
}

func (m *voiceModem) event(code byte) { m.l.say([]byte{dle, code}) }

func (m *voiceModem) enter(mode mode) {
	m.mode, m.entered = mode, 0
	m.clk.start()
}

func (m *voiceModem) byte(b byte) {
	switch m.mode {
	case dialling: // V.250 5.6.1: any byte aborts, but for the first 125 ms
		if m.entered >= deaf {
			m.hangUp()
			m.result("NO CARRIER")
		}
		return
	case sending:
		m.sound(b)
		return
	case receiving:
		m.stopReceiving(b)
		return
	}
	if m.line.echo {
		m.l.say([]byte{b})
	}
	if b == dle { // codes meant for a stream that has ended
		m.escaped = true
		return
	}
	if m.escaped {
		m.escaped = false
		return
	}
	if body, ok := m.line.take(b); ok {
		m.execute(body)
	}
}

// sound takes one byte of +VTX.
func (m *voiceModem) sound(b byte) {
	if !m.escaped {
		if b == dle {
			m.escaped = true
		} else {
			m.queue = append(m.queue, m.decode(b))
		}
		return
	}
	m.escaped = false
	switch b {
	case dle:
		m.queue = append(m.queue, m.decode(dle))
	case sub:
		m.queue = append(m.queue, m.decode(dle), m.decode(dle))
	case can:
		m.queue = m.queue[:0]
	case etx:
		m.ending = true
		if len(m.queue) == 0 {
			m.endSending()
		}
	}
}

func (m *voiceModem) endSending() {
	m.mode, m.ending, m.dry = command, false, false
	m.result("OK")
}

// stopReceiving ends +VRX at <DLE>! or <DLE><ESC>.
func (m *voiceModem) stopReceiving(b byte) {
	if !m.escaped {
		m.escaped = b == dle
		return
	}
	m.escaped = false
	if b == '!' || b == 0x1b || b == etx {
		m.event(etx)
		m.mode = command
		m.result("OK")
	}
}

func (m *voiceModem) execute(body string) {
	if refuse := m.l.faults().Refuse; refuse != "" && strings.Contains(strings.ToUpper(body), refuse) {
		m.result("ERROR")
		return
	}
	for _, cmd := range split(body) {
		switch reply := m.one(cmd); reply {
		case "OK":
		case "": // it has its own result, now or later
			return
		default:
			m.result(reply)
			return
		}
	}
	m.result("OK")
}

// one executes one command and returns its result code; "" sends none yet.
func (m *voiceModem) one(cmd string) string {
	name, value, _ := strings.Cut(cmd, "=")
	switch {
	case cmd[0] == 'D':
		return m.dial(cmd[1:])
	case cmd[0] == 'S':
		return m.register(cmd[1:])
	case cmd == "A", cmd == "O":
		return "NO CARRIER"
	case cmd == "H", cmd == "H0", cmd == "+VLS=0":
		m.hangUp()
	case cmd == "H1", cmd == "+VLS=1", cmd == "+VLS=5":
		m.vls = 1
		m.l.setOffHook(true)
	case cmd == "Z", cmd == "Z0", cmd == "&F", cmd == "&F0":
		m.hangUp()
		m.reset()
	case cmd == "E", cmd == "E0":
		m.line.echo = false
	case cmd == "E1":
		m.line.echo = true
	case cmd == "V", cmd == "V0":
		m.verbose = false
	case cmd == "V1":
		m.verbose = true
	case cmd == "I", cmd == "I0":
		m.info("56000")
	case cmd == "I3":
		m.info("HOOKSWITCH SIMULATED V.253 MODEM")
	case cmd == "+GMM", cmd == "+GMI", cmd == "+GMR":
		m.info("hookswitch simulated voice modem")
	case cmd == "+FCLASS=?":
		m.info("0,1,8")
	case cmd == "+FCLASS?":
		m.info(strconv.Itoa(m.class))
	case name == "+FCLASS":
		n, err := strconv.Atoi(value)
		if err != nil || n != 0 && n != 1 && n != 8 {
			return "ERROR"
		}
		m.class = n
	case strings.HasPrefix(cmd, "+V"):
		return m.voice(cmd, name, value)
	case len(cmd) <= 3 && strings.IndexByte("BLMNQTPWXY&\\", cmd[0]) >= 0, name == "-STE", name == "+IFC", name == "+IPR":
	default:
		return "ERROR"
	}
	return "OK"
}

func (m *voiceModem) register(s string) string {
	if n, ok := strings.CutSuffix(s, "?"); ok {
		i, _ := strconv.Atoi(n)
		m.info(fmt.Sprintf("%03d", m.s[i]))
		return "OK"
	}
	n, v, ok := strings.Cut(s, "=")
	i, err1 := strconv.Atoi(n)
	x, err2 := strconv.Atoi(v)
	if !ok || err1 != nil || err2 != nil || x < 0 || x > 255 {
		return "ERROR"
	}
	m.s[i] = x
	return "OK"
}

// voice executes a V.253 command, all of which but the class's own want FCLASS=8.
func (m *voiceModem) voice(cmd, name, value string) string {
	switch {
	case cmd == "+VSM=?":
		m.info("1,\"UNSIGNED PCM\",8,0,8000,0,0\r\n128,\"8-BIT LINEAR\",8,0,8000,0,0\r\n130,\"UNSIGNED PCM\",8,0,8000,0,0\r\n131,\"ULAW\",8,0,8000,0,0\r\n132,\"ALAW\",8,0,8000,0,0")
	case cmd == "+VLS=?":
		m.info("0,1,5")
	case m.class != 8:
		return "ERROR"
	case name == "+VSM":
		id, _, _ := strings.Cut(value, ",")
		n, err := strconv.Atoi(id)
		if err != nil || n != 1 && n != 128 && n < 130 || n > 132 {
			return "ERROR"
		}
		m.vsm = n
	case cmd == "+VTX":
		if m.vls == 0 {
			return "ERROR"
		}
		m.queue, m.escaped = m.queue[:0], false
		m.result("CONNECT")
		m.enter(sending)
		return ""
	case cmd == "+VRX":
		if m.vls == 0 {
			return "ERROR"
		}
		m.escaped = false
		m.result("CONNECT")
		m.enter(receiving)
		return ""
	case name == "+VLS":
		return "ERROR"
	}
	return "OK"
}

// dial goes off-hook and dials; the result comes later.
func (m *voiceModem) dial(digits string) string {
	m.number = strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789*#ABCD+", r) {
			return r
		}
		return -1
	}, digits)
	m.vls, m.call, m.rang, m.toldEnd = 1, nil, false, false
	m.l.setOffHook(true)
	m.enter(dialling)
	return ""
}

func (m *voiceModem) hangUp() {
	if m.call != nil {
		m.l.x.keep(m.l, m.call)
	}
	m.call, m.vls, m.mode = nil, 0, command
	m.ending, m.dry, m.escaped = false, false, false
	m.queue = m.queue[:0]
	m.l.setOffHook(false)
	m.clk.stop()
}

// frame is 20 ms on the line.
func (m *voiceModem) frame() {
	m.entered += tick
	if m.call != nil && !m.l.OffHook() { // the relay has opened: the exchange sees on-hook
		m.l.x.keep(m.l, m.call)
		m.call = nil
	}
	if m.mode == dialling && m.call == nil {
		m.waitForDialTone()
		return
	}
	said := make([]int16, frameSamples)
	n := 0
	if m.mode == sending {
		n = copy(said, m.queue)
		m.queue = append(m.queue[:0], m.queue[n:]...)
	}
	heard := said
	if m.call != nil {
		heard = m.call.frame(said)
	}
	switch m.mode {
	case dialling:
		m.progress()
	case sending:
		if m.ending && len(m.queue) == 0 {
			m.endSending()
		} else if n < frameSamples && !m.ending && !m.dry && m.entered > 200*time.Millisecond {
			m.dry = true
			m.event('u')
		} else if n == frameSamples {
			m.dry = false
		}
		m.events()
	case receiving:
		m.l.say(shield(m.encode(heard)))
		m.events()
	}
}

func (m *voiceModem) waitForDialTone() {
	switch {
	case m.l.OffHook() && !m.l.faults().NoDialTone:
		if m.entered >= dialToneWait+time.Duration(len(m.number))*digitTime {
			m.call = newCall(m.number)
		}
	case m.entered >= noDialToneIn:
		m.hangUp()
		m.result("NO DIALTONE")
	}
}

// progress listens for what became of a dialled call.
func (m *voiceModem) progress() {
	in := m.call.at - m.call.since
	switch m.call.phase {
	case ringing:
		if !m.rang && !m.call.end.silent {
			m.rang = true
			if m.class == 8 {
				m.event('r')
			}
		}
	case isBusy:
		if in > 2*time.Second {
			m.hangUp()
			m.result("BUSY")
			return
		}
	case intercept:
		if in > 2*time.Second {
			m.hangUp()
			m.result("NO CARRIER")
			return
		}
	case up:
		if in >= answerDetects {
			m.mode = command
			m.result("OK")
			return
		}
	}
	if m.call.at > time.Duration(m.s[7])*time.Second {
		m.hangUp()
		m.result("NO ANSWER")
	}
}

// events reports keys and the end of the call in a stream.
func (m *voiceModem) events() {
	if m.call == nil {
		return
	}
	key := byte(0)
	if m.call.phase == up {
		key = m.call.key(m.call.at - m.call.since)
	}
	switch {
	case key != 0 && !m.keyHeld:
		m.event('/')
		m.event(key)
	case key == 0 && m.keyHeld:
		m.event('~')
	}
	m.keyHeld = key != 0
	if m.call.phase == over && !m.toldEnd && m.call.at-m.call.since > time.Second {
		m.toldEnd = true
		m.event('b')
		m.event('b')
	}
}

func shield(b []byte) []byte {
	out := make([]byte, 0, len(b)+8)
	for _, c := range b {
		if c == dle {
			out = append(out, dle)
		}
		out = append(out, c)
	}
	return out
}

func (m *voiceModem) decode(b byte) int16 {
	switch m.vsm {
	case 131:
		return fromUlaw(b)
	case 132:
		return fromAlaw(b)
	}
	return (int16(b) - 128) << 8
}

func (m *voiceModem) encode(s []int16) []byte {
	out := make([]byte, len(s))
	for i, v := range s {
		out[i] = byte(int(v)>>8 + 128)
	}
	if m.vsm >= 131 {
		for i, v := range s {
			out[i] = nearest(v, m.decode)
		}
	}
	return out
}
