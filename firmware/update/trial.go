package update

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hookswitch/firmware/statefile"
)

// States of the last update, as update.json has them.
const (
	trying    = "trying"
	confirmed = "confirmed"
	failed    = "failed"
)

// record is update.json: the last update and what became of it.
type record struct {
	State    string `json:"state"`
	Slot     int    `json:"slot"`
	Release         // of the update
	Previous string `json:"previous"` // version that installed it
}

func (c *Card) recordPath() string  { return filepath.Join(c.Perm, "update.json") }
func (c *Card) savedConfig() string { return c.Config + ".before-update" }

func (c *Card) record() (record, bool) {
	var r record
	b, err := os.ReadFile(c.recordPath())
	if err != nil || json.Unmarshal(b, &r) != nil {
		return record{}, false
	}
	return r, true
}

// plan keeps the configuration as it is now and records the update to be tried.
func (c *Card) plan(r record) error {
	b, err := os.ReadFile(c.Config)
	if err == nil {
		err = statefile.Replace(c.savedConfig(), b, 0o600)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("update: keep configuration: %w", err)
	}
	return writeJSON(c.recordPath(), r)
}

// Trial says whether the running version is one that must still prove itself.
func (c *Card) Trial() bool {
	r, ok := c.record()
	if !ok || r.State != trying || r.Version != c.Running.Version {
		return false
	}
	// A power cut between the two writes of Confirm: the choice was already made.
	n, err := c.defaultSlot()
	return err != nil || n != r.Slot
}

// Settle is called once at each start, before the daemon. It finishes what a power cut
// interrupted: an update that did not take puts the old configuration back. note is for
// people, "" when there is nothing to say.
func (c *Card) Settle() (note string, err error) {
	r, ok := c.record()
	if !ok {
		return c.setAside()
	}
	if r.State != trying || c.Trial() {
		return "", nil
	}
	if r.Version == c.Running.Version {
		return "", c.finish(r)
	}
	if err := c.restoreConfig(); err != nil {
		return "", err
	}
	r.State = failed
	note = fmt.Sprintf("update to %s did not prove itself: %s runs again", r.Version, c.Running.Version)
	return note, writeJSON(c.recordPath(), r)
}

// setAside keeps a record that can't be read from being taken for none for ever.
func (c *Card) setAside() (note string, err error) {
	root, err := os.OpenRoot(c.Perm)
	if err != nil {
		return "", fmt.Errorf("update: %w", err)
	}
	defer root.Close()
	aside, err := statefile.SetAside(root, filepath.Base(c.recordPath()))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("update: damaged record: %w", err)
	}
	return "the record of the last update was damaged (now " + aside + "): whether it was kept is not known", nil
}

func (c *Card) restoreConfig() error {
	err := statefile.Rename(c.savedConfig(), c.Config)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("update: restore configuration: %w", err)
	}
	return nil
}

// Confirm makes the running version, which is on trial, the default.
func (c *Card) Confirm() error {
	r, ok := c.record()
	if !ok || !c.Trial() {
		return errors.New("update: nothing to confirm")
	}
	if err := c.overwrite("autoboot.txt", Autoboot(r.Slot)); err != nil {
		return err
	}
	return c.finish(r)
}

func (c *Card) finish(r record) error {
	_ = statefile.Remove(c.savedConfig())
	r.State = confirmed
	return writeJSON(c.recordPath(), r)
}

// Prove runs check until it succeeds and then confirms the running version. It returns
// nil at once where nothing is on trial. When ctx ends first the error is check's last:
// restart, and the old version runs again.
func (c *Card) Prove(ctx context.Context, check func(ctx context.Context) error) error {
	if !c.Trial() {
		return nil
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return c.Confirm()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("update: version %s did not prove itself: %w", c.Running.Version, err)
		case <-tick.C:
		}
	}
}

// Status is what is known of the last update, for people: "" where there was none.
func (c *Card) Status() string {
	r, ok := c.record()
	if !ok {
		return ""
	}
	return fmt.Sprintf("update from %s to %s: %s", r.Previous, r.Version, r.State)
}
