package main

import (
	"fmt"
	"os"

	"hookswitch/firmware/config"
)

type checkCommand struct {
	Config string `arg:"" optional:"" type:"path" default:"/etc/hookswitch.toml" help:"The configuration file."`
}

// Run checks a configuration, and that the ports it names are there.
func (c *checkCommand) Run() error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	fmt.Printf("%s: no mistakes; %d lines, %d users\n", c.Config, len(cfg.Lines), len(cfg.Users))
	for _, l := range cfg.Lines {
		for _, port := range []string{l.Port, l.PCM} {
			if port == "" {
				continue
			}
			if _, err := os.Stat(port); err != nil {
				fmt.Printf("line %s: %s is not there now: is the modem plugged in?\n", l.Name, port)
			}
		}
	}
	return nil
}
