// Command notices prints the licences of the Go modules that are linked into programs: what
// the package and the card ship beside them. With -json it prints the SPDX identifier of
// each module instead, for the bill of materials.
//
//	go run ./scripts/notices [-json] PROGRAM...
//
// A module without a licence file, or with one of another kind, fails the build.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("notices: ")
	asJSON := flag.Bool("json", false, "print SPDX identifiers by module instead of texts")
	flag.Parse()
	notices, err := collect(flag.Args())
	if err != nil {
		log.Fatal(err)
	}
	if *asJSON {
		err = writeIdentifiers(os.Stdout, notices)
	} else {
		err = writeTexts(os.Stdout, notices)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// notice is the licence of a module.
type notice struct {
	Module  string // "std" is Go's own library
	Version string
	SPDX    string
	Text    string
}

// collect returns the notices of every module in the programs, by module path.
func collect(programs []string) ([]notice, error) {
	modules := map[string]string{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, err
		}
		modules["std"] = info.GoVersion
		for _, m := range info.Deps {
			modules[m.Path] = m.Version
		}
	}
	delete(modules, "hookswitch")
	var list []notice
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		dir, err := moduleDir(path)
		if err != nil {
			return nil, err
		}
		n := notice{Module: path, Version: modules[path]}
		if n.Text, err = licenceText(dir); err == nil {
			n.SPDX, err = identify(n.Text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, n)
	}
	return list, nil
}

// moduleDir returns where the go command keeps a module; the version is that of go.mod.
func moduleDir(path string) (string, error) {
	args := []string{"list", "-m", "-f", "{{.Dir}}", path}
	if path == "std" {
		args = []string{"env", "GOROOT"}
	}
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("where is %s: %w", path, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// licenceFile matches the names under which modules keep their licence.
var licenceFile = regexp.MustCompile(`(?i)^(LICEN[CS]E|COPYING)([-.].*)?$`)

// licenceText joins the licence files of a directory, and its NOTICE, which Apache-2.0 §4(d)
// wants passed on.
func licenceText(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var text []string
	licensed := false
	for _, e := range entries {
		isLicence := licenceFile.MatchString(e.Name())
		if e.IsDir() || !isLicence && e.Name() != "NOTICE" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		licensed = licensed || isLicence
		text = append(text, strings.TrimSpace(string(b)))
	}
	if !licensed {
		return "", fmt.Errorf("no licence file in %s", dir)
	}
	return strings.Join(text, "\n\n"), nil
}

// kinds are the licences that may be linked, by words that no other of them has; the first
// match holds.
var kinds = []struct{ words, spdx string }{
	{"Apache License Version 2.0", "Apache-2.0"},
	{"Mozilla Public License Version 2.0", "MPL-2.0"},
	{"Mozilla Public License, version 2.0", "MPL-2.0"},
	{"Permission is hereby granted, free of charge", "MIT"},
	{"Permission to use, copy, modify, and/or distribute", "ISC"},
	{"may be used to endorse or promote products", "BSD-3-Clause"},
	{"Redistribution and use in source and binary forms", "BSD-2-Clause"},
}

// identify returns the SPDX identifier of a licence's text.
func identify(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	for _, k := range kinds {
		if strings.Contains(text, k.words) {
			return k.spdx, nil
		}
	}
	return "", fmt.Errorf("its licence is none of those that may be linked")
}

func writeIdentifiers(w io.Writer, notices []notice) error {
	ids := map[string]string{}
	for _, n := range notices {
		ids[n.Module] = n.SPDX
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(ids)
}

func writeTexts(w io.Writer, notices []notice) error {
	for _, n := range notices {
		rule := strings.Repeat("-", 72)
		if _, err := fmt.Fprintf(w, "%s\n%s %s (%s)\n%s\n\n%s\n\n", rule, n.Module, n.Version, n.SPDX, rule, n.Text); err != nil {
			return err
		}
	}
	return nil
}
