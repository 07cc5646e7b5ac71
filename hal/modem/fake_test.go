package modem_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookswitch/hal/at"
	"hookswitch/hal/modem"
)

type fakeMode int

const (
	commands  fakeMode = iota
	dialling           // any byte ends it
	playing            // +VTX
	recording          // +VRX
)

// quirks are what a fake does otherwise than a good modem; guarded by its mu once it runs.
type quirks struct {
	answer  map[string]string       // to commands that begin so, the longest first; "-" is silence
	once    map[string]string       // to the next such command only
	script  []string                // to the next AT+CLCC, one after the other; "" is the true one
	lost    string                  // the answer to the next command that begins so is lost
	delay   time.Duration           // before each answer
	echo    bool                    // for ever
	twice   bool                    // each answer is given twice
	split   bool                    // answers come a byte at a time
	mute    bool                    // nothing is answered
	mutedBy *bool                   // nor while this is set
	ring    bool                    // RING before every answer
	noPurge bool                    // +VTX does not know DLE CAN
	heeds   func(cmd string)        // sees each command before it is answered; called with mu held
	onPIN   func(pin string) string // answers AT+CPIN=; called with mu held
	onDial  func(f *fake)           // what becomes of ATD, in its own goroutine; nil is an OK at once
	onTalk  func(f *fake)           // what happens once +VTX or +VRX runs, in its own goroutine
}

// fake is a modem of our own making, beside the simulated exchange. It outlives openings of
// its port, as a modem outlives the daemon.
type fake struct {
	gsm     bool
	deaf    bool   // nothing is read
	oddDLE  bool   // the first byte it gets completes a DLE
	flood   bool   // it sends sound from the start
	partial string // a command that was begun
	tasks   sync.WaitGroup

	mu sync.Mutex // guards what follows
	quirks
	mode      fakeMode
	offHook   bool
	unplugged bool
	port      net.Conn
	got       []string  // commands, and "CR" for what ended a dial
	sound     []byte    // unshielded, of all +VTX
	queued    time.Time // when what was sent will have been played
	stray     int       // bytes of sound outside voice data mode
	calls     []string  // lines of +CLCC
}

func newFake() *fake { return &fake{quirks: quirks{answer: map[string]string{}}} }

// open is a modem.Config's Open.
func (f *fake) open() (io.ReadWriteCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unplugged {
		return nil, errors.New("no such device")
	}
	near, far := net.Pipe()
	f.port = far
	if !f.deaf {
		go f.run(far)
	}
	if f.flood {
		f.flood = false
		f.tasks.Go(func() { f.sendSound(far) })
	}
	return near, nil
}

// unplug takes the modem away.
func (f *fake) unplug() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unplugged, f.offHook = true, false
	_ = f.port.Close()
}

// say writes to the host, if it is there.
func (f *fake) say(s string) {
	f.mu.Lock()
	port, split := f.port, f.split
	f.mu.Unlock()
	if !split {
		_, _ = io.WriteString(port, s)
		return
	}
	for i := range len(s) {
		_, _ = io.WriteString(port, s[i:i+1])
	}
}

func (f *fake) line(s string) { f.say("\r\n" + s + "\r\n") }

func (f *fake) set(mode fakeMode, offHook bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode, f.offHook = mode, offHook
}

func (f *fake) is() (fakeMode, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mode, f.offHook
}

func (f *fake) note(cmd string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, cmd)
}

// commands are those received so far.
func (f *fake) received() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

func (f *fake) run(port net.Conn) {
	line := []byte(f.partial)
	var u at.Unshielder
	if f.oddDLE {
		u.Next(at.DLE)
	}
	buf := make([]byte, 256)
	for {
		n, err := port.Read(buf)
		if err != nil {
			return
		}
		for _, b := range buf[:n] {
			switch mode, _ := f.is(); mode {
			case dialling:
				f.note("CR")
				f.set(commands, false)
				f.line("NO CARRIER")
			case playing:
				f.takeSound(u.Next(b))
			case recording:
				if _, _, code, isCode := u.Next(b); isCode && (code == '!' || code == 0x1b) {
					f.set(commands, true)
					f.say("\x80\x10\x03\r\nOK\r\n")
				}
			default:
				if b >= 0x80 {
					f.mu.Lock()
					f.stray++
					f.mu.Unlock()
				}
				if b != '\r' {
					line = append(line, b)
					continue
				}
				cmd := string(line)
				line = line[:0]
				if i := strings.Index(cmd, "AT"); i >= 0 {
					f.execute(cmd[i:])
				}
			}
		}
	}
}

