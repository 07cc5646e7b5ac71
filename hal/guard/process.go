package guard

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// SocketFD is the file descriptor at which the process finds its end of the socket.
const SocketFD = 3

// process is a guard at work.
type process struct {
	cmd   *exec.Cmd
	conn  net.Conn
	ended chan error // receives one when it has ended
}

// start returns when the process has driven every contact open and has answered.
func start(command []string) (*process, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	conn, err := net.FileConn(ours) // a copy, which poll can wait for
	_ = ours.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, fmt.Errorf("guard: %w", err)
	}
	// It prints nothing, so that nothing it prints can hold it up.
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOMEMLIMIT=16MiB", "GOTRACEBACK=none")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no signal to our group, no terminal's, is its
	err = cmd.Start()
	_ = theirs.Close() // so that the process holds the only one
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("guard: %w", err)
	}
	p := &process{cmd: cmd, conn: conn, ended: make(chan error, 1)}
	go func() {
		p.ended <- errors.Join(cmd.Wait(), errors.New("guard: the process has ended"))
	}()
	if _, err := p.ask(request{op: opRenew}, startLimit); err != nil {
		p.kill()
		return nil, fmt.Errorf("guard: it does not start: %w", errors.Join(err, <-p.ended))
	}
	return p, nil
}

// socketPair returns the two ends of a socket that keeps packets apart. Neither is inherited
// by any other child: the guard must see the end of file when we die.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "guard"), os.NewFile(uintptr(fds[1]), "guard's end"), nil
}

// ask sends a request and returns the reply. After an error the process is of no more use.
func (p *process) ask(req request, limit time.Duration) (reply, error) {
	if err := p.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return reply{}, err
	}
	var b [maxReply + 1]byte
	if _, err := p.conn.Write(req.append(b[:0])); err != nil {
		return reply{}, err
	}
	n, err := p.conn.Read(b[:])
	if err != nil {
		return reply{}, err
	}
	return parseReply(b[:n])
}

// release tells the process that it is no longer needed: it opens every contact and ends.
func (p *process) release() {
	_ = p.conn.Close()
	// One that is stuck is killed; nothing opens its contacts then but a successor.
	time.AfterFunc(finalLimit+time.Second, p.kill)
}

func (p *process) kill() {
	_ = p.conn.Close()
	_ = p.cmd.Process.Kill()
}
