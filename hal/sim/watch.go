package sim

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// watcher tells of what happens to files and directories (inotify(7)). An exchange has one
// for all its lines: a user may have 128, and other programs want some too.
type watcher struct {
	fd   int
	file *os.File // the same, to be read
	wg   sync.WaitGroup

	mu        sync.Mutex // guards what follows
	interests map[int32][]*interest
}

// interest is somebody's in a path; all that have the same path share a watch descriptor.
type interest struct {
	event func(name string)
}

func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("sim: inotify: %w", err)
	}
	w := &watcher{fd: fd, file: os.NewFile(uintptr(fd), "inotify"), interests: map[int32][]*interest{}}
	w.wg.Go(w.read)
	return w, nil
}

// watch calls event, which must not block, for each event of mask, until stop is called.
func (w *watcher) watch(path string, mask uint32, event func(name string)) (stop func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := unix.InotifyAddWatch(w.fd, path, mask|unix.IN_MASK_ADD)
	if err != nil {
		return nil, fmt.Errorf("sim: watch %s: %w", path, err)
	}
	wd, i := int32(n), &interest{event}
	w.interests[wd] = append(w.interests[wd], i)
	return func() { w.forget(wd, i) }, nil
}

func (w *watcher) forget(wd int32, i *interest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := slices.DeleteFunc(w.interests[wd], func(j *interest) bool { return i == j })
	w.interests[wd] = rest
	if len(rest) == 0 {
		delete(w.interests, wd)
		_, _ = unix.InotifyRmWatch(w.fd, uint32(wd)) // gone already where the file is
	}
}

func (w *watcher) read() {
	buf := make([]byte, 16*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			wd, size := int32(binary.NativeEndian.Uint32(b)), int(binary.NativeEndian.Uint32(b[12:]))
			b = b[unix.SizeofInotifyEvent:]
			w.tell(wd, strings.TrimRight(string(b[:size]), "\x00"))
			b = b[size:]
		}
	}
}

func (w *watcher) tell(wd int32, name string) {
	w.mu.Lock()
	list := slices.Clone(w.interests[wd])
	w.mu.Unlock()
	for _, i := range list {
		i.event(name)
	}
}

// close stops the watcher and waits.
func (w *watcher) close() error {
	err := w.file.Close()
	w.wg.Wait()
	return err
}
