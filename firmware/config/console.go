package config

import (
	"path/filepath"
	"slices"
)

// console tells a port of the console's that is no port, or that a line's modem is on: there
// would be no console, and nobody to tell.
func (k *checker) console() {
	const table = "[console]"
	at := k.root.key("console").key("ports")
	for i, port := range k.c.Console.Ports {
		if port != ConsoleAuto && !filepath.IsAbs(port) {
			k.add(at.item(i), table, "ports", `%s is no serial port; write "/dev/…", or "auto"`, quote(port))
			continue
		}
		for _, l := range k.c.Lines {
			if p := filepath.Clean(port); p == filepath.Clean(l.Port) || p == filepath.Clean(l.PCM) {
				k.add(at.item(i), table, "ports", "%s is where line %s has its modem; a port is for one of the two", quote(port), quote(l.Name))
				break
			}
		}
	}
}

// headerUART is the serial port of a board's header.
const headerUART = "/dev/ttyAMA0"

// TechnicianPorts returns the serial ports of the technician's console that no line has, the
// first choice first. An appliance has a console unless its configuration says otherwise.
func (c *Config) TechnicianPorts(appliance bool) (ports []string) {
	wanted := c.Console.Ports
	if wanted == nil && appliance {
		wanted = []string{ConsoleAuto}
	}
	for _, port := range wanted {
		if port != ConsoleAuto {
			ports = append(ports, port)
			continue
		}
		ports = append(ports, headerUART)
		if c.hasModem(headerUART) {
			usb, _ := filepath.Glob("/dev/ttyUSB*")
			ports = append(ports, usb...)
		}
	}
	return slices.DeleteFunc(ports, c.hasModem)
}

// hasModem reports whether a line's modem is on a port, whatever name the line has for it.
func (c *Config) hasModem(port string) bool {
	device, err := filepath.EvalSymlinks(port)
	return err == nil && slices.ContainsFunc(c.Lines, func(l Line) bool {
		at, _ := filepath.EvalSymlinks(l.Port)
		pcm, _ := filepath.EvalSymlinks(l.PCM)
		return device == at || device == pcm
	})
}
