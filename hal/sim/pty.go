package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// errHostLeft is read once when the host has closed the port.
var errHostLeft = errors.New("sim: the host has closed the port")

// terminal is a port on a pseudo terminal behind a link with a stable name. A host that
// closes it leaves nothing behind for the next: neither what it has not read, nor its echo,
// nor its lock. What the modem sends while nobody has the port open is lost.
type terminal struct {
	link string
	dir  string // of the link, where we made that
	quit chan struct{}

	watcher *watcher

	mu   sync.Mutex // guards what follows
	tty  *tty
	host bool
}

// tty is one pseudo terminal.
type tty struct {
	master *os.File
	path   string        // of the slave
	opened chan struct{} // somebody may have opened it
	forget func()        // stops watching for that
	ours   bool          // the next opening is our own
}

// pty serves the port on a pseudo terminal behind link; "" makes one that is removed with
// the port.
func (p *port) pty(link string) (path string, err error) {
	dev, err := p.connect(func() (device, error) { return openTerminal(p.l.x, link, p.l.name) }, true, link)
	if err != nil {
		return "", err
	}
	return dev.(*terminal).link, nil
}

func openTerminal(x *Exchange, link, name string) (*terminal, error) {
	w, err := x.watch()
	if err != nil {
		return nil, err
	}
	t := &terminal{link: link, quit: make(chan struct{}), watcher: w}
	if link == "" {
		dir, err := os.MkdirTemp("", "hookswitch-sim-")
		if err != nil {
			return nil, fmt.Errorf("sim: pseudo terminal: %w", err)
		}
		t.dir, t.link = dir, filepath.Join(dir, fileName(name))
	}
	if err := t.renew(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// renew makes a new pseudo terminal and points the link at it.
func (t *terminal) renew() error {
	next, err := newTTY(t.watcher)
	if err != nil {
		return err
	}
	if err := renameio.Symlink(next.path, t.link); err != nil {
		return errors.Join(fmt.Errorf("sim: link to a port: %w", err), next.close())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.tty
	t.tty, t.host = next, false
	return old.close()
}

func newTTY(w *watcher) (*tty, error) {
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("sim: pseudo terminal: %w", err)
	}
	y := &tty{path: slave.Name(), opened: make(chan struct{}, 1)}
	err = raw(slave)
	err = errors.Join(err, slave.Close()) // from now on the master tells that nobody is there
	y.master, err = pollable(blocking, err)
	if err != nil {
		return nil, fmt.Errorf("sim: pseudo terminal: %w", err)
	}
	y.forget, err = w.watch(y.path, unix.IN_OPEN, func(string) {
		select {
		case y.opened <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return nil, errors.Join(err, y.master.Close())
	}
	return y, nil
}

// pollable is f as a file whose Read ends when it is closed: pty.Open leaves it blocking.
func pollable(f *os.File, err error) (*os.File, error) {
	fd, dup := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if dup == nil {
		dup = unix.SetNonblock(fd, true)
	}
	if err = errors.Join(err, dup, f.Close()); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func (y *tty) close() error {
	if y == nil {
		return nil
	}
	y.forget()
	return y.master.Close()
}

// raw makes a terminal carry bytes as they are, until whoever opens it sets it up.
func raw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&unix.CBAUD | unix.CS8 | unix.CREAD | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}

func (t *terminal) now() *tty {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tty
}

func (t *terminal) present() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.host
}

func (t *terminal) setHost(host bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host = host
}

// Read waits for a host, then for what it sends. When it leaves, errHostLeft is read.
func (t *terminal) Read(b []byte) (int, error) {
	y := t.now()
	if !t.present() {
		if !t.await(y) {
			return 0, os.ErrClosed
		}
		if !y.hasHost() { // it has been and gone
			return 0, t.left(y)
		}
		t.setHost(true)
	}
	n, err := y.master.Read(b)
	if errors.Is(err, syscall.EIO) {
		return n, t.left(y)
	}
	return n, err
}

// await waits until somebody opens the terminal, which is not ourselves.
func (t *terminal) await(y *tty) bool {
	for !y.hasHost() {
		select {
		case <-y.opened:
			if !y.ours {
				return true
			}
			y.ours = false
		case <-t.quit:
			return false
		}
	}
	return true
}

// left puts the port in order behind a host.
func (t *terminal) left(y *tty) error {
	t.setHost(false)
	_ = y.master.SetWriteDeadline(time.Now()) // ends a Write that has waited for the host
	if err := t.clean(y); err != nil {
		return err
	}
	return errHostLeft
}

// hasHost says whether somebody has the slave open, or has written to it and gone.
func (y *tty) hasHost() bool {
	conn, err := y.master.SyscallConn()
	if err != nil {
		return false
	}
	var revents int16
	err = conn.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, 0); err == nil {
			revents = fds[0].Revents
		}
	})
	return err == nil && (revents&unix.POLLHUP == 0 || revents&unix.POLLIN != 0)
}

// clean makes the port as new after a host. One that has locked the port (TIOCEXCL) keeps
// it locked for as long as the master is open, against us too unless we are root: then
// another pseudo terminal takes its place behind the link.
func (t *terminal) clean(y *tty) error {
	slave, err := os.OpenFile(y.path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if errors.Is(err, syscall.EBUSY) {
		return t.renew()
	}
	if err != nil {
		return err
	}
	y.ours = true
	fd := int(slave.Fd())
	_ = unix.IoctlSetInt(fd, unix.TIOCNXCL, 0)
	_ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH)
	_ = y.master.SetWriteDeadline(time.Time{})
	return errors.Join(raw(slave), slave.Close())
}

// Write sends to the host; without one it is lost.
func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	y, host := t.tty, t.host
	t.mu.Unlock()
	if !host {
		return len(b), nil
	}
	return y.master.Write(b)
}

// Close hangs the terminal up: a host reads the end of the file and can't write.
func (t *terminal) Close() error {
	close(t.quit)
	_ = os.Remove(t.link)
	if t.dir != "" {
		_ = os.Remove(t.dir)
	}
	return t.now().close()
}
