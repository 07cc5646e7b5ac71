package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hookswitch/firmware/update"
)

// The card, in bytes. Its size is a power of two, as the emulated board wants it; init
// grows the last partition to the end of the real card.
const (
	mib      = 1 << 20
	diskSize = 512 * mib
)

type partition struct {
	start, size int64
	kind        byte // MBR type
}

var partitions = [4]partition{
	{4 * mib, 16 * mib, 0x0e},   // SELECT, FAT16
	{20 * mib, 128 * mib, 0x0c}, // slot A, FAT32
	{148 * mib, 128 * mib, 0x0c},
	{276 * mib, 236 * mib, 0x83}, // perm, ext4
}

// slot makes the file system of a slot: all that the boot firmware needs to start one
// version. What is returned ends with the last byte in use.
func (b *builder) slot(modules map[string]module, root initramfs) ([]byte, error) {
	kernel, firmware := modules["kernel"].Dir, modules["firmware"].Dir
	dir := filepath.Join(b.tmp, "slot")
	if err := os.MkdirAll(filepath.Join(dir, "overlays"), 0o755); err != nil {
		return nil, err
	}
	vmlinuz, err := os.ReadFile(filepath.Join(kernel, "vmlinuz"))
	if err != nil {
		return nil, err
	}
	// The boot firmware unpacks it; two slots then take less than one did.
	if vmlinuz, err = pack(vmlinuz); err != nil {
		return nil, err
	}
	config, err := b.config(filepath.Join(kernel, "overlays"))
	if err != nil {
		return nil, err
	}
	cmdline, err := os.ReadFile(filepath.Join(b.root, "board/card/cmdline.txt"))
	if err != nil {
		return nil, err
	}
	notices, err := b.notices()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		"vmlinuz": vmlinuz, "initramfs.img": root.packed, "config.txt": config, "cmdline.txt": cmdline, "NOTICES.txt": notices,
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	for _, glob := range []string{
		filepath.Join(firmware, "start.elf"), filepath.Join(firmware, "fixup.dat"),
		filepath.Join(firmware, "start4.elf"), filepath.Join(firmware, "fixup4.dat"),
		filepath.Join(firmware, "LICENSE.broadcom"), filepath.Join(kernel, "LICENSE.linux"),
		filepath.Join(kernel, "*.dtb"),
	} {
		if err := copyFiles(dir, glob); err != nil {
			return nil, err
		}
	}
	if err := copyFiles(filepath.Join(dir, "overlays"), filepath.Join(kernel, "overlays/*.dtb*")); err != nil {
		return nil, err
	}
	fs := filepath.Join(b.tmp, "slot.fat")
	if err := b.makeFAT(fs, dir, partitions[1].size, "-F", "32", "-s", "2", "-n", "SLOT", "-i", "5107a0b0"); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(fs)
	return bytes.TrimRight(data, "\x00"), err
}

// config is config.txt: ours, and what the HAT needs before Linux runs.
func (b *builder) config(overlays string) ([]byte, error) {
	config, err := os.ReadFile(filepath.Join(b.root, "board/card/config.txt"))
	if err != nil {
		return nil, err
	}
	hat, err := hatConfig(b.hat, string(config), overlays)
	return append(config, hat...), err
}

func copyFiles(dir, glob string) error {
	paths, err := filepath.Glob(glob)
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("no %s: %w", glob, errors.Join(err, os.ErrNotExist))
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// makeFAT makes a FAT file system of the files in dir, in the order of their names and
// with the release's time on all of them.
func (b *builder) makeFAT(fs, dir string, size int64, options ...string) error {
	if err := os.WriteFile(fs, nil, 0o644); err != nil {
		return err
	}
	if err := os.Truncate(fs, size); err != nil {
		return err
	}
	if err := b.run("mkfs.vfat", append(options, "--invariant", fs)...); err != nil {
		return err
	}
	at := time.Unix(b.release.Built, 0)
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		target := "::" + strings.TrimPrefix(path, dir)
		if d.IsDir() {
			if err := b.run("mmd", "-i", fs, target); err != nil {
				return err
			}
			return b.copyInto(fs, path, target, at)
		}
		if filepath.Dir(path) != dir {
			return nil // went in with its directory
		}
		if err := os.Chtimes(path, at, at); err != nil {
			return err
		}
		return b.run("mcopy", "-m", "-i", fs, path, target)
	})
}

