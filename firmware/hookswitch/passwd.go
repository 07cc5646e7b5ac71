package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"hookswitch/firmware/config"
)

type passwdCommand struct {
	NT bool `name:"nt" help:"Print the nt_hash too, for NTLM. Whoever reads it can log in with it."`
}

// Run reads a password, twice from a terminal, once from a pipe, and prints its hash.
func (c *passwdCommand) Run(ctx context.Context) error {
	password, err := readPassword(ctx)
	if err != nil {
		return err
	}
	hash, err := config.HashPassword(password)
	if err != nil {
		return err
	}
	fmt.Printf("password_hash = %q\n", hash)
	if c.NT {
		nt, err := config.NTHash(password)
		if err != nil {
			return err
		}
		fmt.Printf("nt_hash = %q\n", nt)
	}
	return nil
}

func readPassword(ctx context.Context) (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
		if err != nil && line == "" {
			return "", errors.New("there is no password on standard input")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	show, err := hush(fd)
	if err != nil {
		return "", err
	}
	defer show()
	// The terminal's own driver waits for the line: a signal has to put it right and leave.
	defer context.AfterFunc(ctx, func() {
		show()
		fmt.Fprintln(os.Stderr)
		os.Exit(interrupted)
	})()
	in := bufio.NewReader(io.LimitReader(os.Stdin, 8192))
	var words [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(os.Stderr, prompt)
		// Not term.ReadPassword: what it sets would outlast a Ctrl-C that comes just before.
		word, err := in.ReadString('\n')
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return "", err
		}
		words[i] = strings.TrimRight(word, "\r\n")
	}
	if words[0] != words[1] {
		return "", errors.New("the two passwords differ; try again")
	}
	return words[0], nil
}

// hush stops a terminal from showing what is typed, before the first question is asked, and
// show lets it again.
func hush(fd int) (show func(), err error) {
	state, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	quiet := *state
	quiet.Lflag = quiet.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	quiet.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &quiet); err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, state) }, nil
}
