package main

import (
	"fmt"

	"hookswitch/firmware/web"
)

type versionCommand struct{}

// Run says which program this is.
func (c *versionCommand) Run() error {
	b := web.Build()
	commit := b.Commit
	if commit == "" {
		commit = "unknown"
	}
	fmt.Printf("hookswitch %s (commit %s, Go %s)\n", b.Version, commit, b.Go)
	return nil
}
