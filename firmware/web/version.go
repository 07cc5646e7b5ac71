package web

import (
	"runtime/debug"
	"strings"
)

// BuildInfo is which program this is.
type BuildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // "" where the builder did not know
	Go      string `json:"go"`
}

// version is set by the linker in a release: -X hookswitch/firmware/web.version=1.2.3.
var version = "development"

// Build says which program this is.
func Build() BuildInfo {
	b := BuildInfo{Version: version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = strings.TrimPrefix(info.GoVersion, "go")
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified && b.Commit != "" {
		b.Commit += "+changes"
	}
	return b
}
