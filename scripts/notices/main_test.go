package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALicenceIsKnownByItsWords(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"MIT, broken into lines", "MIT License\n\nPermission is hereby\ngranted, free of charge, to any person", "MIT"},
		{"BSD of three clauses", "Redistribution and use in source and binary forms … may be used to endorse or promote products", "BSD-3-Clause"},
		{"BSD of two clauses", "Redistribution and use in source and binary forms, with or without", "BSD-2-Clause"},
		{"Apache", "  Apache License\n  Version 2.0, January 2004", "Apache-2.0"},
		{"none that may be linked", "GNU GENERAL PUBLIC LICENSE", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := identify(test.text)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("identify = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestADirectoryWithoutALicenceFails(t *testing.T) {
	if text, err := licenceText(t.TempDir()); err == nil {
		t.Errorf("licenceText = %q, want an error", text)
	}
}

func TestThisProgramsModulesHaveLicences(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	notices, err := collect([]string{program})
	if err != nil {
		t.Fatal(err)
	}
	var texts bytes.Buffer
	if err := writeTexts(&texts, notices); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(texts.String(), "std go1.") {
		t.Errorf("notices of %s do not name Go's own library", filepath.Base(program))
	}
}
