package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a wiring page says to copy into the configuration has no mistake. A block without a
// table of its own goes into the page's first line.
func TestTheWiringPagesConfigurationsHaveNoMistake(t *testing.T) {
	pages, err := filepath.Glob("../../board/*.md")
	if err != nil || len(pages) < 8 {
		t.Fatalf("pages: %v, %v", pages, err)
	}
	block := regexp.MustCompile("(?s)```toml\n(.*?)```")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		line := "[[line]]\nname = \"fxo1\"\nport = \"/dev/ttyACM0\"\n"
		for i, found := range block.FindAllStringSubmatch(string(text), -1) {
			whole := found[1]
			if strings.HasPrefix(whole, "[[line]]") {
				if i == 0 {
					line = "[[line]]" + strings.Split(whole, "[[line]]")[1]
				}
			} else {
				whole = merge(line, whole)
			}
			t.Run(filepath.Base(page), func(t *testing.T) { parse(t, whole) })
		}
	}
}

// merge puts keys into a line, instead of those that it has.
func merge(line, keys string) string {
	for k := range strings.Lines(keys) {
		name, _, _ := strings.Cut(k, " ")
		line = regexp.MustCompile(`(?m)^`+name+` .*\n?`).ReplaceAllString(line, "")
	}
	return line + keys
}
