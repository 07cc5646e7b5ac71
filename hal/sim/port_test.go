package sim_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/hal/sim"
)

// These tests run in real time, on pseudo terminals.

const patience = 10 * time.Second

// dial opens a terminal as a host does.
func dial(t *testing.T, path string) *os.File {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	return os.NewFile(uintptr(fd), path)
}

func exchange(t *testing.T, opt sim.Options) *sim.Exchange {
	t.Helper()
	x := sim.New(opt)
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func TestAPseudoTerminalIsRawAndStaysForTheNextHost(t *testing.T) {
	l := exchange(t, sim.Options{}).Voice("line")
	path, err := l.PTY()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h := newHost(t, dial(t, path))
		h.send("AT+FCLASS?\r")
		h.until("AT+FCLASS?\r\r\n0\r\n\r\nOK\r\n", patience)
		h.close()
	}
}

func TestAHostLeavesNothingBehind(t *testing.T) {
	l := exchange(t, sim.Options{}).Voice("line")
	path, err := l.PTY()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, dial(t, path))
	h.ask("ATE0", "OK")
	h.close()
	first := dial(t, path)
	// Once it is answered the port has been put in order behind the host before it.
	if _, err := io.WriteString(first, "AT\r"); err != nil {
		t.Fatal(err)
	}
	for got, b := "", make([]byte, 64); !strings.Contains(got, "OK\r\n"); {
		n, err := first.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got += string(b[:n])
	}
	lock(t, first)
	s, err := unix.IoctlGetTermios(int(first.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	s.Lflag |= unix.ECHO
	if err := unix.IoctlSetTermios(int(first.Fd()), unix.TCSETS, s); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(first, "ATI\r"); err != nil { // the answer to which is never read
		t.Fatal(err)
	}
	answer := len("\r\nAEIGPM560LKTF1  Voice V2 V92cap\r\n\r\nOK\r\n")
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if n, err := unix.IoctlGetInt(int(first.Fd()), unix.TIOCINQ); err != nil || n >= answer {
			break // it is in the terminal: what the modem has said, and is not there yet, comes later
		}
		if time.Now().After(end) {
			t.Fatalf("no answer:\n%s", l.Log())
		}
	}
	_ = first.Close()
	awaitTermios(t, path)
	h = newHost(t, dial(t, path))
	defer h.close()
	h.send("\r")
	if got := h.ask("AT", "OK"); got != "\r\nOK\r\n" {
		t.Errorf("got %q", got)
	}
}

// lock takes a terminal for its host alone.
func lock(t *testing.T, f *os.File) {
	t.Helper()
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
}

// awaitTermios waits until the terminal has been made raw again.
func awaitTermios(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
		if errors.Is(err, unix.EBUSY) || errors.Is(err, fs.ErrNotExist) {
			continue // still the first host's lock, or just being renewed
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		_ = f.Close()
		if err == nil && s.Lflag&unix.ECHO == 0 {
			return
		}
	}
	t.Fatal("the terminal still echoes")
}

func TestAnUnpluggedTerminalHangsUpAndReturnsBehindItsLink(t *testing.T) {
	l := exchange(t, sim.Options{}).Voice("line")
	link := filepath.Join(t.TempDir(), "by-id")
	if err := l.PTYLink(link); err != nil {
		t.Fatal(err)
	}
	before, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, dial(t, link))
	h.ask("AT", "OK")
	l.Vanish()
	for range h.in { // until the end of the file
	}
	if _, err := h.rw.Write([]byte("AT\r")); err == nil {
		t.Error("the port can still be written")
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link: %v", err)
	}
	if err := l.Return(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Readlink(link); err != nil || after == before {
		t.Errorf("the link points at %s, as before; %v", after, err)
	}
	again := newHost(t, dial(t, link))
	defer again.close()
	again.ask("AT", "OK")
	_ = h.rw.Close()
}

func TestATerminalOfAClosedExchangeIsGone(t *testing.T) {
	x := sim.New(sim.Options{})
	l := x.GSM("line")
	at, err := l.PTY()
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := l.PCMPTY()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, dial(t, at))
	h.ask("AT", "OK")
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	for range h.in {
	}
	for _, path := range []string{at, pcm, filepath.Dir(at)} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := l.PTY(); err == nil {
		t.Error("a closed exchange serves a port")
	}
}

