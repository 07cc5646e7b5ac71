package main

import (
	"cmp"
	"fmt"

	"hookswitch/firmware/web"
)

type versionCommand struct{}

// Run prints which program this is.
func (c *versionCommand) Run() error {
	fmt.Println(versionLine())
	return nil
}

func versionLine() string {
	b := web.Build()
	return fmt.Sprintf("hookswitch %s (commit %s of %s, Go %s)",
		b.Version, cmp.Or(b.Commit, "unknown"), cmp.Or(b.Date, "unknown date"), b.Go)
}
