package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/statefile"
)

const (
	// goodConfig is the configuration that the daemon last served with.
	goodConfig = configFile + ".good"
	// badConfig is one that could not be used, until its owner has changed the one that
	// took its place.
	badConfig = configFile + ".bad"
)

// keepGood keeps the configuration that the daemon has just begun to serve with.
func keepGood() {
	now, err := os.ReadFile(configFile)
	if err != nil {
		return
	}
	kept, err := os.ReadFile(goodConfig)
	if err != nil || string(kept) != string(now) {
		if err == nil {
			_ = os.Remove(badConfig)
		}
		err := statefile.Replace(goodConfig, now, 0o600)
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

// replaceConfig sets a configuration aside that the daemon has not come up with, and says
// so. In its place comes the good one; where there is none, that of a new card, so that
// there is a board to mend it on; then made is true. If it has no mistakes it stays.
func replaceConfig(failed []byte) (made bool) {
	err := check(configFile)
	if err == nil {
		if chooseConfig(failed) == goodConfig {
			fault("the daemon does not start with %s, which has no mistakes: the last good configuration is used", configFile)
		}
		return false
	}
	good, noGood := os.ReadFile(goodConfig)
	if noGood == nil {
		fault("%v: the last good configuration is used", err)
	} else {
		fault("%v: there is no good configuration: that of a new card is used, without lines", err)
	}
	err = statefile.Replace(badConfig, failed, 0o600)
	switch {
	case err != nil: // the card can't be written to
	case noGood == nil:
		err = statefile.Replace(configFile, good, 0o600)
	default:
		err = makeConfig()
		made = err == nil
	}
	unix.Sync()
	if err != nil {
		log.Printf("replace configuration: %v", err)
	}
	return made
}

// tellBadConfig says that a configuration was set aside and nothing has come of it yet.
func tellBadConfig() {
	if _, err := os.Stat(badConfig); err == nil {
		fault("%s could not be used: the last good configuration is used; config edit and config apply mend it", badConfig)
	}
}

// check says what is wrong with a configuration.
func check(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, daemonPath, "check", path).CombinedOutput()
	if err == nil {
		return nil
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if first == "" {
		return fmt.Errorf("%s: %w", path, err)
	}
	return errors.New(strings.TrimPrefix(first, "hookswitch: "))
}
