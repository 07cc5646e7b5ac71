package main

import (
	"context"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/hal"
)

// serialDir holds udev's two directories: by-id, the names under which a modem is found
// wherever it is plugged in, and by-path, those of the sockets.
const serialDir = "/dev/serial"

// headerPort is the UART on the header.
const headerPort = "/dev/ttyAMA0"

// linkSerialPorts keeps serialDir as udev would.
func linkSerialPorts(ctx context.Context) {
	// The UART on the header, by the name that Raspberry Pi OS has for it.
	if _, err := os.Stat(headerPort); err == nil {
		_ = os.Symlink("ttyAMA0", "/dev/serial0")
	}
	for _, by := range []string{"by-id", "by-path"} {
		if err := os.MkdirAll(filepath.Join(serialDir, by), 0o755); err != nil {
			log.Printf("serial ports: %v", err)
			return
		}
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err == nil {
		defer unix.Close(fd)
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1})
	}
	if err == nil {
		// So that the end of ctx is noticed.
		err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
	}
	if err != nil {
		log.Printf("serial ports: no events: %v", err)
	}
	message := make([]byte, 8192)
	changed := true
	for ctx.Err() == nil {
		if changed {
			relink(serialPorts("/sys/class/tty"))
		}
		n, err := unix.Read(fd, message)
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			_ = hal.Sleep(ctx, time.Second) // messages were lost: look
		}
		changed = err == unix.ENOBUFS || n > 0 && strings.Contains(string(message[:n]), "SUBSYSTEM=tty\x00")
	}
}

// relink makes the links what they should be.
func relink(ports map[string]string) {
	old, _ := filepath.Glob(filepath.Join(serialDir, "by-*", "*"))
	for _, path := range old {
		name, _ := filepath.Rel(serialDir, path)
		if target, _ := os.Readlink(path); target != ports[name] {
			_ = os.Remove(path)
		}
	}
	for name, target := range ports {
		if err := os.Symlink(target, filepath.Join(serialDir, name)); err == nil {
			log.Printf("serial port %s is %s", name, filepath.Base(target))
		}
	}
}

// serialPorts returns, for each USB serial port, udev's names for it and where a link of
// that name leads (systemd 60-serial.rules).
func serialPorts(class string) map[string]string {
	ports := make(map[string]string)
	for _, kind := range []string{"ttyUSB*", "ttyACM*"} {
		found, _ := filepath.Glob(filepath.Join(class, kind))
		for _, tty := range found {
			target := "../../" + filepath.Base(tty)
			if name := portName(tty); name != "" {
				ports["by-id/"+name] = target
			}
			if name := portPath(tty); name != "" {
				ports["by-path/"+name] = target
			}
		}
	}
	return ports
}

// The parts of a path in sysfs that say where a USB interface is plugged in.
var (
	usbInterface = regexp.MustCompile(`^\d+-([\d.]+:\d+\.\d+)$`)
	usbBus       = regexp.MustCompile(`^usb\d+$`)
	pciDevice    = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$`)
)

// portPath is udev's name for the socket that a tty is plugged into (systemd path_id):
// such as platform-3f980000.usb-usb-0:1.2:1.0-port0.
func portPath(tty string) string {
	dir, err := filepath.EvalSymlinks(filepath.Join(tty, "device"))
	if err != nil {
		return ""
	}
	suffix := ""
	if b, err := os.ReadFile(filepath.Join(dir, "port_number")); err == nil {
		suffix = "-port" + strings.TrimSpace(string(b))
	}
	parts := strings.Split(dir, "/")
	socket := ""
	for i := len(parts) - 1; i > 0; i-- {
		if m := usbInterface.FindStringSubmatch(parts[i]); m != nil && socket == "" {
			socket = "usb-0:" + m[1] + suffix
		}
		if usbBus.MatchString(parts[i]) && socket != "" {
			return controller(parts[:i]) + "-" + socket
		}
	}
	return ""
}

// controller names the USB host at the end of a path: on the SoC, or on its PCI bus.
func controller(parts []string) string {
	last := len(parts) - 1
	if !pciDevice.MatchString(parts[last]) {
		return "platform-" + parts[last]
	}
	pci := "pci-" + parts[last]
	for last > 0 && (pciDevice.MatchString(parts[last]) || strings.HasPrefix(parts[last], "pci")) {
		last--
	}
	return "platform-" + parts[last] + "-" + pci
}

// portName climbs from a tty to its USB interface and device.
func portName(tty string) string {
	dir, err := filepath.EvalSymlinks(filepath.Join(tty, "device"))
	if err != nil {
		return ""
	}
	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		return strings.TrimSpace(string(b))
	}
	suffix := ""
	if port := read("port_number"); port != "" {
		suffix = "-port" + port
	}
	number := ""
	for ; len(dir) > 1 && read("idVendor") == ""; dir = filepath.Dir(dir) {
		if n := read("bInterfaceNumber"); n != "" {
			number = n
		}
	}
	if len(dir) <= 1 {
		return ""
	}
	id := "usb"
	for i, name := range []string{"manufacturer", "product", "serial"} {
		text := read(name)
		if text == "" {
			text = []string{read("idVendor"), read("idProduct"), ""}[i]
		}
		if text != "" {
			id += map[bool]string{true: "-", false: "_"}[i == 0] + clean(text)
		}
	}
	return id + "-if" + number + suffix
}

// clean leaves what udev leaves in a name: anything else becomes "_".
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', strings.ContainsRune("#+-.:=@_", r):
			return r
		}
		return '_'
	}, strings.Join(strings.Fields(s), "_"))
}
