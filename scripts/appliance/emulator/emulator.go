// Package emulator runs the appliance's image on an emulated Raspberry Pi 3.
//
// QEMU's raspi3b does not run the Pi's boot firmware, so this package does what it would
// have done, from what is on the card: choose the slot, apply the overlays of config.txt
// to the device tree, start the slot's kernel with its command line. All else is the
// image's own: kernel, init, daemon.
//
//	PL011 on the header   ttyAMA0  Machine.UART   the technician's console
//	USB serial adapter    ttyUSB0  Machine.USB    a modem; can be unplugged
//	USB Ethernet          eth0     Machine.Addr   TCP ports forwarded from 127.0.0.1
//	mini UART                      kernel.log     the kernel's messages, output only
//	BCM2837 GPIO                   Machine.GPIO   read from the SoC's registers
package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options of a machine.
type Options struct {
	Card string // the image, written to as the card would be; its size is a power of two
	Dir  string // sockets, logs and what is taken off the card go here
	Try  bool   // the boot that follows `reboot "0 tryboot"`

	// Forward gives for ports of the board the ports of 127.0.0.1 that lead there.
	Forward map[int]int
	// Offline leaves the Ethernet adapter out.
	Offline bool
	// Append is added to the kernel's command line.
	Append string
}

// Machine is a running emulated board. Close, or Kill, ends it.
type Machine struct {
	Slot    int       // partition that was started
	Started time.Time // when the power came on

	opt    Options
	cmd    *exec.Cmd
	qmp    *qmp
	exited chan struct{}
	mu     sync.Mutex // guards the monitor's dialogue
}

