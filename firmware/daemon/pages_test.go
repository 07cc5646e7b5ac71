package daemon_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// files returns what of the checkout has the ending.
func files(t *testing.T, ending string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "out" || d.Name() == "bin" || d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ending) {
			list = append(list, path)
		}
		return err
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("files: %d, %v", len(list), err)
	}
	return list
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatAPageLinksToIsThere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]*)(?:#([^)]*))?\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`) // by GitHub, which makes an anchor of a heading
	for _, page := range files(t, ".md") {
		for _, l := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, anchor := filepath.Join(filepath.Dir(page), l[1]), l[2]
			if l[1] == "" {
				target = page
			}
			if strings.Contains(l[1], "://") {
				continue
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links %s, which is not there", page, l[1])
				continue
			}
			if anchor == "" {
				continue
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(read(t, target), -1) {
				name := strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
				found = found || name == anchor
			}
			if !found {
				t.Errorf("%s links %s#%s, and there is no such heading", page, l[1], anchor)
			}
		}
	}
}

func TestTheTreeOfContributingHasEveryPackage(t *testing.T) {
	page := read(t, root+"/.github/CONTRIBUTING.md")
	_, tree, _ := strings.Cut(page, "## The tree")
	for _, path := range files(t, ".go") {
		path, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(filepath.ToSlash(filepath.Dir(path)), "/")
		if parts[0] == "scripts" || len(parts) > 2 { // said of scripts is that they are there
			continue
		}
		if name := parts[len(parts)-1] + "/"; !strings.Contains(tree, " "+name) && !strings.Contains(tree, "\n"+name) {
			t.Errorf("%s has a package, and the tree does not tell of it", filepath.Dir(path))
		}
	}
}
