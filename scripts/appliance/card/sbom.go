package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
		CPE        string     `json:"cpe,omitempty"`
		Licences   []licence  `json:"licenses,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	licence struct {
		License licenceName `json:"license"`
	}
	licenceName struct { // one of the two
		ID   string `json:"id,omitempty"` // SPDX
		Name string `json:"name,omitempty"`
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
	identifiers, err := b.identifiers()
	if err != nil {
		return err
	}
	found := make(map[string]component)
	top := depends{Ref: image.Ref}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(filepath.Join(b.tmp, program))
		if err != nil {
			return fmt.Errorf("sbom: %w", err)
		}
		ref := depends{Ref: "program:" + program}
		found[ref.Ref] = component{Type: "application", Ref: ref.Ref, Name: program, Version: b.release.Version}
		found["std"] = component{Type: "library", Ref: "std", Name: "std", Version: info.GoVersion,
			PURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), Licences: spdx(identifiers["std"])}
		ref.DependsOn = append(ref.DependsOn, "std")
		for _, d := range info.Deps {
			if d.Path == "hookswitch" {
				continue // ourselves, seen from the module of the image's tools
			}
			c := goComponent(d)
			c.Licences = spdx(identifiers[d.Path])
			found[c.Ref] = c
			ref.DependsOn = append(ref.DependsOn, c.Ref)
		}
		doc.Dependencies = append(doc.Dependencies, ref)
		top.DependsOn = append(top.DependsOn, ref.Ref)
	}
	kernel, err := kernelComponent(modules["kernel"])
	if err != nil {
		return fmt.Errorf("sbom: %w", err)
	}
	m := modules["firmware"]
	boot := goComponent(&debug.Module{Path: m.Path, Version: m.Version, Sum: m.Sum})
	boot.Type = "firmware"
	boot.Licences = []licence{{licenceName{Name: "Broadcom redistributable; only with a Raspberry Pi"}}}
	found[kernel.Ref], found[boot.Ref] = kernel, boot
	for _, ref := range sortedKeys(found) {
		doc.Components = append(doc.Components, found[ref])
		if t := found[ref].Type; t == "firmware" || t == "operating-system" {
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

func spdx(id string) []licence { return []licence{{licenceName{ID: id}}} }

// kernelComponent names the kernel as the lists of vulnerabilities do: Linux, of the version
// that the kernel itself has.
func kernelComponent(m module) (component, error) {
	vmlinuz, err := os.ReadFile(filepath.Join(m.Dir, "vmlinuz"))
	if err != nil {
		return component{}, err
	}
	version, err := kernelVersion(vmlinuz)
	if err != nil {
		return component{}, fmt.Errorf("%s: %w", m.Path, err)
	}
	c := goComponent(&debug.Module{Path: m.Path, Version: m.Version, Sum: m.Sum})
	c.Type, c.Name, c.Version, c.Licences = "operating-system", "linux_kernel", version, spdx("GPL-2.0-only")
	c.CPE = "cpe:2.3:o:linux:linux_kernel:" + version + ":*:*:*:*:*:*:*"
	return c, nil
}

var linuxVersion = regexp.MustCompile(`Linux version ([0-9]+\.[0-9]+\.[0-9]+)`)

// kernelVersion reads the release out of an uncompressed kernel.
func kernelVersion(vmlinuz []byte) (string, error) {
	found := linuxVersion.FindSubmatch(vmlinuz)
	if found == nil {
		return "", errors.New("the kernel does not tell its version")
	}
	return string(found[1]), nil
}