func TestAHostThatDoesNotReadDoesNotStopTheModem(t *testing.T) {
	l := exchange(t, sim.Options{Speed: 50}).Voice("line")
	path, err := l.PTY()
	if err != nil {
		t.Fatal(err)
	}
	f := dial(t, path)
	if _, err := io.WriteString(f, "AT+FCLASS=8;H1;+VRX\r"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); !l.OffHook(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the modem is on-hook")
		}
	}
	time.Sleep(500 * time.Millisecond) // 200 kB of voice data
	if _, err := io.WriteString(f, "\x10!ATH\r"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); l.OffHook(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the modem is off-hook")
		}
	}
	_ = f.Close()
}

func TestRelayAndLoopBehindFiles(t *testing.T) {
	l := exchange(t, sim.Options{}).Voice("line")
	dir := filepath.Join(t.TempDir(), "gpio")
	relay, loop := filepath.Join(dir, "hook"), filepath.Join(dir, "loop")
	if err := l.RelayFiles(relay, loop); err != nil {
		t.Fatal(err)
	}
	path, err := l.PTY()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, dial(t, path))
	defer h.close()
	h.ask("ATH1", "OK")
	write := func(value string) {
		f, err := os.OpenFile(relay, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(value); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	replace := func(value string) {
		if err := os.WriteFile(relay+"~", []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(relay+"~", relay); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		name string
		do   func(string)
		with string
		want bool
	}{
		{"at the beginning", func(string) {}, "", false},
		{"1", write, "1", true}, {"0", write, "0", false}, {"1 and a newline", write, "1\n", true},
		{"replaced by 0", replace, "0", false}, {"replaced by 1", replace, "1", true},
		{"removed", func(string) { _ = os.Remove(relay) }, "", false},
	}
	for _, s := range steps {
		s.do(s.with)
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			b, err := os.ReadFile(loop)
			if err != nil || len(b) != 1 {
				t.Fatalf("loop file: %q, %v", b, err)
			}
			if (b[0] == '1') == s.want && l.OffHook() == s.want {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: the loop file says %s, off-hook %v", s.name, b, l.OffHook())
			}
		}
	}
}

func TestRecordingsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "far-end")
	x := exchange(t, sim.Options{Dir: dir, Speed: 20})
	l := x.Voice("fxo1")
	h := open(t, l)
	h.setUp("133")
	want := ramp(8000)
	for range 2 {
		h.ask("AT+VRA=20;DT1 (201) 555-0106", "OK")
		h.ask("AT+VTX", "CONNECT")
		h.send(string(shield(formats[2].encode(want))) + "\x10\x03")
		h.until("OK\r\n", patience)
		h.ask("ATH", "OK")
	}
	h.ask("ATDT5550101", "BUSY") // nobody heard anything
	files, err := filepath.Glob(filepath.Join(dir, "2*-fxo1-12015550106.wav"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	latest := filepath.Join(dir, "latest-fxo1.wav")
	to, err := os.Readlink(latest)
	if err != nil || to != filepath.Base(files[1]) {
		t.Errorf("latest-fxo1.wav is %q, %v", to, err)
	}
	data, err := os.ReadFile(latest)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(data), "RIFF") || !strings.Contains(string(data), string(formats[2].encode(want))) {
		t.Error("the recording does not hold what was played")
	}
}

// TestALockedTerminalIsReplaced is about a host that locks its port and dies, as a user
// whom the lock stops. Only root is not stopped: then the test runs itself as nobody.
func TestALockedTerminalIsReplaced(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	l := exchange(t, sim.Options{}).Voice("line")
	path, err := l.PTY()
	if err != nil {
		t.Fatal(err)
	}
	first := dial(t, path)
	lock(t, first)
	_ = first.Close()
	awaitTermios(t, path)
	h := newHost(t, dial(t, path))
	defer h.close()
	h.ask("AT", "OK")
}

// asNobody runs the test that calls it in a process of its own, as a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sim-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "test"), program, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "test"), "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "TMPDIR=/tmp")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
