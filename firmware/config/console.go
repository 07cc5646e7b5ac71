package config

import "path/filepath"

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
