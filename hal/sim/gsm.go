package sim

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// gsmModem is a 27.007 modem with SIMCom's way to sound: +CPCMREG switches it to a second
// port, 16-bit little-endian at 8000 Hz.
type gsmModem struct {
	l    *Line
	clk  *clock
	line commandLine

	call    *phoneCall
	told    phase
	pcmOn   bool
	odd     []byte
	queue   []int16 // sound from the host on its way to the network
	clccURC bool
	cause   int
	keyHeld bool
}

func newGSMModem(l *Line) *gsmModem {
	return &gsmModem{l: l, clk: l.x.newClock(), line: commandLine{echo: true}}
}

func (m *gsmModem) run() {
	defer m.clk.stop()
	for {
		select {
		case b := <-m.l.host:
			if m.l.x.opt.Trace != nil {
				m.l.x.opt.Trace(m.l.name, true, b)
			}
			for _, c := range b {
				if m.line.echo {
					m.l.say([]byte{c})
				}
				if body, ok := m.line.take(c); ok {
					m.execute(body)
				}
			}
		case b := <-m.l.pcm:
			m.sound(b)
		case <-m.clk.t.C:
			for range m.clk.due() {
				m.frame()
			}
		case <-m.l.quit:
			m.end(0)
			return
		}
	}
}

func (m *gsmModem) text(s string) { m.l.say([]byte("\r\n" + s + "\r\n")) }

func (m *gsmModem) execute(body string) {
	if refuse := m.l.faults().Refuse; refuse != "" && strings.Contains(strings.ToUpper(body), refuse) {
		m.text("ERROR")
		return
	}
	for _, cmd := range split(body) {
		if reply := m.one(cmd); reply != "OK" {
			m.text(reply)
			return
		}
	}
	m.text("OK")
}

func (m *gsmModem) one(cmd string) string {
	name, value, _ := strings.Cut(cmd, "=")
	switch {
	case cmd[0] == 'D':
		return m.dial(cmd[1:])
	case cmd == "H", cmd == "H0", cmd == "+CHUP":
		if m.call != nil {
			m.text(fmt.Sprintf("VOICE CALL: END: %06d", int(m.call.at/time.Second)))
		}
		m.end(16)
	case cmd == "E", cmd == "E0":
		m.line.echo = false
	case cmd == "E1", cmd == "Z", cmd == "&F":
		m.line.echo = true
	case cmd == "I", cmd == "I0":
		m.text("Manufacturer: SIMCOM INCORPORATED\r\nModel: SIMCOM_SIM7600G-H\r\nRevision: hookswitch simulation")
	case cmd == "+CGMI", cmd == "+GMI":
		m.text("SIMCOM INCORPORATED")
	case cmd == "+CGMM", cmd == "+GMM":
		m.text("SIMCOM_SIM7600G-H")
	case cmd == "+CPIN?":
		m.text("+CPIN: READY")
	case cmd == "+CREG?", cmd == "+CEREG?", cmd == "+CGREG?":
		m.text(strings.TrimSuffix(cmd, "?") + ": 0,1")
	case cmd == "+CSQ":
		m.text("+CSQ: 21,99")
	case cmd == "+COPS?":
		m.text(`+COPS: 0,0,"Simulated",7`)
	case cmd == "+CEER":
		m.text(fmt.Sprintf("+CEER: 0,%d", m.cause))
	case cmd == "+CLCC":
		if m.call != nil {
			m.text(m.clcc())
		}
	case name == "+CLCC":
		m.clccURC = value == "1"
	case name == "+CPCMREG":
		if value == "1" && (m.call == nil || m.call.phase != up) {
			return "ERROR" // as a SIM7600 does before the answer
		}
		m.pcmOn = value == "1"
	case cmd == "+CPCMREG?":
		m.text(fmt.Sprintf("+CPCMREG: %d", map[bool]int{true: 1}[m.pcmOn]))
	case cmd[0] == '+' || cmd[0] == 'V' || cmd[0] == 'S' || cmd[0] == 'X' || cmd[0] == '&':
		if strings.HasPrefix(cmd, "+F") || strings.HasPrefix(cmd, "+V") {
			return "ERROR"
		}
	default:
		return "ERROR"
	}
	return "OK"
}

