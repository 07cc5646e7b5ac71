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

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

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

// rescueConfig is that of a new card, in RAM: for a board whose configuration is wrong and
// which has no good one.
const rescueConfig = runDir + "/rescue.toml"

// chooseConfig returns the configuration to start the daemon with: the file, unless the
// daemon has just failed with the bytes that are in it.
func chooseConfig(failed []byte) string {
	now, err := os.ReadFile(configFile)
	if err == nil && (failed == nil || string(now) != string(failed)) {
		return configFile
	}
	if good, err := os.ReadFile(goodConfig); err == nil && string(good) != string(now) {
		return goodConfig
	}
	if _, err := os.Stat(rescueConfig); err == nil {
		return rescueConfig
	}
	return configFile
}

// replaceConfig finds another configuration for one that the daemon has not come up with,
// and says so. It does nothing if that is not the configuration's fault.
func replaceConfig(failed []byte) {
	err := check(configFile)
	if chooseConfig(failed) == goodConfig {
		why := "it has no mistakes that can be told"
		if err != nil {
			why = err.Error()
		}
		fault("the daemon does not start with %s: the last good configuration is used: %s", configFile, why)
		return
	}
	if err == nil {
		return
	}
	fault("the daemon does not start with %s, and there is no good configuration: it has no lines: %v", configFile, err)
	text, secret, err := newConfig()
	if err == nil {
		err = renameio.WriteFile(rescueConfig, text, 0o600)
	}
	if err == nil {
		err = writePort(headerPort, "\r\n\r\nhookswitch: the configuration can't be used. Until it is mended:\r\n"+strings.ReplaceAll(secret, "\n", "\r\n"))
	}
	if err != nil {
		log.Printf("rescue: %v", err)
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
		return fmt.Errorf("check: %w", err)
	}
	return errors.New(strings.TrimPrefix(first, "hookswitch: "))
}
