package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/hal/guard"
)

const (
	daemonPath   = "/bin/hookswitch"
	notifySocket = runDir + "/notify"

	// startLimit is how long the daemon may take to its first sign of life; beatLimit how
	// long from one to the next.
	startLimit = 60 * time.Second
	beatLimit  = 10 * time.Second
	// stopLimit is what the daemon gets to hang up every line.
	stopLimit   = 10 * time.Second
	onHookLimit = 4 * time.Second
	maxBackOff  = 10 * time.Second
	memoryAfter = 30 * time.Second
	longRun     = time.Minute // after which a death is no sign of a pattern
)

// supervisor keeps the daemon running. The daemon reports by the sd_notify protocol:
// READY=1 once, WATCHDOG=1 while its call engine and every line make progress.
type supervisor struct {
	started time.Time
	beat    atomic.Int64 // nanoseconds from started to the latest sign of life
	alive   chan bool    // holds one when there was a sign of life
}

func newSupervisor() *supervisor {
	return &supervisor{started: time.Now(), alive: make(chan bool, 1)}
}

// silence is how long ago the daemon was last seen well.
func (s *supervisor) silence() time.Duration {
	return time.Since(s.started) - time.Duration(s.beat.Load())
}

// run starts the daemon again and again until ctx ends, and returns when it has stopped
// and every line is on-hook.
func (s *supervisor) run(ctx context.Context) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notifySocket, Net: "unixgram"})
	if err != nil {
		fault("the daemon is not watched: %v", err)
	} else {
		defer conn.Close()
		go s.listen(conn) // until the socket closes
	}
	backOff := 250 * time.Millisecond
	var failed []byte // the configuration that the daemon has not come up with
	var showing sync.WaitGroup
	defer showing.Wait()
	for ctx.Err() == nil {
		began, seen := time.Now(), s.beat.Load()
		used := chooseConfig(failed)
		err := s.once(ctx, used)
		log.Printf("daemon: %v", err)
		if s.beat.Load() == seen && used == configFile && ctx.Err() == nil {
			failed, _ = os.ReadFile(configFile)
			if replaceConfig(failed) {
				showing.Go(func() { showFirstBoot(ctx) })
			}
		}
		putOnHook(used)
		reapGuards()
		if time.Since(began) > longRun {
			backOff = 250 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(backOff):
		}
		backOff = min(2*backOff, maxBackOff)
	}
}

// listen takes the daemon's signs of life.
func (s *supervisor) listen(conn *net.UnixConn) {
	b := make([]byte, 4096)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		for line := range strings.Lines(string(b[:n])) {
			switch strings.TrimSpace(line) {
			case "READY=1", "WATCHDOG=1":
				s.beat.Store(int64(time.Since(s.started)))
				select {
				case s.alive <- true:
				default:
				}
			}
		}
	}
}

// once runs the daemon with that configuration until it ends, is wedged, or ctx ends. It never returns nil.
func (s *supervisor) once(ctx context.Context, conf string) error {
	cmd := exec.Command(daemonPath, "serve", "--config", conf)
	cmd.Env = []string{
		"PATH=/bin", "HOME=/perm", "GOTRACEBACK=all",
		"NOTIFY_SOCKET=" + notifySocket,
		fmt.Sprintf("WATCHDOG_USEC=%d", beatLimit.Microseconds()),
	}
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	logMemory := time.AfterFunc(memoryAfter, func() { reportMemory(os.Getpid(), cmd.Process.Pid) })
	defer logMemory.Stop()
	ended := make(chan error, 1)
	go func() { copyLog(out); ended <- cmd.Wait() }()
	seen := s.beat.Load()
	limit := startLimit
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case err := <-ended:
			return errors.Join(err, errors.New("ended"))
		case <-ctx.Done():
			return end(cmd.Process, syscall.SIGTERM, stopLimit, ended)
		case <-s.alive:
		case <-tick.C:
		}
		if s.beat.Load() != seen && limit != beatLimit {
			limit = beatLimit
			if conf == configFile {
				keepGood()
			}
		}
		if min(s.silence(), time.Since(began)) > limit {
			// SIGQUIT makes a Go program say where each goroutine stands.
			return errors.Join(fmt.Errorf("no sign of life for %v", limit), end(cmd.Process, syscall.SIGQUIT, 2*time.Second, ended))
		}
	}
}

// end stops a process politely, then surely.
func end(p *os.Process, sig syscall.Signal, limit time.Duration, ended <-chan error) error {
	_ = p.Signal(sig)
	select {
	case err := <-ended:
		return errors.Join(errors.New("stopped"), err)
	case <-time.After(limit):
	}
	_ = p.Kill()
	return errors.Join(fmt.Errorf("killed: still there %v after %v", limit, sig), <-ended)
}

// copyLog copies what the daemon prints to the kernel's log, which keeps its size.
func copyLog(out interface{ Read([]byte) (int, error) }) {
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 0, 900), 1<<20)
	for lines.Scan() {
		log.Writer().Write(fmt.Appendf(nil, "hookswitch: %.900s\n", lines.Text()))
	}
}

// putOnHook is the other half of the daemon's promise, for the case that it could not
// keep it: every relay open, every modem told to hang up.
func putOnHook(conf string) {
	ctx, cancel := context.WithTimeout(context.Background(), onHookLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, daemonPath, "onhook", "--config", conf).CombinedOutput()
	if err != nil {
		log.Printf("onhook: %v: %.500s", err, out)
	}
}

// reportMemory logs how much memory processes use (proc(5), VmRSS).
func reportMemory(pids ...int) {
	total := 0
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, _ := strings.Cut(string(b), "VmRSS:")
		kb := 0
		_, _ = fmt.Sscan(rest, &kb)
		total += kb
	}
	log.Printf("memory: %d kB", total)
}

// reapGuards takes leave of the relays' guards that daemons have left to process 1 when they
// died: each has opened its relays, and ended.
func reapGuards() {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		if pid := deadGuard(string(b)); pid != 0 {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	}
}

// deadGuard returns the process whose /proc/…/stat it is, where that is a guard of ours that
// has ended, else 0 (proc_pid_stat(5): pid, name in parentheses, state, parent).
func deadGuard(stat string) (pid int) {
	head, rest, _ := strings.Cut(stat, " (")
	name, rest, _ := strings.Cut(rest, ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 || name != guard.Name || fields[0] != "Z" || fields[1] != "1" {
		return 0
	}
	pid, _ = strconv.Atoi(head)
	return pid
}
