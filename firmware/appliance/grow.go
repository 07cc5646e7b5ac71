package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	sectorSize = 512
	// growStep is what is not worth growing for.
	growStep = 16 << 20
	// maxPerm is for how much the image's mkfs.ext4 kept room in the group descriptors.
	maxPerm = 64 << 30

	entry4 = 446 + 3*16 // of the MBR

	blkpg           = 0x1269     // linux/blkpg.h BLKPG
	blkpgResize     = 3          // linux/blkpg.h BLKPG_RESIZE_PARTITION
	ext4IocResizeFS = 0x40086610 // fs/ext4/ext4.h EXT4_IOC_RESIZE_FS
	ext4BlockSize   = 4096
)

// growPartition lets the last partition reach the end of the card: one sector changes.
func growPartition() error {
	f, err := os.OpenFile(disk, os.O_RDWR|os.O_SYNC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	sector := make([]byte, sectorSize)
	if _, err := f.ReadAt(sector, 0); err != nil {
		return err
	}
	start, size, ok := grown(sector, end)
	if !ok {
		return nil
	}
	if _, err := f.WriteAt(sector, 0); err != nil {
		return err
	}
	log.Printf("data partition grows to %d MiB", size>>20)
	return resizePartition(f, 4, start, size)
}

// grown changes the fourth entry of an MBR to end at the end of the card.
func grown(sector []byte, end int64) (start, size int64, ok bool) {
	entry := sector[entry4:]
	if sector[510] != 0x55 || sector[511] != 0xaa || entry[4] != 0x83 {
		return 0, 0, false
	}
	start = int64(binary.LittleEndian.Uint32(entry[8:])) * sectorSize
	size = int64(binary.LittleEndian.Uint32(entry[12:])) * sectorSize
	want := min(end-start, maxPerm) / (1 << 20) * (1 << 20)
	if want < size+growStep {
		return 0, 0, false
	}
	binary.LittleEndian.PutUint32(entry[12:], uint32(want/sectorSize))
	return start, want, true
}

// resizePartition tells the kernel, which has already read the old table.
func resizePartition(disk *os.File, number int32, start, size int64) error {
	part := struct {
		start, length int64
		number        int32
		names         [128]byte
	}{start: start, length: size, number: number}
	arg := struct {
		op, flags, length int32
		data              uintptr
	}{op: blkpgResize, length: int32(unsafe.Sizeof(part)), data: uintptr(unsafe.Pointer(&part))}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, disk.Fd(), blkpg, uintptr(unsafe.Pointer(&arg)))
	runtime.KeepAlive(&part)
	if errno != 0 {
		return fmt.Errorf("tell the kernel: %w", errno)
	}
	return nil
}

// growFileSystem lets the mounted file system fill its partition. Where it does already
// the kernel does nothing.
func growFileSystem() error {
	f, err := os.Open(permDevice)
	if err != nil {
		return err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	dir, err := os.Open("/perm")
	if err != nil {
		return err
	}
	defer dir.Close()
	blocks := uint64(end / ext4BlockSize)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, dir.Fd(), ext4IocResizeFS, uintptr(unsafe.Pointer(&blocks)))
	if errno != 0 {
		return errno
	}
	return nil
}
