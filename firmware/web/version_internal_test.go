package web

import (
	"runtime/debug"
	"testing"
)

func TestAProgramTellsWhichItIs(t *testing.T) {
	checkout := &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Version: "v0.0.0-20261127225408-157e30811ad1"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "157e308"}, {Key: "vcs.time", Value: "2026-11-23T22:11:57Z"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	for _, test := range []struct {
		name       string
		told, want BuildInfo
		info       *debug.BuildInfo
	}{
		{"built in a checkout", BuildInfo{}, BuildInfo{
			"v0.0.0-20261127225408-157e30811ad1", "157e308+changes", "2026-11-23T22:11:57Z", "1.26.8",
		}, checkout},
		{"built without version control", BuildInfo{}, BuildInfo{Go: "1.26.8"}, &debug.BuildInfo{
			GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"},
		}},
		{"told by the linker", BuildInfo{"1.4.0", "157e308", "2026-11-23T22:11:57Z", ""}, BuildInfo{
			"1.4.0", "157e308", "2026-11-23T22:11:57Z", "1.26.8",
		}, &debug.BuildInfo{GoVersion: "go1.26.8"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.told
			got.fill(test.info)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
