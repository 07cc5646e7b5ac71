package rpi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// ErrStuck is returned by a Write that the other side has not taken in writeLimit.
var ErrStuck = errors.New("rpi: port does not take what is written")

const (
	// readTimeout is VTIME, the shortest that tarm/serial knows; it does not delay data.
	// Without it neither Read nor Close would ever return on a silent port.
	readTimeout = 100 * time.Millisecond
	// A read that times out and a read from a port that is gone both say io.EOF; the
	// second says so at once. Five in a row are not a coincidence.
	goneAfter = 5
	// writeLimit is long for 40 ms of audio at any baud rate, short for a person who waits
	// for a hang-up.
	writeLimit = 2 * time.Second
	// writeChunk fits into any driver's buffer once that has been discarded.
	writeChunk = 1024
	closeLimit = time.Second
)

// Serial is an open serial port: tarm/serial with what it lacks. Read blocks until there
// is data, the port is gone (io.EOF or the kernel's error) or it is closed. Write gives up
// after two seconds with ErrStuck. Close frees both and does not block. One goroutine may
// read while another writes.
type Serial struct {
	port    *serial.Port
	ctl     int // our own descriptor of the same port, for the ioctls that tarm/serial has not
	writing atomic.Bool
	closed  atomic.Bool
	once    sync.Once
	err     error // of Close
}

var _ io.ReadWriteCloser = (*Serial)(nil)

// OpenSerial opens the port at path, raw, 8N1, for this process alone.
func OpenSerial(path string, baud int) (*Serial, error) {
	ctl, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("rpi: open %s: %w", path, err)
	}
	// The lock keeps a second hookswitch out even where both are root, whom TIOCEXCL lets pass.
	if err := unix.Flock(ctl, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = unix.Close(ctl)
		return nil, fmt.Errorf("rpi: %s is in use by another program: %w", path, err)
	}
	port, err := serial.OpenPort(&serial.Config{Name: path, Baud: baud, ReadTimeout: readTimeout})
	if err != nil {
		_ = unix.Close(ctl)
		return nil, fmt.Errorf("rpi: open %s at %d baud: %w", path, baud, err)
	}
	if err := unix.IoctlSetInt(ctl, unix.TIOCEXCL, 0); err != nil {
		_ = port.Close()
		_ = unix.Close(ctl)
		return nil, fmt.Errorf("rpi: %s is not a serial port: %w", path, err)
	}
	return &Serial{port: port, ctl: ctl}, nil
}

// Read implements io.Reader.
func (s *Serial) Read(b []byte) (int, error) {
	for quick := 0; ; {
		if s.closed.Load() {
			return 0, os.ErrClosed
		}
		start := time.Now()
		n, err := s.port.Read(b)
		if n > 0 {
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if time.Since(start) > readTimeout/2 {
			quick = 0
			continue
		}
		if quick++; quick == goneAfter {
			return 0, io.EOF
		}
	}
}

// Write implements io.Writer.
func (s *Serial) Write(b []byte) (int, error) {
	var stuck atomic.Bool
	watchdog := time.AfterFunc(writeLimit, func() {
		stuck.Store(true)
		s.discard()
	})
	defer watchdog.Stop()
	s.writing.Store(true)
	defer s.writing.Store(false)
	for n := 0; ; {
		chunk := b[n:min(n+writeChunk, len(b))]
		w, err := s.port.Write(chunk)
		n += w
		switch {
		case s.closed.Load():
			return n, os.ErrClosed
		case stuck.Load():
			return n, ErrStuck
		case err != nil || n == len(b):
			return n, err
		}
	}
}

// discard drops what waits for transmission and frees a Write that is stuck. Flushing
// alone does not wake the writer of every driver (a pseudo terminal's sleeps on); output
// stopped and started does.
func (s *Serial) discard() {
	_ = unix.IoctlSetInt(s.ctl, unix.TCFLSH, unix.TCOFLUSH)
	_ = unix.IoctlSetInt(s.ctl, unix.TCXONC, unix.TCOOFF)
	_ = unix.IoctlSetInt(s.ctl, unix.TCXONC, unix.TCOON)
}

// SetDTR raises or drops DTR, which most modems take for "hang up" (V.250 &D2). A port
// without modem-control lines says so.
func (s *Serial) SetDTR(on bool) error {
	req := uint(unix.TIOCMBIC)
	if on {
		req = unix.TIOCMBIS
	}
	if err := unix.IoctlSetPointerInt(s.ctl, req, unix.TIOCM_DTR); err != nil {
		return fmt.Errorf("rpi: DTR: %w", err)
	}
	return nil
}

// SetRTSCTS makes the port heed CTS and serve RTS, or not. It refuses where the other side
// does not show CTS: there may be no such wire, and nothing would ever be sent again.
func (s *Serial) SetRTSCTS(on bool) error {
	if on {
		lines, err := unix.IoctlGetInt(s.ctl, unix.TIOCMGET)
		if err != nil {
			return fmt.Errorf("rpi: CTS: %w", err)
		}
		if lines&unix.TIOCM_CTS == 0 {
			return errors.New("rpi: the other side does not show CTS")
		}
	}
	t, err := unix.IoctlGetTermios(s.ctl, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("rpi: RTS/CTS: %w", err)
	}
	t.Cflag &^= unix.CRTSCTS
	if on {
		t.Cflag |= unix.CRTSCTS
	}
	if err := unix.IoctlSetTermios(s.ctl, unix.TCSETS, t); err != nil {
		return fmt.Errorf("rpi: RTS/CTS: %w", err)
	}
	return nil
}

// Close implements io.Closer.
func (s *Serial) Close() error {
	s.once.Do(func() {
		s.closed.Store(true)
		if s.writing.Load() { // else the last words, ATH say, still go out
			s.discard()
		}
		// A descriptor in a blocking system call closes only when that call returns: the
		// reader's does within VTIME. A driver that never lets go must not take us with it.
		done := make(chan error, 1)
		go func() { done <- s.port.Close() }()
		select {
		case s.err = <-done:
		case <-time.After(closeLimit):
			s.err = fmt.Errorf("rpi: port did not close in %v", closeLimit)
		}
		_ = unix.Close(s.ctl)
	})
	return s.err
}
