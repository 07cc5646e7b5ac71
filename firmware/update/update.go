// Package update changes the appliance's software so that it can never be left without
// any: a signed archive is verified whole, written to the slot that is not running, tried
// once, and made the default only by a daemon that has proved itself.
//
// # The card
//
//	p1  SELECT  FAT16  autoboot.txt (which slot starts), update.pub (whose updates are taken)
//	p2  slot A  FAT32  firmware, kernel, device trees, initramfs = all of one version
//	p3  slot B  FAT32  the same of another version
//	p4  perm    ext4   configuration, messages, logs, update.json
//
// The Raspberry Pi's own boot firmware chooses: it starts boot_partition of autoboot.txt,
// or for one boot after `reboot "0 tryboot"` the one of the [tryboot] section
// (Raspberry Pi documentation, "autoboot.txt", tryboot_a_b). A power cut, a crash or the
// watchdog during that one boot therefore ends in the old version without our help.
//
// # The life of an update
//
//	verify ─► write other slot ─► trying ─► (tryboot) self-test ─► confirmed
//	   │refuse      │power cut       └────────── anything else ─► failed, old version runs
//	   ▼            ▼
//	nothing changed, the old version runs
package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Errors that a caller tells apart. All of them mean that nothing has been written.
var (
	ErrCorrupt   = errors.New("update: archive is damaged or incomplete")
	ErrSignature = errors.New("update: not signed with the key that this board trusts")
	ErrBoard     = errors.New("update: made for another board")
	ErrDowngrade = errors.New("update: older than what is running")
	ErrSame      = errors.New("update: this version is already running")
	ErrTooBig    = errors.New("update: does not fit the slot")
	ErrTrial     = errors.New("update: the running version is itself on trial")
	ErrBusy      = errors.New("update: another update is under way")
	ErrNoCard    = errors.New("update: not an appliance image; update the package instead")
)

// Board is what the image is built for: every 64-bit Raspberry Pi.
const Board = "rpi-arm64"

// Release says what software this is.
type Release struct {
	Board   string `json:"board"`
	Version string `json:"version"`
	Built   int64  `json:"built"` // Unix time of the commit; what "older" is decided by
}

// ReleaseFile holds the Release of a running appliance. Elsewhere there is none.
const ReleaseFile = "/etc/hookswitch-release"

// ReadRelease reads a release file. Where there is none the error is ErrNoCard.
func ReadRelease(path string) (Release, error) {
	var r Release
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return r, ErrNoCard
	}
	if err != nil {
		return r, fmt.Errorf("update: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("update: %s: %w", path, err)
	}
	return r, nil
}

// Manifest says what is in an archive.
type Manifest struct {
	Release
	Size   int64  `json:"size"`   // of the slot's file system, in bytes
	SHA256 string `json:"sha256"` // of it, in hexadecimal
}

// accepts says why a running release may not be replaced by m, or nil.
func (r Release) accepts(m Manifest) error {
	switch {
	case m.Board != r.Board:
		return fmt.Errorf("%w: %.40q, this is %q", ErrBoard, m.Board, r.Board)
	case m.Version == r.Version:
		return ErrSame
	case m.Built < r.Built:
		return fmt.Errorf("%w: %.40s, running is %s", ErrDowngrade, m.Version, r.Version)
	}
	return nil
}
