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
	cmd     *exec.Cmd
	conn    net.Conn
	waiting chan chan reply // those who have sent a request, in that order
	deaf    chan struct{}   // closed when no more replies come
	ended   chan error      // receives one when it has ended
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
	cmd.Args[0] = Name // for ps
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOMEMLIMIT=16MiB", "GOTRACEBACK=none")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no signal to our group, no terminal's, is its
	err = cmd.Start()
	_ = theirs.Close() // so that the process holds the only one
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("guard: %w", err)
	}
	p := &process{
		cmd: cmd, conn: conn,
		waiting: make(chan chan reply, maxWaiting), deaf: make(chan struct{}), ended: make(chan error, 1),
	}
	go p.listen()
	go func() {
		p.ended <- errors.Join(cmd.Wait(), errors.New("guard: the process has ended"))
	}()
	answer, err := p.send(request{op: opRenew})
	if err == nil {
		_, err = p.wait(answer, startLimit)
	}
	if err != nil {
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

// send sends a request, without waiting for anybody else's reply. One goroutine may call it
// at a time. After an error the process is of no more use.
func (p *process) send(req request) (answer chan reply, err error) {
	answer = make(chan reply, 1)
	select {
	case p.waiting <- answer:
	default:
		return nil, errors.New("guard: the process answers nobody")
	}
	var b [requestSize]byte
	if err := p.conn.SetWriteDeadline(time.Now().Add(answerLimit)); err != nil {
		return nil, err
	}
	_, err = p.conn.Write(req.append(b[:0]))
	return answer, err
}

// wait returns the reply to a request. After an error the process is of no more use.
func (p *process) wait(answer <-chan reply, limit time.Duration) (reply, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for range 2 {
		select {
		case rep := <-answer:
			return rep, nil
		case <-p.deaf:
			return reply{}, errors.New("guard: the process has closed its socket")
		case <-timer.C:
			timer.Reset(lookAgain) // it may be us who were late, and the reply is there
		}
	}
	return reply{}, fmt.Errorf("guard: the process has not answered for %v", limit)
}

// listen hands out the replies until the socket ends.
func (p *process) listen() {
	defer close(p.deaf)
	var b [maxReply + 1]byte
	for {
		n, err := p.conn.Read(b[:])
		if err != nil {
			return
		}
		rep, err := parseReply(b[:n])
		if err != nil {
			return
		}
		select {
		case answer := <-p.waiting:
			answer <- rep
		default: // nobody has asked
			return
		}
	}
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
