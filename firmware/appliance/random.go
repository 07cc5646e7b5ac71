package main

import (
	"crypto/rand"
	"log"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/statefile"
)

const (
	seedFile = "/perm/random-seed"
	seedSize = 256 // bytes
)

// seedRandom gives the kernel the randomness of the last run, and keeps some for the next
// at once, so that none is used twice whatever happens to this run.
func seedRandom() {
	seed, err := os.ReadFile(seedFile)
	if err == nil && len(seed) == seedSize {
		if err := credit(seed); err != nil {
			log.Printf("random seed: %v", err)
		}
	}
	next := make([]byte, seedSize)
	if n, err := unix.Getrandom(next, unix.GRND_NONBLOCK); err != nil || n != seedSize {
		// The board's own generator is not up yet; it will be before a key is made.
		go func() { _, _ = rand.Read(next); keepSeed(next) }()
		return
	}
	keepSeed(next)
}

func keepSeed(seed []byte) {
	if err := statefile.Replace(seedFile, seed, 0o600); err != nil {
		log.Printf("random seed: %v", err)
	}
}

// credit mixes the seed in and counts half of its bits (random(4), RNDADDENTROPY).
func credit(seed []byte) error {
	f, err := os.OpenFile("/dev/urandom", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	pool := struct {
		bits, size int32
		data       [seedSize]byte
	}{bits: seedSize * 8 / 2, size: seedSize, data: [seedSize]byte(seed)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&pool)))
	if errno != 0 {
		return errno
	}
	return nil
}
