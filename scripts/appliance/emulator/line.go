package emulator

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Line is a simulated telephone line with its modem, on this machine: `hookswitch
// simulate` in a process of its own. It outlives the boards that it is connected to.
type Line struct {
	Dir string // fxo1 (the modem's port), fxo1-hook (the relay's level), far-end/

	cmd *exec.Cmd
}

// StartLine starts the simulator with the hookswitch program of this machine.
func StartLine(program, dir string) (*Line, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	l := &Line{Dir: dir, cmd: exec.Command(program, "simulate", "--dir", dir)}
	log, err := os.Create(filepath.Join(dir, "simulate.log"))
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	defer log.Close()
	l.cmd.Stdout, l.cmd.Stderr = log, log
	_ = os.Remove(l.Port())
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("emulator: line: %w", err)
	}
	for range 100 {
		if _, err := os.Stat(l.Port()); err == nil {
			return l, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.Close()
	return nil, fmt.Errorf("emulator: line: %s has not appeared", l.Port())
}

// Port is the modem's AT port.
func (l *Line) Port() string { return filepath.Join(l.Dir, "fxo1") }

// Close stops the simulator.
func (l *Line) Close() {
	_ = l.cmd.Process.Signal(os.Interrupt)
	done := time.AfterFunc(5*time.Second, func() { _ = l.cmd.Process.Kill() })
	defer done.Stop()
	_ = l.cmd.Wait()
}

// Relay is the pin of the board that the hook relay hangs on. Its contact is normally open.
type Relay struct {
	Pin       int
	ActiveLow bool
}

// Closed says what the relay's coil makes of the pin as the SoC's registers have it.
func (m *Machine) Closed(r Relay) (bool, error) {
	output, high, err := m.GPIO(r.Pin)
	return output && high != r.ActiveLow, err
}

// Connect is the wire between a board and the line, until ctx ends or the machine stops:
// conn is the board's serial port, and the line's relay follows the board's pin.
func (l *Line) Connect(ctx context.Context, m *Machine, conn net.Conn, relay Relay) error {
	modem, err := openRaw(l.Port())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wires sync.WaitGroup
	wires.Go(func() { defer cancel(); _, _ = io.Copy(conn, modem) })
	wires.Go(func() { defer cancel(); _, _ = io.Copy(modem, conn) })
	wires.Go(func() { defer cancel(); err = l.follow(ctx, m, relay) })
	select {
	case <-ctx.Done():
	case <-m.exited:
	}
	cancel()
	_ = conn.Close()
	_ = modem.Close()
	wires.Wait()
	return err
}

// follow sets the simulator's relay as the board's pin is.
func (l *Line) follow(ctx context.Context, m *Machine, relay Relay) error {
	last := "?"
	for {
		closed, err := m.Closed(relay)
		if err != nil {
			return err
		}
		if level := map[bool]string{true: "1", false: "0"}[closed]; level != last {
			last = level
			f, err := os.OpenFile(filepath.Join(l.Dir, "fxo1-hook"), os.O_WRONLY, 0)
			if err != nil {
				return fmt.Errorf("emulator: relay: %w", err)
			}
			_, err = f.WriteString(level)
			_ = f.Close()
			if err != nil {
				return fmt.Errorf("emulator: relay: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.exited:
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// openRaw opens a pseudo terminal that passes every byte as it is.
func openRaw(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("emulator: %s: %w", path, err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
		err = unix.IoctlSetTermios(fd, unix.TCSETS, t)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("emulator: %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}
