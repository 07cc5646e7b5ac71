package main

import (
	"context"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const byID = "/dev/serial/by-id"

// linkSerialPorts keeps /dev/serial/by-id as udev would: the names under which a
// configuration finds a modem wherever it is plugged in.
func linkSerialPorts(ctx context.Context) {
	if err := os.MkdirAll(byID, 0o755); err != nil {
		log.Printf("serial ports: %v", err)
		return
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
			wait(ctx, time.Second) // messages were lost: look
		}
		changed = err == unix.ENOBUFS || n > 0 && strings.Contains(string(message[:n]), "SUBSYSTEM=tty\x00")
	}
}

// relink makes the links what they should be.
func relink(ports map[string]string) {
	old, _ := os.ReadDir(byID)
	for _, e := range old {
		path := filepath.Join(byID, e.Name())
		if target, _ := os.Readlink(path); target != ports[e.Name()] {
			_ = os.Remove(path)
		}
	}
	for name, target := range ports {
		if err := os.Symlink(target, filepath.Join(byID, name)); err == nil {
			log.Printf("serial port %s is %s", name, filepath.Base(target))
		}
	}
}

// serialPorts returns, for each USB serial port, udev's name for it and where a link of
// that name leads (systemd 60-serial.rules).
func serialPorts(class string) map[string]string {
	ports := make(map[string]string)
	for _, kind := range []string{"ttyUSB*", "ttyACM*"} {
		found, _ := filepath.Glob(filepath.Join(class, kind))
		for _, tty := range found {
			if name := portName(tty); name != "" {
				ports[name] = "../../" + filepath.Base(tty)
			}
		}
	}
	return ports
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
