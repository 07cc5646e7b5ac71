package modem

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAPressIsCountedOnceHoweverItIsTold(t *testing.T) {
	type told struct {
		ms   int
		what string // a code of a voice modem, or a line's "8"
	}
	for _, test := range []struct {
		name string
		told []told
		line bool
		want string
	}{
		{"held, between marks", []told{{0, "/7"}, {70, "7"}, {140, "7"}, {180, "~"}}, false, "7"},
		{"held, without marks", []told{{0, "7"}, {70, "7"}, {140, "7"}, {210, "7"}}, false, "7"},
		{"twice, between marks", []told{{0, "/7"}, {80, "7~"}, {150, "/7"}, {230, "7~"}}, false, "77"},
		{"twice, without marks", []told{{0, "7"}, {70, "7"}, {300, "7"}, {370, "7"}}, false, "77"},
		{"twice, one code each", []told{{0, "7"}, {300, "7"}}, false, "77"},
		{"twice in lines", []told{{0, "7"}, {300, "7"}}, true, "77"},
		{"two keys in lines", []told{{0, "3"}, {100, "7"}, {200, "3"}}, true, "373"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, begin := newCall(), time.Now()
				for _, k := range test.told {
					time.Sleep(time.Until(begin.Add(time.Duration(k.ms) * time.Millisecond)))
					if test.line {
						c.dialledKey(k.what)
						continue
					}
					for _, code := range []byte(k.what) {
						c.code(code)
					}
				}
				got := ""
				for len(c.events) > 0 {
					got += string((<-c.events).key)
				}
				if got != test.want {
					t.Errorf("counted %q, want %q", got, test.want)
				}
			})
		})
	}
}
