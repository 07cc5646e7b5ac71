package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"hookswitch/firmware/config"
)

const (
	configFile   = "/perm/hookswitch.toml"
	configOfCard = "/etc/hookswitch.toml" // what the image was built with: no secret is in it
	// firstBootFile is there until showFirstBoot has shown it.
	firstBootFile = "/perm/first-boot"
)

// firstBoot makes what a new card lacks: a configuration, with one user whose password was
// made here and is nowhere else.
func firstBoot() error {
	if _, err := os.Stat(configFile); !os.IsNotExist(err) {
		return err
	}
	text, err := os.ReadFile(configOfCard)
	if err != nil {
		return err
	}
	password := newPassword()
	hash, err := config.HashPassword(password)
	if err != nil {
		return err
	}
	// The password first: one that nobody was told would lock the owner out.
	secret := fmt.Sprintf("user admin\npassword %s\n", password)
	if err := renameio.WriteFile(firstBootFile, []byte(secret), 0o600); err != nil {
		return err
	}
	user := fmt.Sprintf("\n[[user]]\nname = \"admin\"\npassword_hash = %q\nadmin = true\n", hash)
	if err := renameio.WriteFile(configFile, append(text, user...), 0o600); err != nil {
		return err
	}
	unix.Sync() // what is shown must be true after a power cut too
	log.Print("first start: configuration and password are new")
	return nil
}

// newPassword has 80 random bits, in groups that a person can copy.
func newPassword() string {
	text := strings.ToLower(rand.Text())
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:16]}, "-")
}

// goodConfig is the configuration that the daemon last served with.
const goodConfig = configFile + ".good"

// keepGood keeps the configuration that the daemon has just begun to serve with.
func keepGood() {
	now, err := os.ReadFile(configFile)
	if err != nil {
		return
	}
	if kept, err := os.ReadFile(goodConfig); err != nil || string(kept) != string(now) {
		err := renameio.WriteFile(goodConfig, now, 0o600)
		unix.Sync() // the new name is on the card only then
		if err != nil {
			log.Printf("keep configuration: %v", err)
		}
	}
	if err := writeSpare(disk, now); err != nil {
		log.Printf("keep configuration: %v", err)
	}
	log.Print("this configuration is a good one")
}

// chooseConfig returns the configuration to start the daemon with: the file, unless the
// daemon has just failed with the bytes that are in it.
func chooseConfig(failed []byte) string {
	now, err := os.ReadFile(configFile)
	if err == nil && (failed == nil || string(now) != string(failed)) {
		return configFile
	}
	good, err := os.ReadFile(goodConfig)
	if err != nil || string(good) == string(now) {
		return configFile
	}
	return goodConfig
}
