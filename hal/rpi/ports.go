package rpi

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Ports lists the machine's serial ports, each once, by the name that is most likely to
// find the same device after a reboot: by its identity, by its socket, else by its number.
func Ports() []string { return ports("/") }

func ports(root string) (names []string) {
	var seen []string
	for _, kind := range []string{"serial/by-id/*", "serial/by-path/*", "ttyUSB*", "ttyACM*", "ttyAMA*", "ttyS*"} {
		found, _ := filepath.Glob(filepath.Join(root, "dev", kind)) // in order
		for _, name := range found {
			device, err := filepath.EvalSymlinks(name)
			if err != nil || slices.Contains(seen, device) || !populated(root, filepath.Base(device)) {
				continue
			}
			seen = append(seen, device)
			names = append(names, name)
		}
	}
	return names
}

// populated says whether there is a UART behind a ttyS: kernels make four of them on a PC,
// whatever is there, and give those that are not there the type 0.
func populated(root, tty string) bool {
	kind, err := os.ReadFile(filepath.Join(root, "sys/class/tty", tty, "type"))
	return !strings.HasPrefix(tty, "ttyS") || err == nil && strings.TrimSpace(string(kind)) != "0"
}
