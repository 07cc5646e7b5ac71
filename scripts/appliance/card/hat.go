package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hookswitch/board"
)

// hatConfig returns the lines of config.txt that a HAT needs before Linux runs: overlays,
// and the levels that keep its relays open. What own has already is left out; the overlays
// must be in dir.
func hatConfig(name, own, dir string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	hat, err := board.Load(name)
	if err != nil {
		return nil, fmt.Errorf("%w: there are %s", err, strings.Join(board.Names(), ", "))
	}
	lines := "# " + hat.Title + "\n"
	for _, line := range hat.Config {
		if strings.Contains(own, "\n"+line+"\n") {
			continue
		}
		if overlay, ok := strings.CutPrefix(line, "dtoverlay="); ok {
			overlay, _, _ = strings.Cut(overlay, ",")
			if _, err := os.Stat(filepath.Join(dir, overlay+".dtbo")); err != nil {
				return nil, fmt.Errorf("board %s: %w", name, err)
			}
		}
		lines += line + "\n"
	}
	return []byte(lines), nil
}

// hatLine is the part of the first configuration that the HAT decides: its own modem, or
// its relay with a modem still to be named.
func hatLine(name string) []byte {
	hat, err := board.Load(name)
	if err != nil {
		return nil // hatConfig has said so
	}
	if hat.Modem != nil {
		return fmt.Appendf(nil, "\n[[line]]\nname = \"line1\"\nboard = %q\n", name)
	}
	return fmt.Appendf(nil, "\n# The modem of this line: `probe` on the console says on which port it is.\n#[[line]]\n#name = \"line1\"\n#board = %q\n#port = \"/dev/serial/by-id/...\"\n", name)
}
