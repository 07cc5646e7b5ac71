package daemon_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
)

// guardedBoard is the simulated exchange, and a configuration of a line on it with a hook relay.
type guardedBoard struct {
	dir, config, addr string
}

func newGuardedBoard(t *testing.T) guardedBoard {
	t.Helper()
	b := guardedBoard{dir: exchange(t), addr: freeAddr(t)}
	data := t.TempDir()
	b.config = filepath.Join(data, "hookswitch.toml")
	box := filepath.Join(data, "mailbox", "local", "messages")
	config := fmt.Sprintf(boardConfig, data, b.addr, b.dir)
	config = strings.Replace(config, `"normally-open" }`, `"normally-open", min_on_hook = "100ms" }`, 1)
	if err := errors.Join(os.WriteFile(b.config, []byte(config), 0o600), os.MkdirAll(box, 0o700)); err != nil {
		t.Fatal(err)
	}
	var wav bytes.Buffer
	if err := errors.Join(audio.WriteWAV(&wav, audio.Tone([]float64{1000}, 50*time.Second, -13)),
		os.WriteFile(filepath.Join(box, "long.wav"), wav.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b guardedBoard) hook(t *testing.T) string { return level(t, b.dir+"/fxo1-hook") }

// call is a call whose message plays. A machine so busy that the guard gets no processor for
// half a second cuts a call, as it should: then another is made.
func (b guardedBoard) call(t *testing.T, c client) (id string) {
	t.Helper()
	for range 5 {
		id = b.dial(t, c)
		info := c.until(id, call.Connected, call.Disconnected)
		if info.State == call.Connected {
			return id
		}
		t.Logf("cut: %s", info.Reason)
	}
	t.Fatal("no call is answered")
	return ""
}

// dial is a call that has the line off-hook.
func (b guardedBoard) dial(t *testing.T, c client) (id string) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(time.Millisecond) {
		switch {
		case b.hook(t) == "1":
			return id
		case c.lines()[0].State == "idle": // at first, and behind a call that was cut at once
			id = c.play(c.item(), "5550100")
		}
	}
	t.Fatalf("the hook relay does not close: %+v", c.lines())
	return ""
}

// opens waits until the hook relay is open. How long it took is told, and is measured by
// scripts/bench guard: this machine may be busy with other tests.
func (b guardedBoard) opens(t *testing.T) {
	t.Helper()
	begin := time.Now()
	for b.hook(t) != "0" {
		if time.Since(begin) > patience {
			t.Fatal("the hook relay stays closed")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("open after %v", time.Since(begin))
}

// stuckDaemon is a daemon that goes wrong at SIGUSR1 and SIGUSR2.
func stuckDaemon(t *testing.T, b guardedBoard) (*exec.Cmd, client) {
	t.Helper()
	program, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(),
		"HOOKSWITCH_TEST_SERVES="+b.config, "HOOKSWITCH_TEST_GUARD="+program, "GODEBUG=asyncpreemptoff=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(time.Millisecond) {
		if resp, err := http.Get("http://" + b.addr + "/api/lines"); err == nil {
			_ = resp.Body.Close()
			return cmd, client{t, "http://" + b.addr}
		}
	}
	t.Fatal("the daemon does not answer")
	return nil, client{}
}

func TestTheHookRelayOpensWhenTheDaemon(t *testing.T) {
	ours := func(t *testing.T, b guardedBoard) (*exec.Cmd, client) { return serve(t, b.config, b.addr) }
	tests := []struct {
		name   string
		start  func(*testing.T, guardedBoard) (*exec.Cmd, client)
		signal syscall.Signal
	}{
		{"is killed", ours, syscall.SIGKILL},
		{"is aborted", ours, syscall.SIGABRT},
		{"is stopped", ours, syscall.SIGSTOP},
		{"has deadlocked in its engine", stuckDaemon, syscall.SIGUSR1},
		{"loops on every processor", stuckDaemon, syscall.SIGUSR2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newGuardedBoard(t)
			cmd, c := tt.start(t, b)
			b.dial(t, c)
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			b.opens(t)
		})
	}
}

func TestACallOfADaemonThatWasStoppedForAWhileSaysSo(t *testing.T) {
	t.Parallel()
	b := newGuardedBoard(t)
	cmd, c := serve(t, b.config, b.addr)
	id := b.call(t, c)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b.opens(t)
	time.Sleep(time.Second) // the loop current is gone for so long that it is a hang-up of the far end
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	info := c.until(id, call.Disconnected)
	if info.Cause != call.Other || !strings.Contains(info.Reason, "had stood still") {
		t.Errorf("cause %s, reason %q", info.Cause, info.Reason)
	}
	b.call(t, c) // the line serves
}

// guardOf is the process id of a daemon's guard.
func guardOf(t *testing.T, daemon int) int {
	t.Helper()
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", daemon))
	for _, file := range files {
		b, _ := os.ReadFile(file)
		for field := range strings.FieldsSeq(string(b)) {
			n, _ := strconv.Atoi(field)
			return n
		}
	}
	t.Fatal("the daemon has no guard")
	return 0
}

func TestADaemonWhoseGuardDiesHangsUpAndGetsAnother(t *testing.T) {
	t.Parallel()
	b := newGuardedBoard(t)
	cmd, c := serve(t, b.config, b.addr)
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			id := b.call(t, c)
			if err := syscall.Kill(guardOf(t, cmd.Process.Pid), signal); err != nil {
				t.Fatal(err)
			}
			b.opens(t)
			info := c.until(id, call.Disconnected)
			if info.Cause != call.Other || !strings.Contains(info.Reason, "drives the hook relay has died") {
				t.Errorf("cause %s, reason %q", info.Cause, info.Reason)
			}
		})
	}
	b.call(t, c) // the line serves
}

// What a service manager sends to every process of a daemon, or a terminal to its group.
func TestAnOrderlyEndIsLeftToTheDaemon(t *testing.T) {
	t.Parallel()
	b := newGuardedBoard(t)
	cmd, c := serve(t, b.config, b.addr)
	b.dial(t, c)
	guard := guardOf(t, cmd.Process.Pid)
	if err := errors.Join(syscall.Kill(guard, syscall.SIGTERM), syscall.Kill(guard, syscall.SIGINT),
		cmd.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the daemon ended: %v", err)
	}
	if b.hook(t) != "0" {
		t.Error("the hook relay is closed")
	}
	if err := syscall.Kill(guard, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the guard is still there: %v", err)
	}
}
