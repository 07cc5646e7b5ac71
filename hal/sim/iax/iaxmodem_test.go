package iax_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/hal/at"
	"hookswitch/hal/sim/iax"
)

const patience = 20 * time.Second

// network is what becomes of a call to a number.
func (b *bench) network(called string) []iax.Step {
	ringing := iax.Step{After: 200 * time.Millisecond, Event: iax.Ringing, Told: func() { b.rung <- struct{}{} }}
	switch called {
	case "5551": // busy
		return []iax.Step{{After: 200 * time.Millisecond, Event: iax.Busy}}
	case "5552": // not taken at all
		return []iax.Step{{Event: iax.Reject}}
	case "5553": // rings for ever
		return []iax.Step{ringing}
	case "5554": // answers, then hangs up
		return []iax.Step{
			ringing, {After: 300 * time.Millisecond, Event: iax.Answer},
			{After: 2 * time.Second, Event: iax.Hangup, Cause: 16},
		}
	case "5555": // a busy subscriber by its cause
		return []iax.Step{{After: 300 * time.Millisecond, Event: iax.Hangup, Cause: 17}}
	}
	return nil
}

// bench is an iaxmodem between an AT channel of ours and a network of ours.
type bench struct {
	peer *iax.Peer
	port int // of iaxmodem
	chat *at.Chat
	urcs chan string
	rung chan struct{} // the modem knows that the far end rings
}

func newBench(t *testing.T) *bench {
	t.Helper()
	program, err := exec.LookPath("iaxmodem")
	if err != nil {
		t.Fatal("this test needs the program iaxmodem: install the Debian package iaxmodem")
	}
	b := &bench{port: freePort(t), urcs: make(chan string, 100), rung: make(chan struct{}, 100)}
	if b.peer, err = iax.Listen(b.network); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("hookswitch-%d", os.Getpid())
	device := filepath.Join(t.TempDir(), "ttyIAX")
	config := fmt.Sprintf("device %s\nowner root:root\nmode 600\nport %d\nrefresh 0\nserver %s\npeername hookswitch\nsecret x\ncidname Board\ncidnumber 2015550100\ncodec slinear\nnodaemon\n",
		device, b.port, b.peer.Addr())
	if err := os.WriteFile("/etc/iaxmodem/"+name, []byte(config), 0o644); err != nil {
		t.Fatalf("this test has to write iaxmodem's configuration, as root: %v", err)
	}
	var log strings.Builder
	cmd := exec.Command(program, name)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it would outlive a test that is killed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.chat.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = b.peer.Close()
		_ = os.Remove("/etc/iaxmodem/" + name)
		if t.Failed() {
			t.Logf("iaxmodem said: %s", log.String())
		}
	})
	b.chat = at.NewChat(terminal(t, device), at.Config{URC: func(line string) { b.urcs <- line }})
	b.ask(t, "ATZ")
	b.ask(t, "ATE0V1")
	return b
}

func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// terminal opens iaxmodem's pseudo terminal once it is there.
func terminal(t *testing.T, path string) io.ReadWriteCloser {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		s, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			s.Iflag, s.Oflag, s.Lflag = 0, 0, 0
			err = unix.IoctlSetTermios(fd, unix.TCSETS, s)
		}
		if err != nil {
			t.Fatal(err)
		}
		return os.NewFile(uintptr(fd), path)
	}
	t.Fatalf("iaxmodem has not made %s", path)
	return nil
}

func (b *bench) ask(t *testing.T, cmd string) {
	t.Helper()
	if _, err := b.chat.Command(t.Context(), cmd, ""); err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
}

// dial is the result of ATDT.
func (b *bench) dial(t *testing.T, number string) string {
	t.Helper()
	result, err := b.chat.Dial(t.Context(), "ATDT"+number)
	if err != nil {
		t.Fatalf("ATDT%s: %v", number, err)
	}
	return result
}

func (b *bench) urc(t *testing.T, prefix string) {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case line := <-b.urcs:
			if strings.HasPrefix(line, prefix) {
				return
			}
		case <-limit:
			t.Fatalf("no %s", prefix)
		}
	}
}

// ring calls the modem, which takes no call for 5 s after one of its own.
func (b *bench) ring(t *testing.T, steps ...iax.Step) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		b.peer.Call(b.port, "0612345678", "Alice", "900", steps...)
		select {
		case line := <-b.urcs: // the first of many
			if !strings.HasPrefix(line, "DATE=") {
				t.Fatalf("got %s", line)
			}
			return
		case <-b.peer.Hangups():
			time.Sleep(200 * time.Millisecond)
		case <-time.After(patience):
			t.Fatal("the modem does not ring")
		}
	}
	t.Fatal("the modem takes no call")
}

func (b *bench) hungUp(t *testing.T, number string) {
	t.Helper()
	select {
	case got := <-b.peer.Hangups():
		if got != number {
			t.Errorf("the call to %s was hung up, want %s", got, number)
		}
	case <-time.After(patience):
		t.Errorf("the network has not seen the call to %s hung up", number)
	}
}

func TestOurATChannelOnAModemThatIsNotOurs(t *testing.T) {
	b := newBench(t)
	for _, tt := range []struct{ name, number, want string }{
		{"busy tone", "5551", "BUSY"},
		{"a call that the network rejects", "5552", "NO DIALTONE"},
		{"cause 17", "5555", "BUSY"},
		{"a far end that hangs up", "5554", "NO CARRIER"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := b.dial(t, tt.number); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("ATH is seen by the network", func(t *testing.T) {
		for len(b.peer.Hangups()) > 0 {
			<-b.peer.Hangups()
		}
		for len(b.rung) > 0 {
			<-b.rung
		}
		// iaxmodem goes back to commands while it dials: no byte aborts the call.
		if err := b.chat.WriteRaw([]byte("ATDT5553\r")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-b.rung:
		case <-time.After(patience):
			t.Fatal("the modem was not told that the far end rings")
		}
		b.ask(t, "ATH")
		b.hungUp(t, "5553")
	})
	t.Run("an incoming call and who it is from", func(t *testing.T) {
		b.ask(t, "AT+VCID=1")
		b.ring(t)
		b.urc(t, "NAME=Alice")
		b.urc(t, "NMBR=0612345678")
		b.urc(t, "RING")
		b.ask(t, "ATH1")
		b.ask(t, "ATH")
		b.hungUp(t, "900")
	})
	t.Run("a caller who gives up", func(t *testing.T) {
		b.ring(t, iax.Step{After: time.Second, Event: iax.Hangup, Cause: 16})
		b.urc(t, "RING")
		b.ask(t, "AT")
	})
}
