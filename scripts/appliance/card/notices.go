package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// programs are those of the root file system, by the names under which compile leaves them.
var programs = []string{"hookswitch", "init"}

// sources is where the source of what is not Go can be had, as its licences want it told.
const sources = `This card holds, beside hookswitch and the Go modules below:

Linux (GPL-2.0-only; LICENSE.linux), built by the gokrazy project. Its source is the commit of
https://github.com/raspberrypi/linux that _build of https://github.com/gokrazy/kernel.rpi names.

The boot firmware of the Raspberry Pi (LICENSE.broadcom), which may be used and passed on only
with a Raspberry Pi, from https://github.com/raspberrypi/firmware by way of
https://github.com/gokrazy/firmware.

hookswitch itself: %s

`

// notices returns what the card says of licences.
func (b *builder) notices() ([]byte, error) {
	own, err := os.ReadFile(filepath.Join(b.root, "LICENSE"))
	if err != nil {
		return nil, err
	}
	texts, err := b.runNotices()
	return append(fmt.Appendf(nil, sources, own), texts...), err
}

// identifiers returns the SPDX identifier of each Go module on the card.
func (b *builder) identifiers() (map[string]string, error) {
	out, err := b.runNotices("-json")
	if err != nil {
		return nil, err
	}
	var ids map[string]string
	err = json.Unmarshal(out, &ids)
	return ids, err
}

func (b *builder) runNotices(flags ...string) ([]byte, error) {
	args := append([]string{"run", "./scripts/notices"}, flags...)
	for _, p := range programs {
		args = append(args, filepath.Join(b.tmp, p))
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = b.root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	return out, nil
}
