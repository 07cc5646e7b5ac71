package main

import (
	"fmt"

	"hookswitch/firmware/web"
)

type versionCommand struct{}

// Run says which program this is.
func (c *versionCommand) Run() error {
	b := web.Build()
	fmt.Printf("hookswitch %s %s (Go %s)\n", b.Version, b.Commit, b.Go)
	return nil
}
