// Command flash writes the image to an SD card and verifies it. It refuses anything that
// is not a whole removable disk that nobody uses.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	image := flag.String("image", "", "what to write")
	yes := flag.Bool("yes", false, "do not ask")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: flash [-image FILE] [-yes] DEVICE") }
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := flash(*image, flag.Arg(0), *yes); err != nil {
		fmt.Fprintln(os.Stderr, "flash:", err)
		os.Exit(1)
	}
}

func flash(image, device string, yes bool) error {
	img, err := os.Open(image)
	if err != nil {
		return fmt.Errorf("%w (scripts/image makes it)", err)
	}
	defer img.Close()
	size, err := img.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	number, err := blockDevice(device)
	if err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(filepath.Join("/sys/dev/block", number))
	if err != nil {
		return err
	}
	disk, err := readDisk(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", device, err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	swaps, _ := os.ReadFile("/proc/swaps")
	if err := disk.refuse(size, string(mounts), string(swaps)); err != nil {
		return fmt.Errorf("%s: %w", device, err)
	}
	fmt.Printf("%s: %s, %.1f GB. Everything on it will be lost.\n", device, disk.model, float64(disk.size)/1e9)
	if !yes && !agreed() {
		return errors.New("nothing written")
	}
	// O_EXCL: not while somebody mounts it.
	card, err := os.OpenFile(device, os.O_RDWR|os.O_EXCL, 0)
	if err != nil {
		return err
	}
	defer card.Close()
	if err := write(card, img, size, show("writing")); err != nil {
		return err
	}
	// What is verified is the card, not the machine's memory of it.
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, card.Fd(), unix.BLKFLSBUF, 0)
	_ = unix.Fadvise(int(card.Fd()), 0, 0, unix.FADV_DONTNEED)
	if err := verify(card, img, size, show("verifying")); err != nil {
		return err
	}
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, card.Fd(), unix.BLKRRPART, 0)
	fmt.Println("done: put it into the board")
	return nil
}

// blockDevice returns the number of a block device as major:minor.
func blockDevice(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode()&os.ModeDevice == 0 || info.Mode()&os.ModeCharDevice != 0 {
		return "", fmt.Errorf("%s is not a disk", path)
	}
	return fmt.Sprintf("%d:%d", unix.Major(stat.Rdev), unix.Minor(stat.Rdev)), nil
}

// disk is what sysfs says of a block device.
type disk struct {
	name, model string
	size        int64
	whole       bool     // not a partition of another
	removable   bool     // the kernel says so, or it is an SD card in a built-in reader
	numbers     []string // of it and its partitions
}

func readDisk(dir string) (disk, error) {
	text := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		return strings.TrimSpace(string(b))
	}
	d := disk{name: filepath.Base(dir), model: strings.TrimSpace(text("device/vendor") + " " + text("device/model") + text("device/name"))}
	sectors, err := strconv.ParseInt(text("size"), 10, 64)
	if err != nil {
		return d, err
	}
	d.size = 512 * sectors
	d.whole = text("partition") == ""
	d.removable = text("removable") == "1" || text("device/type") == "SD"
	numbers, _ := filepath.Glob(filepath.Join(dir, "*", "dev"))
	for _, path := range append(numbers, filepath.Join(dir, "dev")) {
		b, _ := os.ReadFile(path)
		d.numbers = append(d.numbers, strings.TrimSpace(string(b)))
	}
	return d, nil
}

// refuse says why the disk may not be written to, or nil. mounts is /proc/self/mountinfo,
// swaps /proc/swaps.
func (d disk) refuse(size int64, mounts, swaps string) error {
	switch {
	case !d.whole:
		return errors.New("is a partition; give the whole disk")
	case !d.removable:
		return errors.New("is not removable")
	case d.size < size:
		return fmt.Errorf("is too small: %d MB, needed are %d", d.size/1e6, size/1e6)
	}
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		for _, number := range d.numbers {
			if len(fields) > 4 && fields[2] == number {
				return fmt.Errorf("is in use: unmount %s first", fields[4])
			}
		}
	}
	if strings.Contains(swaps, "/dev/"+d.name) {
		return errors.New("is in use as swap space")
	}
	return nil
}

func agreed() bool {
	fmt.Print("Write yes to go on: ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(answer) == "yes"
}

const step = 4 << 20

// write copies the image and lets each step reach the card before the next, so that
// progress is the card's and not the cache's. The first step comes last: a card whose
// writing was interrupted has no partition table.
func write(card *os.File, img io.ReaderAt, size int64, progress func(done, total int64)) error {
	b := make([]byte, step)
	if _, err := card.WriteAt(make([]byte, 512), 0); err != nil {
		return err
	}
	var order []int64
	for at := int64(step); at < size; at += step {
		order = append(order, at)
	}
	for i, at := range append(order, 0) {
		n, err := img.ReadAt(b[:min(step, size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, err := card.WriteAt(b[:n], at); err != nil {
			return err
		}
		if err := card.Sync(); err != nil {
			return err
		}
		progress(min(int64(i+1)*step, size), size)
	}
	return nil
}

func verify(card, img io.ReaderAt, size int64, progress func(done, total int64)) error {
	got, want := make([]byte, step), make([]byte, step)
	for at := int64(0); at < size; at += step {
		n := min(step, size-at)
		if _, err := card.ReadAt(got[:n], at); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, err := img.ReadAt(want[:n], at); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("the card does not hold what was written at %d MiB: try another card", at>>20)
		}
		progress(at+n, size)
	}
	return nil
}

// show prints progress on one line.
func show(what string) func(done, total int64) {
	return func(done, total int64) {
		fmt.Printf("\r%s %3d %%", what, 100*done/total)
		if done == total {
			fmt.Println()
		}
	}
}
