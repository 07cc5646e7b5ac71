package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strings"

	"hookswitch/firmware/config"
	"hookswitch/firmware/statefile"
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
	return makeConfig()
}

// makeConfig makes the configuration of a new card: what the image was built with, and a
// user with a password that is told to the owner, and kept nowhere.
func makeConfig() error {
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
	if err := statefile.Replace(firstBootFile, []byte(secret), 0o600); err != nil {
		return err
	}
	user := fmt.Sprintf("\n[[user]]\nname = \"admin\"\npassword_hash = %q\nadmin = true\n", hash)
	if err := statefile.Replace(configFile, append(text, user...), 0o600); err != nil {
		return err
	}
	log.Print("configuration and password are new")
	return nil
}

// newPassword has 80 random bits, in groups that a person can copy.
func newPassword() string {
	text := strings.ToLower(rand.Text())
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:16]}, "-")
}
