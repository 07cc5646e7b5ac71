package main

import (
	"crypto/tls"
	"fmt"
	"os"

	"hookswitch/firmware/config"
)

type checkCommand struct {
	Config string `arg:"" optional:"" type:"path" help:"The configuration file; without it that of the appliance or of the package."`
}

// Run checks a configuration, and says which of the ports that it names are not there.
func (c *checkCommand) Run() error {
	path := c.Config
	if path == "" {
		path = "/etc/hookswitch.toml"
		if _, err := os.Stat("/perm/hookswitch.toml"); err == nil {
			path = "/perm/hookswitch.toml"
		}
	}
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	if cfg.HTTP.TLS == config.TLSFiles {
		if _, err := tls.LoadX509KeyPair(cfg.HTTP.Cert, cfg.HTTP.Key); err != nil {
			return fmt.Errorf("%s: [http] cert and key: %w", path, err)
		}
	}
	fmt.Printf("%s: no mistakes; lines: %d, users: %d\n", path, len(cfg.Lines), len(cfg.Users))
	for _, l := range cfg.Lines {
		for _, port := range []string{l.Port, l.PCM} {
			if port == "" {
				continue
			}
			if _, err := os.Stat(port); err != nil {
				fmt.Printf("line %s: port %s is not there now: is the modem plugged in?\n", l.Name, port)
			}
		}
	}
	return nil
}
