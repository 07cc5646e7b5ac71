package main

import (
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sys/unix"
)

var hashLine = regexp.MustCompile(`(?m)^password_hash = "(\S+)"\r?$`)

// hashes says whether a text has the hash of a password.
func hashes(text, password string) bool {
	m := hashLine.FindStringSubmatch(text)
	return m != nil && bcrypt.CompareHashAndPassword([]byte(m[1]), []byte(password)) == nil
}

func piped(t *testing.T, input string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := program(t, nil, append([]string{"passwd"}, args...)...)
	var out, complaints strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &complaints
	_ = cmd.Run()
	return out.String(), complaints.String(), cmd.ProcessState.ExitCode()
}

func TestAPasswordComesThroughAPipe(t *testing.T) {
	for input, password := range map[string]string{
		"correct horse\n": "correct horse", "correct horse": "correct horse", "correct horse\r\n": "correct horse",
		" spaces count \n": " spaces count ", "first line\nsecond\n": "first line",
	} {
		if out, complaints, status := piped(t, input); status != 0 || !hashes(out, password) {
			t.Errorf("%q: status %d: %s%s", input, status, out, complaints)
		}
	}
	for _, input := range []string{"", "\n", "short\n", strings.Repeat("x", 73) + "\n"} {
		if out, complaints, status := piped(t, input); status != failed || out != "" || complaints == "" {
			t.Errorf("%.9q: status %d: %s%s", input, status, out, complaints)
		}
	}
	if out, _, _ := piped(t, "Password\n", "--nt"); !strings.Contains(out, `nt_hash = "a4f49c406510bdcab6824ee7c30fd852"`) {
		t.Errorf("--nt: got %s", out)
	}
}

// typist runs passwd on a terminal and answers its questions.
func typist(t *testing.T, answers ...string) (screen string, cmd *exec.Cmd, echo bool) {
	t.Helper()
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	cmd = program(t, nil, "passwd")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := newShouting("Password: ")
	again := newShouting("Again: ")
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.MultiWriter(out, again), master)
	}()
	for i, answer := range answers {
		[]*shouting{out, again}[i].wait(t)
		if _, err := io.WriteString(master, answer); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	_ = terminal.Close() // with the last of them the reader sees the end
	<-read
	_ = master.Close()
	return out.String(), cmd, state.Lflag&unix.ECHO != 0
}

func TestAPasswordIsTypedTwiceAndNotSeen(t *testing.T) {
	screen, cmd, echo := typist(t, "correct horse\n", "correct horse\n")
	if status := cmd.ProcessState.ExitCode(); status != 0 || !hashes(screen, "correct horse") {
		t.Errorf("status %d:\n%s", status, screen)
	}
	if strings.Contains(screen, "correct") || !echo {
		t.Errorf("the terminal echoes afterwards: %v; it shows\n%s", echo, screen)
	}
	screen, cmd, _ = typist(t, "correct horse\n", "correct house\n")
	if status := cmd.ProcessState.ExitCode(); status != failed || !strings.Contains(screen, "differ") {
		t.Errorf("two that differ: status %d:\n%s", status, screen)
	}
}

func TestCtrlCWhileTypingLeavesTheTerminalAsItWas(t *testing.T) {
	screen, cmd, echo := typist(t, "half a passw\x03")
	if status := cmd.ProcessState.ExitCode(); status != interrupted || !echo {
		t.Errorf("status %d, want %d; the terminal echoes: %v\n%s", status, interrupted, echo, screen)
	}
}
