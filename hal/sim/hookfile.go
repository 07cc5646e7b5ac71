package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// RelayFiles puts the hook relay and the loop-current detector behind value files, as the
// kernel's GPIO sysfs has them, for a host that is another process: the contact conducts
// while relay holds "1"; loop holds "1" while current flows. Both begin with "0".
func (l *Line) RelayFiles(relay, loop string) error {
	for _, path := range []string{relay, loop} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("sim: %w", err)
		}
		if err := writeValue(path, false); err != nil {
			return err
		}
	}
	l.wire()
	l.do(func() { l.d.loopFile = loop })
	read := func() { l.setContact(holdsOne(relay)) }
	w, err := l.x.watch()
	if err != nil {
		return err
	}
	forget, err := w.watch(filepath.Dir(relay), relayEvents, func(name string) {
		if name == filepath.Base(relay) {
			read()
		}
	})
	if err != nil {
		return err
	}
	read() // it may have been written before we watched
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget = append(l.forget, forget)
	return nil
}

// relayEvents are those of writing a file, in place or by renaming another over it.
const relayEvents = unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_CREATE | unix.IN_DELETE

// holdsOne reads a value file; one that is missing or empty drives no relay.
func holdsOne(path string) bool {
	b, err := os.ReadFile(path)
	return err == nil && len(b) > 0 && b[0] == '1'
}

// writeValue writes one byte over the one before: a reader never finds the file empty.
func writeValue(path string, on bool) error {
	value := "0"
	if on {
		value = "1"
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("sim: value file: %w", err)
	}
	_, err = f.WriteAt([]byte(value), 0)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sim: value file: %w", err)
	}
	return nil
}
