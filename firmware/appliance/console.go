package main

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/config"
	"hookswitch/hal"
)

const certificate = "/perm/tls/cert.pem" // where the daemon keeps its own

// showFirstBoot shows on the technician's serial port, once, what the first start made:
// address, certificate and password. Then the password is nowhere any more.
func showFirstBoot(ctx context.Context) {
	secret, err := os.ReadFile(firstBootFile)
	if err != nil {
		return
	}
	// The daemon makes its certificate, the network its address; both in a few seconds, if ever.
	for i := range 60 {
		_, err := os.Stat(certificate)
		if err == nil && (len(addresses()) > 0 || i >= 15 && !cabled()) {
			break
		}
		_ = hal.Sleep(ctx, time.Second)
	}
	if ctx.Err() != nil {
		return
	}
	name, _ := os.Hostname()
	text := "\r\n\r\nhookswitch: first start of " + name + "\r\n" +
		strings.ReplaceAll(string(secret), "\n", "\r\n") +
		"address " + strings.Join(append(addresses(), name+".local"), ", ") + "\r\n" +
		"TLS certificate SHA-256 " + fingerprint(certificate) + "\r\n" +
		"This is shown once.\r\n"
	port, err := technicianPort()
	if err == nil {
		err = writePort(port, text)
	}
	if err != nil {
		fault("the first password can't be shown: %v", err)
		return
	}
	log.Printf("the first password has been shown on %s", port)
	_ = os.Remove(firstBootFile)
	unix.Sync()
}

// technicianPort is the first port of the console that is there. Where the configuration
// wants no console, the password is shown where one would be.
func technicianPort() (string, error) {
	cfg, err := config.Load(configFile)
	if err != nil {
		return "", err
	}
	if len(cfg.Console.Ports) == 0 {
		cfg.Console.Ports = []string{config.ConsoleAuto}
	}
	for _, port := range cfg.TechnicianPorts(true) {
		if _, err := os.Stat(port); err == nil {
			return port, nil
		}
	}
	return "", errors.New("there is no serial port for the technician")
}

// writePort writes at 115200 baud, 8 bits, and returns when it has been sent.
func writePort(path, text string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return unix.IoctlSetInt(fd, unix.TCSBRK, 1) // tcdrain
}

// cabled reports whether there is an Ethernet cable in the board, with somebody at its other end.
func cabled() bool {
	found, _ := filepath.Glob("/sys/class/net/e*/carrier")
	return slices.ContainsFunc(found, func(path string) bool {
		b, _ := os.ReadFile(path)
		return strings.TrimSpace(string(b)) == "1"
	})
}

// addresses are those that others reach the board at.
func addresses() (list []string) {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			list = append(list, ip.IP.String())
		}
	}
	return list
}

// fingerprint of a certificate, as browsers show it.
func fingerprint(path string) string {
	data, err := os.ReadFile(path)
	block, _ := pem.Decode(data)
	if err != nil || block == nil {
		return "not yet made"
	}
	var parts []string
	for _, b := range sha256.Sum256(block.Bytes) {
		parts = append(parts, fmt.Sprintf("%02X", b))
	}
	return strings.Join(parts, ":")
}
