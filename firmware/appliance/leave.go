package main

import (
	"log"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/update"
)

// leave ends the system. Everything has stopped by now. It does not return.
func leave(how update.Restart) {
	saveTime()
	unix.Sync()
	for _, dir := range []string{"/perm", "/boot"} {
		if err := unix.Unmount(dir, 0); err != nil {
			_ = unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
		}
	}
	log.Print("good-bye")
	var err error
	switch how {
	case update.Try:
		err = restartWith("0 tryboot")
	case update.PowerOff:
		err = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	default:
		err = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	}
	log.Printf("the kernel does not restart: %v", err)
	// The hardware watchdog is fed no more.
	for {
		time.Sleep(time.Hour)
	}
}

// restartWith restarts with an argument for the boot firmware: the partition, 0 for its
// own choice, and "tryboot" for the other one this once.
func restartWith(arg string) error {
	b, err := unix.BytePtrFromString(arg)
	if err != nil {
		return err
	}
	_, _, errno := unix.Syscall6(unix.SYS_REBOOT, unix.LINUX_REBOOT_MAGIC1, unix.LINUX_REBOOT_MAGIC2,
		unix.LINUX_REBOOT_CMD_RESTART2, uintptr(unsafe.Pointer(b)), 0, 0)
	return errno
}
