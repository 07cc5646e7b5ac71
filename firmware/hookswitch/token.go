package main

import (
	"fmt"

	"hookswitch/firmware/config"
)

type tokenCommand struct{}

// Run makes a bearer token, which is shown only now.
func (c *tokenCommand) Run() error {
	token, hash := config.NewToken()
	fmt.Printf("# give the script this token; it is not stored anywhere: %s\ntoken_hash = [%q]\n", token, hash)
	return nil
}
