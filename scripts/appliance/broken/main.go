// Command broken is the daemon of an update that must not survive: it fails at once.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "broken on purpose")
	os.Exit(1)
}
