package update

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/statefile"
)

// Card is the SD card of an appliance.
type Card struct {
	Running Release
	Select  string    // where p1 is mounted, read-only between our writes
	Slots   [2]string // devices of slot A and B
	Perm    string    // where p4 is mounted; update.json is kept there
	Config  string    // the file that the newer version may migrate; put back when the update fails

	installing sync.Mutex
}

// firstSlot is the partition number of Slots[0].
const firstSlot = 2

// OpenCard returns the card of the running appliance, ErrNoCard on anything else.
func OpenCard() (*Card, error) {
	r, err := ReadRelease(ReleaseFile)
	if err != nil {
		return nil, err
	}
	return &Card{
		Running: r,
		Select:  "/boot",
		Slots:   [2]string{"/dev/mmcblk0p2", "/dev/mmcblk0p3"},
		Perm:    "/perm",
		Config:  "/perm/hookswitch.toml",
	}, nil
}

// Key returns the public key whose updates the board takes.
func (c *Card) Key() (ed25519.PublicKey, error) {
	b, err := os.ReadFile(filepath.Join(c.Select, "update.pub"))
	if err != nil {
		return nil, fmt.Errorf("update: key: %w", err)
	}
	return ParseKey(b)
}

// ParseKey reads the text form of a public key: one line of base64.
func ParseKey(b []byte) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errors.New("update: not a public key: want 32 bytes in base64")
	}
	return key, nil
}

// FormatKey is the inverse of ParseKey.
func FormatKey(key ed25519.PublicKey) []byte {
	return []byte(base64.StdEncoding.EncodeToString(key) + "\n")
}

// SetKey makes key the one whose updates the board takes: the owner's in place of ours.
func (c *Card) SetKey(key ed25519.PublicKey) error {
	return c.overwrite("update.pub", FormatKey(key))
}

// Install verifies an archive and writes it to the slot that is not running. Until it
// returns nil the next start is of the running version whatever happens; after that,
// Restart(Try) tries the new one. Progress is called with bytes done and in all, of two
// passes: reading and writing; it may be nil.
func (c *Card) Install(ctx context.Context, archive io.ReadSeeker, progress func(done, total int64)) (Manifest, error) {
	if !c.installing.TryLock() {
		return Manifest{}, ErrBusy
	}
	defer c.installing.Unlock()
	if c.Trial() {
		return Manifest{}, ErrTrial
	}
	key, err := c.Key()
	if err != nil {
		return Manifest{}, err
	}
	m, slot, err := open(archive, key)
	if err != nil {
		return m, err
	}
	if err := c.Running.accepts(m); err != nil {
		return m, err
	}
	number, path, err := c.spare()
	if err != nil {
		return m, err
	}
	if err := fits(path, m.Size); err != nil {
		return m, err
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	pass := &counter{ctx: ctx, report: func(n int64) { progress(n, 2*m.Size) }}
	if err := copySlot(pass, slot, m); err != nil {
		return m, err
	}
	// Only now is anything written. The second reading is of the same bytes or fails.
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return m, fmt.Errorf("update: %w", err)
	}
	if _, slot, err = open(archive, key); err != nil {
		return m, err
	}
	if err := writeSlot(path, pass, slot, m); err != nil {
		return m, err
	}
	return m, c.plan(record{State: trying, Slot: number, Release: m.Release, Previous: c.Running.Version})
}

// counter counts bytes of both passes and stops them when ctx ends.
type counter struct {
	ctx    context.Context
	n      int64
	report func(n int64)
}

func (c *counter) Write(b []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, fmt.Errorf("update: %w", err)
	}
	c.n += int64(len(b))
	c.report(c.n)
	return len(b), nil
}

// fits says whether size bytes go into the device or file at path.
func fits(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	if size > end {
		return fmt.Errorf("%w: %d bytes, slot has %d", ErrTooBig, size, end)
	}
	return nil
}

// sector is written last, so that a slot is either whole or nothing that starts.
const sector = 512

func writeSlot(path string, pass io.Writer, slot io.Reader, m Manifest) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, sector), 0); err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	first := make([]byte, sector)
	if _, err := io.ReadFull(slot, first); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if _, err := f.Seek(sector, io.SeekStart); err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	whole := io.MultiReader(bytes.NewReader(first), slot)
	if err := copySlot(io.MultiWriter(pass, &after{f, sector}), whole, m); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	if _, err := f.WriteAt(first, 0); err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("update: slot: %w", err)
	}
	return readBack(f, m)
}

// after drops the first skip bytes written to it.
type after struct {
	w    io.Writer
	skip int
}

func (a *after) Write(b []byte) (int, error) {
	drop := min(a.skip, len(b))
	a.skip -= drop
	n, err := a.w.Write(b[drop:])
	return drop + n, err
}

// readBack compares what the card now holds with the manifest.
func readBack(f *os.File, m Manifest) error {
	// The card is asked, not the page cache.
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f, 0, m.Size)); err != nil {
		return fmt.Errorf("update: read back: %w", err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != m.SHA256 {
		return errors.New("update: the card does not hold what was written to it; it may be worn out")
	}
	return nil
}

// defaultSlot reads from autoboot.txt which partition starts.
func (c *Card) defaultSlot() (int, error) {
	b, err := os.ReadFile(filepath.Join(c.Select, "autoboot.txt"))
	if err != nil {
		return 0, fmt.Errorf("update: %w", err)
	}
	normal, _, _ := strings.Cut(string(b), "[tryboot]")
	for line := range strings.Lines(normal) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "boot_partition="); ok {
			n, err := strconv.Atoi(v)
			if err != nil || n < firstSlot || n >= firstSlot+len(c.Slots) {
				break
			}
			return n, nil
		}
	}
	return 0, errors.New("update: autoboot.txt names no slot")
}

// spare returns the slot that may be written. It relies on no trial being under way.
func (c *Card) spare() (number int, path string, err error) {
	n, err := c.defaultSlot()
	if err != nil {
		return 0, "", err
	}
	other := 2*firstSlot + 1 - n
	return other, c.Slots[other-firstSlot], nil
}

// Autoboot is the content of autoboot.txt that starts partition n and tries the other.
// Its length does not depend on n: changing it writes one sector of the card and no more.
func Autoboot(n int) []byte {
	return fmt.Appendf(nil, "[all]\ntryboot_a_b=1\nboot_partition=%d\n[tryboot]\nboot_partition=%d\n", n, 2*firstSlot+1-n)
}

// overwrite replaces the content of a file of p1 in place: one sector either has changed
// or has not, and no directory entry moves.
func (c *Card) overwrite(name string, content []byte) error {
	if err := remount(c.Select, 0); err != nil {
		return err
	}
	defer func() { _ = remount(c.Select, unix.MS_RDONLY) }()
	f, err := os.OpenFile(filepath.Join(c.Select, name), os.O_WRONLY|os.O_CREATE|os.O_SYNC, 0o644)
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return fmt.Errorf("update: %s: %w", name, err)
	}
	if err := f.Truncate(int64(len(content))); err != nil {
		return fmt.Errorf("update: %s: %w", name, err)
	}
	return f.Sync()
}

// remount changes the read-only flag of the file system at dir. A plain directory, as a
// test has it, needs none.
func remount(dir string, flags uintptr) error {
	err := unix.Mount("", dir, "", unix.MS_REMOUNT|flags, "")
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("update: remount %s: %w", dir, err)
	}
	return nil
}

func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if err := statefile.Replace(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}
