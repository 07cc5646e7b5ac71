package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// initramfs is the root file system of the appliance.
type initramfs struct {
	packed []byte // gzip of a newc archive
	size   int    // of the archive
}

// initramfs packs the root: two programs, three small files and the mount points.
func (b *builder) initramfs() (initramfs, error) {
	var c cpio
	for _, dir := range []string{"bin", "boot", "dev", "etc", "etc/ssl", "etc/ssl/certs", "perm", "proc", "run", "sys", "tmp"} {
		c.dir(dir)
	}
	// The kernel opens the console before anybody can mount /dev.
	c.device("dev/console", 5, 1)
	c.device("dev/null", 1, 3)
	for path, name := range map[string]string{"init": "init", "hookswitch": "bin/hookswitch"} {
		data, err := os.ReadFile(filepath.Join(b.tmp, path))
		if err != nil {
			return initramfs{}, err
		}
		c.file(name, 0o755, data)
	}
	release, err := json.Marshal(b.release)
	if err != nil {
		return initramfs{}, err
	}
	c.file("etc/hookswitch-release", 0o644, append(release, '\n'))
	config, err := os.ReadFile(filepath.Join(b.root, "board/card/hookswitch.toml"))
	if err != nil {
		return initramfs{}, err
	}
	c.file("etc/hookswitch.toml", 0o644, append(config, hatLine(b.hat)...))
	c.file("etc/hosts", 0o644, []byte("127.0.0.1 localhost\n::1 localhost\n"))
	c.file("etc/ssl/certs/ca-certificates.crt", 0o644, roots())
	c.symlink("etc/resolv.conf", "/run/resolv.conf")
	archive := c.bytes()
	packed, err := pack(archive)
	return initramfs{packed, len(archive)}, err
}

// roots are the certificate authorities that mail and download servers are checked
// against, from a module, so that they do not depend on the machine that builds.
func roots() []byte {
	var all bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue // trusted for some names only, which this form can't say
		}
		_ = pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
	}
	return all.Bytes()
}

// pack compresses without a time or name in the head.
func pack(data []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// cpio collects a newc archive (Linux Documentation/driver-api/early-userspace/buffer-format.rst).
// Everything in it is root's and of the year 1970; entries come out sorted by name.
type cpio struct{ entries map[string]entry }

type entry struct {
	mode         uint32
	major, minor uint32
	data         []byte
}

func (c *cpio) add(name string, e entry) {
	if c.entries == nil {
		c.entries = make(map[string]entry)
	}
	c.entries[name] = e
}

func (c *cpio) dir(name string) { c.add(name, entry{mode: 0o40755}) }
func (c *cpio) file(name string, mode uint32, data []byte) {
	c.add(name, entry{mode: 0o100000 | mode, data: data})
}
func (c *cpio) symlink(name, target string) { c.add(name, entry{mode: 0o120777, data: []byte(target)}) }
func (c *cpio) device(name string, major, minor uint32) {
	c.add(name, entry{mode: 0o20600, major: major, minor: minor})
}

func (c *cpio) bytes() []byte {
	var out bytes.Buffer
	for i, name := range sortedKeys(c.entries) {
		writeEntry(&out, i+1, name, c.entries[name])
	}
	writeEntry(&out, 0, "TRAILER!!!", entry{})
	return out.Bytes()
}

func writeEntry(out *bytes.Buffer, inode int, name string, e entry) {
	links := 1
	fmt.Fprintf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, e.mode, 0, 0, links, 0,
		len(e.data), 0, 0, e.major, e.minor, len(name)+1, 0)
	out.WriteString(name + "\x00")
	align(out)
	out.Write(e.data)
	align(out)
}

func align(out *bytes.Buffer) {
	for out.Len()%4 != 0 {
		out.WriteByte(0)
	}
}
