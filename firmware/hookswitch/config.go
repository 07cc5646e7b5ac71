package main

import (
	"fmt"

	"hookswitch/firmware/config"
)

type configCommand struct {
	Example struct{} `cmd:"" help:"Print a commented example configuration."`
}

// Run prints the example, which is itself a valid configuration.
func (c *configCommand) Run() error {
	fmt.Print(config.Example)
	return nil
}