// copyInto copies the files of a directory with one command: there are hundreds.
func (b *builder) copyInto(fs, dir, target string, at time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	args := []string{"-m", "-i", fs}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if err := os.Chtimes(path, at, at); err != nil {
			return err
		}
		args = append(args, path)
	}
	return b.run("mcopy", append(args, target)...)
}

// signingKey reads the private key that signs updates, or makes one. It is the seed in
// base64: 45 bytes of text.
func signingKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		seed := make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(seed)
		text = []byte(base64.StdEncoding.EncodeToString(seed) + "\n")
		log.Printf("%s is new: keep it, it signs every update of the cards made with it", path)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s: not a key: want 32 bytes in base64", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (b *builder) writeUpdate(slot []byte, key ed25519.PrivateKey) error {
	f, err := os.Create(b.artefact(".update"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := update.WriteArchive(f, b.release, slot, key); err != nil {
		return err
	}
	return f.Close()
}

// writeImage puts the partitions together.
func (b *builder) writeImage(modules map[string]module, slot []byte, key ed25519.PrivateKey) error {
	f, err := os.Create(b.artefact(".img"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(diskSize); err != nil {
		return err
	}
	sel, err := b.selectPartition(modules["firmware"], key.Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	perm, err := b.permPartition()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(mbr(), 0); err != nil {
		return err
	}
	for i, data := range [][]byte{sel, slot, slot, perm} {
		if err := writeSparse(f, partitions[i].start, data); err != nil {
			return err
		}
	}
	return f.Close()
}

// writeSparse leaves holes where data is zero.
func writeSparse(f *os.File, at int64, data []byte) error {
	const block = 64 << 10
	for chunk := range slices.Chunk(data, block) {
		if len(bytes.TrimLeft(chunk, "\x00")) > 0 {
			if _, err := f.WriteAt(chunk, at); err != nil {
				return err
			}
		}
		at += int64(len(chunk))
	}
	return nil
}

// selectPartition is p1: what chooses the slot, and whose updates are taken.
func (b *builder) selectPartition(firmware module, key ed25519.PublicKey) ([]byte, error) {
	dir := filepath.Join(b.tmp, "select")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	// A Pi 3 reads bootcode.bin here, and wants a config.txt beside it, be it empty.
	files := map[string][]byte{"autoboot.txt": update.Autoboot(2), "config.txt": nil, "update.pub": update.FormatKey(key)}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	if err := copyFiles(dir, filepath.Join(firmware.Dir, "bootcode.bin")); err != nil {
		return nil, err
	}
	fs := filepath.Join(b.tmp, "select.fat")
	if err := b.makeFAT(fs, dir, partitions[0].size, "-F", "16", "-s", "4", "-n", "SELECT", "-i", "5e1ec7ed"); err != nil {
		return nil, err
	}
	return os.ReadFile(fs)
}

// permPartition is an empty ext4. Everything that mkfs would invent is given.
func (b *builder) permPartition() ([]byte, error) {
	const id = "686f6f6b-7377-4974-8368-7065726d0000"
	fs := filepath.Join(b.tmp, "perm.ext4")
	if err := os.WriteFile(fs, nil, 0o644); err != nil {
		return nil, err
	}
	if err := os.Truncate(fs, partitions[3].size); err != nil {
		return nil, err
	}
	err := b.run("mkfs.ext4", "-q", "-F", "-L", "perm", "-U", id, "-b", "4096", "-m", "0", "-e", "remount-ro",
		"-E", "hash_seed="+id+",root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard,resize=16777216", fs)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(fs)
}

// mbr is the partition table. Its disk signature is fixed: nothing looks for it.
func mbr() []byte {
	sector := make([]byte, 512)
	binary.LittleEndian.PutUint32(sector[440:], 0x6b6f6f68)
	for i, p := range partitions {
		e := sector[446+16*i:]
		copy(e[1:], []byte{0xfe, 0xff, 0xff, p.kind, 0xfe, 0xff, 0xff}) // CHS: see LBA
		binary.LittleEndian.PutUint32(e[8:], uint32(p.start/512))
		binary.LittleEndian.PutUint32(e[12:], uint32(p.size/512))
	}
	copy(sector[510:], []byte{0x55, 0xaa})
	return sector
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
