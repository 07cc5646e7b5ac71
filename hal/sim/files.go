package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const filePoll = 2 * time.Millisecond

// RelayFiles puts the hook relay and the loop-current detector behind value files, as the
// kernel's GPIO sysfs has them: another program writes 0 or 1 to relay, and reads loop.
func (l *Line) RelayFiles(relay, loop string) error {
	for _, path := range []string{relay, loop} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("sim: %w", err)
		}
		if err := os.WriteFile(path, []byte("0"), 0o644); err != nil {
			return fmt.Errorf("sim: %w", err)
		}
	}
	r := l.Relay()
	l.wg.Go(func() {
		tick := time.NewTicker(filePoll)
		defer tick.Stop()
		flowing := false
		for {
			select {
			case <-tick.C:
			case <-l.quit:
				return
			}
			if b, err := os.ReadFile(relay); err == nil && len(b) > 0 {
				_ = r.Set(b[0] == '1')
			}
			if now := l.OffHook(); now != flowing {
				flowing = now
				_ = os.WriteFile(loop, []byte{map[bool]byte{false: '0', true: '1'}[now]}, 0o644)
			}
		}
	})
	return nil
}

// Link makes path a symbolic link to a pseudo terminal, in place of an older one.
func Link(pty, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sim: %w", err)
	}
	return os.Symlink(pty, path)
}
