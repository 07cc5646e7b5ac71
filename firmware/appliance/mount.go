package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/health"
)

const (
	disk       = "/dev/mmcblk0"
	permDevice = "/dev/mmcblk0p4"
	bootDevice = "/dev/mmcblk0p1"
	runDir     = "/run/hookswitch"
)

// kmsg makes each line of a log one line of the kernel's log.
type kmsg struct{ f io.Writer }

func (k kmsg) Write(b []byte) (int, error) {
	_, _ = k.f.Write(append([]byte("<6>"), b...))
	return len(b), nil
}

// fault tells the daemon, and the log, of something that a person must put right.
func fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	log.Print(text)
	_ = health.Add(health.File, text)
}

// mountSystem mounts what is not on the card. The root is a RAM disk that nobody may
// write to from here on.
func mountSystem() {
	var failed []error
	for _, m := range []struct {
		kind, dir string
		flags     uintptr
		data      string
	}{
		{"devtmpfs", "/dev", unix.MS_NOSUID, "mode=0755"},
		{"proc", "/proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "/sys", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "mode=0755"},
		{"tmpfs", "/tmp", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "mode=1777"},
		{"devpts", "/dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "ptmxmode=0666"},
	} {
		if m.dir == "/dev/pts" {
			_ = os.Mkdir(m.dir, 0o755)
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, m.flags, m.data); err != nil && !errors.Is(err, unix.EBUSY) {
			failed = append(failed, fmt.Errorf("mount %s: %w", m.dir, err))
		}
	}
	if f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0); err == nil {
		log.SetOutput(kmsg{f})
		log.SetPrefix("init: ")
	}
	if err := os.MkdirAll(runDir, 0o755); err != nil {
		failed = append(failed, err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		failed = append(failed, fmt.Errorf("root stays writable: %w", err))
	}
	if err := errors.Join(failed...); err != nil {
		fault("%v", err)
	}
}

// mountCard mounts the card's data partition on /perm and its first partition on /boot.
// Without the data partition /perm is RAM, so that calls can be made all the same.
func mountCard() {
	if err := mountPerm(); err != nil {
		fault("data partition: %v: nothing that is stored now survives a restart", err)
		if err := unix.Mount("tmpfs", "/perm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0755,size=64m"); err != nil {
			fault("mount /perm in RAM: %v", err)
		}
		useSpare()
	}
	factoryReset("/perm", disk)
	if err := unix.Mount(bootDevice, "/boot", "vfat", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		fault("boot partition: %v: no updates", err)
	}
}

func mountPerm() error {
	if err := waitFor(permDevice, 5*time.Second); err != nil {
		return err
	}
	if err := growPartition(); err != nil {
		log.Printf("the data partition keeps its size: %v", err)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME)
	err := unix.Mount(permDevice, "/perm", "ext4", flags, "errors=remount-ro")
	if err == nil {
		if err := growFileSystem(); err != nil {
			log.Printf("the data file system keeps its size: %v", err)
		}
		return nil
	}
	// A card at the end of its life, or with its journal damaged: what it holds is still good to read.
	if ro := unix.Mount(permDevice, "/perm", "ext4", flags|unix.MS_RDONLY, "noload"); ro == nil {
		fault("data partition: %v: mounted read-only, nothing can be stored", err)
		return nil
	}
	return err
}

// waitFor waits for a device, which the kernel finds in its own time.
func waitFor(path string, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s has not appeared in %v", path, limit)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
