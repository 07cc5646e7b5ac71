package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// watcher tells of what happens to a file or directory (inotify(7)).
type watcher struct {
	file *os.File
	wg   sync.WaitGroup
}

// watch calls f from one goroutine for each event of mask; Close waits for that.
func watch(path string, mask uint32, f func(event uint32, name string)) (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("sim: inotify: %w", err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, mask); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("sim: watch %s: %w", path, err)
	}
	w := &watcher{file: os.NewFile(uintptr(fd), "inotify")}
	w.wg.Go(func() { w.read(f) })
	return w, nil
}

func (w *watcher) read(f func(event uint32, name string)) {
	buf := make([]byte, 16*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			event, size := binary.NativeEndian.Uint32(b[4:]), int(binary.NativeEndian.Uint32(b[12:]))
			b = b[unix.SizeofInotifyEvent:]
			f(event, strings.TrimRight(string(b[:size]), "\x00"))
			b = b[size:]
		}
	}
}

var _ io.Closer = (*watcher)(nil)

func (w *watcher) Close() error {
	err := w.file.Close()
	w.wg.Wait()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