// sendSound is what a modem that records sends: with CR and LF in it, and what looks like text.
func (f *fake) sendSound(port net.Conn) {
	for {
		time.Sleep(20 * time.Millisecond)
		if mode, _ := f.is(); mode != recording {
			return
		}
		if _, err := port.Write([]byte("\x80\x81\r\n\x7fOK\x80\x0a\x0d\x80OK \r\x10\x10\x80")); err != nil {
			return
		}
	}
}

func (f *fake) isOffHook() bool { _, offHook := f.is(); return offHook }

// takeSound plays what +VTX gets at 8000 bytes a second.
func (f *fake) takeSound(data byte, n int, code byte, isCode bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); f.queued.Before(now) {
		f.queued = now
	}
	for range n {
		f.sound = append(f.sound, data)
		f.queued = f.queued.Add(time.Second / 8000)
	}
	switch {
	case !isCode:
	case code == at.CAN && !f.noPurge:
		f.queued = time.Now()
	case code == at.ETX:
		left := time.Until(f.queued)
		time.AfterFunc(left, func() { f.line("OK") })
		f.mode = commands
	}
}

// change alters a fake that runs.
func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
}

// dials changes what becomes of ATD.
func (f *fake) dials(how func(*fake)) { f.change(func() { f.onDial = how }) }

// quirk is how it behaves now, and the answer that was set for cmd.
func (f *fake) quirk(cmd string) (q quirks, answer string, found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.heeds != nil {
		f.heeds(cmd)
	}
	if pin, is := strings.CutPrefix(cmd, `AT+CPIN="`); is && f.onPIN != nil {
		return f.quirks, f.onPIN(strings.TrimSuffix(pin, `"`)), true
	}
	if cmd == "AT+CLCC" && len(f.script) > 0 {
		answer, f.script = f.script[0], f.script[1:]
		return f.quirks, answer, answer != ""
	}
	if answer, found = f.once[cmd]; found {
		delete(f.once, cmd)
		return f.quirks, answer, true
	}
	best := ""
	for begin := range f.answer {
		if strings.HasPrefix(cmd, begin) && len(begin) >= len(best) {
			best, found = begin, true
		}
	}
	return f.quirks, f.answer[best], found
}

// loses reports whether the answer to cmd gets lost.
func (f *fake) loses(cmd string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	lost := f.lost != "" && strings.HasPrefix(cmd, f.lost)
	if lost {
		f.lost = ""
	}
	return lost
}

func (f *fake) execute(cmd string) {
	f.note(cmd)
	q, answer, found := f.quirk(cmd)
	time.Sleep(q.delay)
	if q.echo {
		f.say(cmd + "\r")
	}
	if q.ring {
		f.line("RING")
	}
	switch {
	case q.mute || answer == "-" || f.isMuted():
		return
	case found:
	case f.gsm:
		answer = f.executeGSM(cmd, q)
	default:
		answer = f.executeVoice(cmd, q)
	}
	if answer == "" {
		return
	}
	if f.loses(cmd) {
		return
	}
	if f.line(answer); q.twice {
		f.line(answer)
	}
}

func (f *fake) isMuted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mutedBy != nil && *f.mutedBy
}

