package audio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of a conversion by ffmpeg.
const (
	convertBytes  = 64 << 20        // of the file, which is copied into memory for it
	convertTime   = 2 * time.Minute // from its start to its end
	convertMemory = 1 << 30         // of address space
	convertFiles  = 64
)

// converter is the program that converts what we do not decode, where it is installed: a
// board's own system has none.
const converter = "ffmpeg"

const input = "file:/dev/stdin" // for it

// convertible is a file for the converter. args tell it the format: it must guess nothing,
// and above all no format that names other files.
type convertible struct {
	args []string
	raw  bool // nothing but its name tells what it is
}

// formatError is an ErrFormat with advice, and how the converter would read the file.
type formatError struct {
	what string
	with convertible
}

func (e *formatError) Error() string {
	if len(e.with.args) == 0 {
		return fmt.Sprintf("%v: %s", ErrFormat, e.what)
	}
	return fmt.Sprintf("%v: %s; convert it first, with ffmpeg -i FILE FILE.wav", ErrFormat, e.what)
}

// Unwrap makes it an ErrFormat.
func (e *formatError) Unwrap() error { return ErrFormat }

// demuxer is an error of a format that the converter reads by this name.
func demuxer(name, what string) error {
	return &formatError{what, convertible{args: []string{"-f", name}}}
}

// open starts the converter on a copy of r, which is all that it gets to see: no other file,
// no network. ok is false where it is not installed.
func (c convertible) open(ctx context.Context, r io.ReadSeeker) (s *source, ok bool, err error) {
	program, err := exec.LookPath(converter)
	if err != nil {
		return nil, false, nil
	}
	in, err := memoryCopy(r)
	if err != nil {
		return nil, true, err
	}
	defer in.Close()
	ctx, cancel := context.WithTimeout(ctx, convertTime)
	args := append([]string{"-nostdin", "-v", "error", "-protocol_whitelist", "file"}, c.args...)
	args = append(args, "-i", input, "-map", "0:a:0", "-t", fmt.Sprint(int(longest.Seconds())),
		"-threads", "1", "-f", "s16le", "-ar", fmt.Sprint(Rate), "-ac", "1", "pipe:1")
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	said := &firstBytes{}
	cmd.Stdin, cmd.Stderr = in, said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, true, fmt.Errorf("audio: %s: %w", converter, err)
	}
	restrain(cmd.Process.Pid)
	s, err = c.source(cancel, bufio.NewReaderSize(out, sniffed), sync.OnceValue(func() error {
		defer cancel()
		err := cmd.Wait()
		if said.Len() > 0 {
			lines := strings.Split(strings.TrimSpace(said.String()), "\n")
			err = errors.New(strings.TrimPrefix(lines[len(lines)-1], input+": "))
		}
		return err
	}))
	if err != nil {
		s.close()
	}
	return s, true, err
}

// source is what the converter gives; done waits for its end, of which it returns what went wrong.
func (c convertible) source(stop func(), out *bufio.Reader, done func() error) (*source, error) {
	s := &source{rate: Rate, length: -1, close: func() { stop(); _ = done() }}
	if c.raw {
		some, _ := out.Peek(sniffed)
		if (rawFormat{encS16, Rate}).roughness(some) > mostRough {
			return s, fmt.Errorf("%w: no sound of the kind that its name tells", ErrFormat)
		}
	}
	pcm := pcmReader(out, encS16, 1)
	s.read = func(p []float32) (int, error) {
		n, err := pcm(p)
		if err == nil {
			return n, nil
		}
		if failed := done(); failed != nil {
			s.damaged = true
			err = fmt.Errorf("%w: %s says %w", ErrBroken, converter, failed)
		}
		return n, err
	}
	return s, nil
}

// restrain limits what the converter may use. It has begun by then, with nothing but its
// arguments read.
func restrain(pid int) {
	for resource, limit := range map[int]uint64{
		unix.RLIMIT_AS: convertMemory, unix.RLIMIT_CPU: uint64(convertTime.Seconds()),
		unix.RLIMIT_FSIZE: 0, unix.RLIMIT_NOFILE: convertFiles, unix.RLIMIT_CORE: 0,
	} {
		_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: limit, Max: limit}, nil)
	}
}

// memoryCopy is a file without a name that holds what r does: some formats are read from
// their end.
func memoryCopy(r io.ReadSeeker) (*os.File, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("message", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("audio: memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "message")
	n, err := io.Copy(f, io.LimitReader(r, convertBytes+1))
	if err == nil && n > convertBytes {
		err = fmt.Errorf("%w: more than %d MB", ErrLimit, convertBytes>>20)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// firstBytes keeps the beginning of what is written.
type firstBytes struct{ bytes.Buffer }

func (f *firstBytes) Write(p []byte) (int, error) {
	const enough = 500
	_, _ = f.Buffer.Write(p[:max(0, min(len(p), enough-f.Len()))])
	return len(p), nil
}