func (m *gsmModem) dial(number string) string {
	digits, voice := strings.CutSuffix(strings.TrimSpace(number), ";")
	if !voice {
		return "NO CARRIER"
	}
	if m.call != nil {
		return "+CME ERROR: 3"
	}
	m.call, m.told, m.pcmOn = newCall(digits), setUp, false
	m.queue = m.queue[:0]
	m.l.setOffHook(true)
	m.clk.start()
	return "OK"
}

// clcc is the call as +CLCC lists it.
func (m *gsmModem) clcc() string {
	stat := map[phase]int{setUp: 2, ringing: 3, isBusy: 2, intercept: 2, up: 0, over: 6}[m.call.phase]
	return fmt.Sprintf(`+CLCC: 1,0,%d,0,0,"%s",129`, stat, m.call.number)
}

// end takes the call down.
func (m *gsmModem) end(cause int) {
	if m.call != nil {
		m.l.x.keep(m.l, m.call)
		m.cause = cause
	}
	m.call, m.pcmOn = nil, false
	m.l.setOffHook(false)
	m.clk.stop()
}

// sound takes bytes of the audio port; what comes while the path is closed is lost.
func (m *gsmModem) sound(b []byte) {
	if !m.pcmOn {
		m.odd = m.odd[:0]
		return
	}
	m.odd = append(m.odd, b...)
	for len(m.odd) >= 2 {
		m.queue = append(m.queue, int16(binary.LittleEndian.Uint16(m.odd)))
		m.odd = m.odd[2:]
	}
}

// frame is 20 ms in the network.
func (m *gsmModem) frame() {
	if m.call == nil {
		return
	}
	said := make([]int16, frameSamples)
	n := copy(said, m.queue)
	m.queue = append(m.queue[:0], m.queue[n:]...)
	heard := m.call.frame(said)
	if m.pcmOn {
		out := make([]byte, 0, 2*frameSamples)
		for _, v := range heard {
			out = binary.LittleEndian.AppendUint16(out, uint16(v))
		}
		m.l.sayPCM(out)
	}
	in := m.call.at - m.call.since
	switch {
	case m.call.phase == isBusy && in > 500*time.Millisecond:
		m.end(17)
		m.text("BUSY")
		return
	case m.call.phase == intercept && in > 500*time.Millisecond:
		m.end(1)
		m.text("NO CARRIER")
		return
	case m.call.phase == ringing && m.call.at > 60*time.Second:
		m.end(19)
		m.text("NO ANSWER")
		return
	case m.call.phase == over:
		seconds := int(m.call.at / time.Second)
		m.end(16)
		m.text(fmt.Sprintf("VOICE CALL: END: %06d", seconds))
		m.text("NO CARRIER")
		return
	}
	m.announce()
	m.key()
}

// announce sends the URCs of a new phase.
func (m *gsmModem) announce() {
	if m.call.phase == m.told {
		return
	}
	m.told = m.call.phase
	if m.clccURC {
		m.text(m.clcc())
	}
	if m.call.phase == up {
		m.text("VOICE CALL: BEGIN")
	}
}

func (m *gsmModem) key() {
	key := byte(0)
	if m.call.phase == up {
		key = m.call.key(m.call.at - m.call.since)
	}
	if key != 0 && !m.keyHeld {
		m.text("+RXDTMF: " + string(key))
	}
	m.keyHeld = key != 0
}

// sayPCM sends sound to the host; nobody need be there to take it.
func (l *Line) sayPCM(b []byte) {
	l.mu.Lock()
	port := l.audio
	l.mu.Unlock()
	if port != nil {
		_, _ = port.Write(b)
	}
}