// Start puts the power on.
func Start(opt Options) (*Machine, error) {
	if err := os.MkdirAll(opt.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	boot, err := readCard(opt)
	if err != nil {
		return nil, err
	}
	m := &Machine{Slot: boot.slot, opt: opt, exited: make(chan struct{})}
	for _, stale := range []string{"uart.sock", "usb.sock", "qmp.sock", "qemu.log", "uart.log", "usb.log"} {
		_ = os.Remove(m.path(stale))
	}
	m.cmd = exec.Command("qemu-system-aarch64", m.args(boot)...)
	log, err := os.Create(m.path("qemu.out"))
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	defer log.Close()
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.Started = time.Now()
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	go func() { _ = m.cmd.Wait(); close(m.exited) }()
	if m.qmp, err = dialQMP(m.path("qmp.sock"), m.exited); err != nil {
		m.Kill()
		out, _ := os.ReadFile(m.path("qemu.out"))
		return nil, fmt.Errorf("emulator: %w: %.500s", err, out)
	}
	return m, nil
}

func (m *Machine) path(name string) string { return filepath.Join(m.opt.Dir, name) }

func (m *Machine) args(b boot) []string {
	net := "user,id=net0"
	for guest, host := range m.opt.Forward {
		net += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:%d-:%d", host, guest)
	}
	args := []string{
		"-M", "raspi3b", "-m", "1G", "-smp", "4",
		// One thread: the three cores that Linux is not told of would spin in their own.
		"-accel", "tcg,thread=single",
		"-kernel", b.kernel, "-initrd", b.initrd, "-dtb", b.dtb,
		// The watchdog of QEMU's bcm2835 has no count-down: it resets when it is armed.
		"-append", "earlycon=uart8250,mmio32,0x3f215040 keep_bootcon " + b.cmdline + " appliance_watchdog=0 " + m.opt.Append,
		"-drive", "file=" + m.opt.Card + ",if=sd,format=raw,cache=writeback",
		"-chardev", "socket,id=uart,path=" + m.path("uart.sock") + ",server=on,wait=off,logfile=" + m.path("uart.log"),
		"-serial", "chardev:uart",
		// Output only: as a console the mini UART hangs a one-core guest.
		"-serial", "file:" + m.path("kernel.log"),
		"-chardev", "socket,id=usb,path=" + m.path("usb.sock") + ",server=on,wait=off,logfile=" + m.path("usb.log"),
		"-device", usbSerial,
		"-qmp", "unix:" + m.path("qmp.sock") + ",server=on,wait=off",
		"-display", "none", "-no-reboot", "-d", "unimp,guest_errors", "-D", m.path("qemu.log"),
	}
	if !m.opt.Offline {
		args = append(args, "-netdev", net, "-device", "usb-net,netdev=net0,mac=b8:27:eb:12:34:56")
	}
	return args
}

// Kill is a power cut: SIGKILL, and no more.
func (m *Machine) Kill() {
	_ = m.cmd.Process.Kill()
	<-m.exited
}

// Exited is closed when the machine has stopped: by Kill, or because the board restarts,
// which ends an emulated machine. See Trying.
func (m *Machine) Exited() <-chan struct{} { return m.exited }

// Trying says of a stopped machine whether it asked the boot firmware for the other slot.
func (m *Machine) Trying() bool {
	// The kernel's message to the VideoCore, RPI_FIRMWARE_SET_REBOOT_FLAGS, which QEMU has not.
	b, _ := os.ReadFile(m.path("qemu.log"))
	return strings.Contains(string(b), "unhandled tag 0x00038064")
}

// UART connects to the header's serial port; one connection at a time.
func (m *Machine) UART() (net.Conn, error) { return net.Dial("unix", m.path("uart.sock")) }

// USB connects to the far side of the USB serial adapter.
func (m *Machine) USB() (net.Conn, error) { return net.Dial("unix", m.path("usb.sock")) }

// Addr is where a port of the board is reached.
func (m *Machine) Addr(port int) string { return fmt.Sprintf("127.0.0.1:%d", m.opt.Forward[port]) }

// KernelLog is what the kernel, init and the daemon have logged so far.
func (m *Machine) KernelLog() string {
	b, _ := os.ReadFile(m.path("kernel.log"))
	return string(b)
}

// Complaints is what QEMU itself has said.
func (m *Machine) Complaints() string {
	b, _ := os.ReadFile(m.path("qemu.out"))
	return string(b)
}

// WaitLog waits until the kernel log holds text.
func (m *Machine) WaitLog(ctx context.Context, text string) error {
	for !strings.Contains(m.KernelLog(), text) {
		if err := m.wait(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("emulator: wait for %q in the kernel log: %w", text, err)
		}
	}
	return nil
}

// wait waits for a while, for ctx, or for the machine to stop.
func (m *Machine) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-m.exited:
		return errors.New("the machine has stopped")
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func (m *Machine) do(command string, args map[string]any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.qmp.run(command, args)
	return err
}

// GPIO registers of the BCM2837 (BCM2835 ARM Peripherals, 6.1), at the ARM's addresses.
const (
	gpfsel0 = 0x3f200000
	gplev0  = 0x3f200034
)

// GPIO reads from the SoC's registers what the pin is: an output or not, and its level.
// The level of a pin that is no output says nothing: QEMU keeps the last one written.
func (m *Machine) GPIO(pin int) (output, high bool, err error) {
	sel, err := m.word(gpfsel0 + 4*(pin/10))
	if err != nil {
		return false, false, err
	}
	level, err := m.word(gplev0 + 4*(pin/32))
	return sel>>(3*(pin%10))&7 == 1, level>>(pin%32)&1 == 1, err
}

func (m *Machine) word(address int) (uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out, err := m.qmp.human(fmt.Sprintf("xp /1wx 0x%x", address))
	if err != nil {
		return 0, err
	}
	var at, word uint32
	if _, err := fmt.Sscanf(strings.TrimSpace(out), "%x: 0x%x", &at, &word); err != nil {
		return 0, fmt.Errorf("emulator: register: %q: %w", out, err)
	}
	return word, nil
}
