// Package sentence turns an error into what a person reads. In the log an error begins with
// the package that it comes from, as in "config: line 3: …"; a person has no use for that.
package sentence

import "strings"

// packages are those whose errors people see.
var packages = []string{
	"audio: ", "call: ", "config: ", "console: ", "daemon: ", "dialing: ", "health: ", "hook: ", "mailbox: ",
	"modem: ", "rpi: ", "soap: ", "update: ", "web: ",
}

// Of returns the text of err without the names of packages that its lines begin with.
func Of(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for i, line := range lines {
		lines[i] = withoutPackage(line)
	}
	return strings.Join(lines, "\n")
}

func withoutPackage(line string) string {
	for i := 0; i < len(packages); i++ {
		if rest, ok := strings.CutPrefix(line, packages[i]); ok {
			line, i = rest, -1 // another package may have wrapped it
		}
	}
	return line
}
