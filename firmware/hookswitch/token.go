package main

import (
	"fmt"

	"hookswitch/firmware/config"
)

type tokenCommand struct{}

// Run makes a bearer token, which is shown only now.
func (c *tokenCommand) Run() error {
	token, hash := config.NewToken()
	fmt.Printf("# For HOOKSWITCH_TOKEN or an Authorization: Bearer header; it is stored nowhere:\n# %s\ntoken_hash = [%q]\n", token, hash)
	return nil
}