func (f *fake) executeVoice(cmd string, q quirks) string {
	switch {
	case strings.HasPrefix(cmd, "ATDT"):
		f.set(dialling, true)
		if q.onDial == nil {
			f.set(commands, true)
			return "OK"
		}
		f.tasks.Go(func() { q.onDial(f) })
		return ""
	case cmd == "ATH", cmd == "ATZ", cmd == "AT+VLS=0", cmd == "AT+FCLASS=0":
		f.set(commands, false)
	case cmd == "AT+VLS=1":
		f.set(commands, true)
	case cmd == "AT+VTX", cmd == "AT+VRX":
		f.set(map[bool]fakeMode{true: playing, false: recording}[cmd == "AT+VTX"], true)
		if !f.loses(cmd) {
			f.say("\r\nCONNECT\r\n")
		}
		if q.onTalk != nil {
			f.tasks.Go(func() { q.onTalk(f) })
		}
		return ""
	case cmd == "AT+CGMI", cmd == "AT+CGMM", cmd == "AT+CHUP", cmd == "AT+GMM":
		return "ERROR"
	case cmd == "ATI":
		return "FAKE VOICE\r\n\r\nOK"
	case cmd == "AT+FCLASS=?":
		return "0,1,8\r\nOK"
	case cmd == "AT+VSM=?":
		return "128,\"8-BIT LINEAR\",8,0,8000,0,0\r\n\r\nOK"
	}
	return "OK"
}

func (f *fake) executeGSM(cmd string, q quirks) string {
	switch {
	case strings.HasPrefix(cmd, "ATD"):
		f.mu.Lock()
		f.offHook, f.calls = true, []string{`+CLCC: 1,0,2,0,0,"5550100",129`}
		f.mu.Unlock()
		if q.onDial != nil {
			f.tasks.Go(func() { q.onDial(f) })
		}
	case cmd == "AT+CHUP", cmd == "ATH", cmd == "ATZ":
		f.mu.Lock()
		f.offHook, f.calls = false, nil
		f.mu.Unlock()
	case cmd == "AT+CLCC":
		f.mu.Lock()
		defer f.mu.Unlock()
		return strings.Join(append(slices.Clone(f.calls), "OK"), "\r\n")
	case cmd == "AT+CGMI":
		return "FAKE\r\n\r\nOK"
	case cmd == "AT+CGMM":
		return "MODEL 1\r\n\r\nOK"
	case cmd == "AT+CPIN?":
		return "+CPIN: READY\r\n\r\nOK"
	case cmd == "AT+CREG?":
		return "+CREG: 1,1\r\n\r\nOK"
	case cmd == "AT+CEREG?":
		return "+CEREG: 1,1\r\n\r\nOK"
	case strings.HasPrefix(cmd, "AT+V"), strings.HasPrefix(cmd, "AT+F"), cmd == "AT+QPCMV=1,0":
		return "ERROR"
	}
	return "OK"
}

// stat changes the state of the fake's only call; 6 ends it.
func (f *fake) stat(n string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = []string{`+CLCC: 1,0,` + n + `,0,0,"5550100",129`}
	if n == "6" {
		f.calls, f.offHook = nil, false
	}
}

// start opens a modem on f and waits until it is ready.
func start(t *testing.T, f *fake, dialect string) *modem.Modem {
	t.Helper()
	m := modem.New(f.config(dialect))
	t.Cleanup(func() { f.shut(m) })
	if err := m.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (f *fake) config(dialect string) modem.Config {
	cfg := modem.Config{Name: "line", Dialect: dialect, Open: f.open}
	if f.gsm {
		cfg.OpenPCM = f.openPCM
	}
	return cfg
}

// shut ends m and f.
func (f *fake) shut(m *modem.Modem) {
	_ = m.Close()
	f.mu.Lock()
	if f.port != nil {
		_ = f.port.Close()
	}
	f.mu.Unlock()
	f.tasks.Wait()
}

// openPCM is an audio port that keeps what it gets and says nothing.
func (f *fake) openPCM() (io.ReadWriteCloser, error) {
	near, far := net.Pipe()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := far.Read(buf)
			if err != nil {
				return
			}
			f.mu.Lock()
			f.sound = append(f.sound, buf[:n]...)
			f.mu.Unlock()
		}
	}()
	return near, nil
}

// checkOnHook fails the test where the modem is left in a call, or has got sound as commands.
func (f *fake) checkOnHook(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.offHook {
		t.Error("the modem is off-hook")
	}
	if f.stray > 0 {
		t.Errorf("%d bytes of sound were sent as commands", f.stray)
	}
}
