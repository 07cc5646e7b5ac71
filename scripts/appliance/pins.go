//go:build pins

// The kernel and the boot firmware are data in Go modules. This file, in no build, keeps
// their versions and sums in go.mod and go.sum.
package pins

import (
	_ "github.com/gokrazy/firmware"
	_ "github.com/gokrazy/kernel.rpi"
)
