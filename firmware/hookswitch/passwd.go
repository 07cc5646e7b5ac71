package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"hookswitch/firmware/config"
)

type passwdCommand struct {
	NT bool `help:"Print the nt_hash too, for NTLM. Whoever reads it can log in with it."`
}

// Run reads a password, twice from a terminal, once from a pipe, and prints its hash.
func (c *passwdCommand) Run() error {
	password, err := readPassword()
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

func readPassword() (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
		if err != nil && line == "" {
			return "", errors.New("no password on standard input")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var words [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(os.Stderr, prompt)
		word, err := term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return "", err
		}
		words[i] = string(word)
	}
	if words[0] != words[1] {
		return "", errors.New("the two are not the same; nothing was made")
	}
	return words[0], nil
}
