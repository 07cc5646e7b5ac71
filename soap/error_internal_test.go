package soap

import (
	"os"
	"strings"
	"testing"
)

func TestThePageTellsEveryRefusal(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range refusals {
		for _, name := range []string{r.exception, r.code} {
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("%s isn't there", name)
			}
		}
	}
}
