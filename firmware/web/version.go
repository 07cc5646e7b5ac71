package web

import (
	"runtime/debug"
	"strings"
)

// BuildInfo tells which program this is.
type BuildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // "" where the builder did not know
	Date    string `json:"date"`   // of the commit, RFC 3339; "" where the builder did not know
	Go      string `json:"go"`
}

// Set by the linker in a package or an image (-X hookswitch/firmware/web.version=1.2.3), which
// are built with -buildvcs=false to be the same from every checkout.
var version, commit, date string

// Build returns what the linker was told, and where it was told nothing what the go command
// knows of the checkout.
func Build() BuildInfo {
	b := BuildInfo{Version: version, Commit: commit, Date: date}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.fill(info)
	}
	if b.Version == "" {
		b.Version = "development"
	}
	return b
}

// fill adds what info says and b does not.
func (b *BuildInfo) fill(info *debug.BuildInfo) {
	b.Go = strings.TrimPrefix(info.GoVersion, "go")
	if b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	modified := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && b.Commit == "":
			b.Commit = s.Value
		case s.Key == "vcs.time" && b.Date == "":
			b.Date = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	if b.Commit != "" {
		b.Commit += modified
	}
}
