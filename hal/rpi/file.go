package rpi

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"hookswitch/hal"
)

// fileRelay is a relay behind a value file: "1" is high level, "0" low, as the kernel's
// GPIO sysfs has it, and as the simulated exchange does where it runs as a program of its own.
type fileRelay struct{ pin Pin }

var _ hal.Relay = (*fileRelay)(nil)

// Set implements hal.Relay.
func (r *fileRelay) Set(closed bool) error {
	value := "0"
	if r.pin.level(closed) {
		value = "1"
	}
	// Opened for each write and never truncated: a reader must not find it empty.
	f, err := os.OpenFile(r.pin.Name, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("rpi: relay: %w", err)
	}
	if err = claim(f); err == nil {
		_, err = f.WriteString(value)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if errors.Is(err, hal.ErrBusy) {
		return err
	}
	if err != nil {
		return fmt.Errorf("rpi: relay: %w", err)
	}
	return nil
}

// claimed are the value files of relays that this process drives, by their inodes.
var claimed struct {
	sync.Mutex
	files map[inode]*os.File
}

type inode struct{ device, number uint64 }

// claim keeps other processes from driving a relay for as long as this one lives, as the
// kernel does with the lines of a GPIO chip: a second daemon, started by mistake, must not
// open the relay of a call. A file system without locks keeps nobody away. It never waits.
func claim(f *os.File) error {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	key := inode{uint64(st.Dev), st.Ino}
	claimed.Lock()
	defer claimed.Unlock()
	if claimed.files[key] != nil {
		return nil
	}
	held, err := os.OpenFile(f.Name(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		_ = held.Close()
		return fmt.Errorf("%w: %s", hal.ErrBusy, f.Name())
	}
	if claimed.files == nil {
		claimed.files = map[inode]*os.File{}
	}
	claimed.files[key] = held
	return nil
}

type fileInput struct{ pin Pin }

var _ hal.Input = (*fileInput)(nil)

// Read implements hal.Input.
func (i *fileInput) Read() (bool, error) {
	f, err := os.Open(i.pin.Name)
	if err != nil {
		return false, fmt.Errorf("rpi: input: %w", err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.Read(b[:]); err != nil {
		return false, fmt.Errorf("rpi: input %s: %w", i.pin.Name, err)
	}
	switch b[0] {
	case '0', '1':
		return b[0] == '1' != i.pin.ActiveLow, nil
	}
	return false, fmt.Errorf("rpi: input %s: holds %q, want 0 or 1", i.pin.Name, b[0])
}
