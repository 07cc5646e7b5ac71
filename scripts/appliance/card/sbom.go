package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// The bill of materials, as CycloneDX 1.5 (ECMA-424) has it: the elements that we use.
type (
	sbom struct {
		Format       string      `json:"bomFormat"`
		SpecVersion  string      `json:"specVersion"`
		Version      int         `json:"version"`
		Metadata     metadata    `json:"metadata"`
		Components   []component `json:"components"`
		Dependencies []depends   `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl,omitempty"`
		Licences   []licence  `json:"licenses,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	licence struct {
		License struct {
			Name string `json:"name"`
		} `json:"license"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	depends struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

// writeSBOM says what is on the card: read out of the binaries themselves, and the two
// modules of data.
func (b *builder) writeSBOM(modules map[string]module) error {
	image := component{Type: "firmware", Ref: "image", Name: name, Version: b.release.Version}
	doc := sbom{
		Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata: metadata{time.Unix(b.release.Built, 0).UTC().Format(time.RFC3339), image},
	}
	found := make(map[string]component)
	top := depends{Ref: image.Ref}
	for _, program := range []string{"hookswitch", "init"} {
		info, err := buildinfo.ReadFile(filepath.Join(b.tmp, program))
		if err != nil {
			return fmt.Errorf("sbom: %w", err)
		}
		ref := depends{Ref: "program:" + program}
		found[ref.Ref] = component{Type: "application", Ref: ref.Ref, Name: program, Version: b.release.Version}
		found["std"] = component{Type: "library", Ref: "std", Name: "std", Version: info.GoVersion,
			PURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), Licences: named("BSD-3-Clause")}
		ref.DependsOn = append(ref.DependsOn, "std")
		for _, d := range info.Deps {
			if d.Path == "hookswitch" {
				continue // ourselves, seen from the image's module
			}
			c := goComponent(d)
			found[c.Ref] = c
			ref.DependsOn = append(ref.DependsOn, c.Ref)
		}
		doc.Dependencies = append(doc.Dependencies, ref)
		top.DependsOn = append(top.DependsOn, ref.Ref)
	}
	for short, licence := range map[string]string{"kernel": "GPL-2.0-only", "firmware": "Broadcom redistributable; only with a Raspberry Pi"} {
		m := modules[short]
		c := goComponent(&debug.Module{Path: m.Path, Version: m.Version, Sum: m.Sum})
		c.Type, c.Licences = "firmware", named(licence)
		found[c.Ref] = c
	}
	for _, ref := range sortedKeys(found) {
		doc.Components = append(doc.Components, found[ref])
		if found[ref].Type == "firmware" {
			top.DependsOn = append(top.DependsOn, ref)
		}
	}
	doc.Dependencies = append(doc.Dependencies, top)
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("sbom: %w", err)
	}
	return os.WriteFile(b.artefact(".cdx.json"), append(text, '\n'), 0o644)
}

func goComponent(m *debug.Module) component {
	purl := "pkg:golang/" + m.Path + "@" + m.Version
	return component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl,
		Properties: []property{{"go:sum", m.Sum}}}
}

func named(name string) []licence {
	var l licence
	l.License.Name = name
	return []licence{l}
}
