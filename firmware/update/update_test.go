package update_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/update"
)

const slotSize = 64 << 10

var (
	old   = update.Release{Board: update.Board, Version: "v1", Built: 100}
	newer = update.Release{Board: update.Board, Version: "v2", Built: 200}
	owner = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	thief = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
)

// slotOf is a slot's file system, as far as this package cares.
func slotOf(version string) []byte {
	return bytes.Repeat([]byte("slot of "+version+"\n"), 3000)
}

func archive(t *testing.T, r update.Release, key ed25519.PrivateKey, slot []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := update.WriteArchive(&b, r, slot, key); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// newCard is a card whose slot A runs v1 and whose slot B is empty.
func newCard(t *testing.T) *update.Card {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("boot/autoboot.txt", update.Autoboot(2))
	write("boot/update.pub", update.FormatKey(owner.Public().(ed25519.PublicKey)))
	return &update.Card{
		Running: old,
		Select:  filepath.Join(dir, "boot"),
		Slots:   [2]string{write("a", make([]byte, slotSize)), write("b", make([]byte, slotSize))},
		Perm:    dir,
		Config:  write("hookswitch.toml", []byte("old config")),
	}
}

// as is the same card with another version running on it.
func as(c *update.Card, r update.Release) *update.Card {
	return &update.Card{Running: r, Select: c.Select, Slots: c.Slots, Perm: c.Perm, Config: c.Config}
}

// contents is everything on the card, to see that nothing has changed.
func contents(t *testing.T, c *update.Card) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(c.Perm, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.WriteString(path + "\n" + string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func install(t *testing.T, c *update.Card, b []byte) {
	t.Helper()
	if _, err := c.Install(context.Background(), bytes.NewReader(b), nil); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedBeforeAnythingIsWritten(t *testing.T) {
	good := archive(t, newer, owner, slotOf("v2"))
	head := bytes.Index(good, []byte("}\n")) + 2
	changed := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 1
		return b
	}
	other := newer
	other.Board = "toaster"
	tests := []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, update.ErrCorrupt},
		{"a text", []byte("hello\n"), update.ErrCorrupt},
		{"a line without an end", bytes.Repeat([]byte("x"), 1<<20), update.ErrCorrupt},
		{"only a head", good[:head+89], update.ErrCorrupt},
		{"the first half", good[:len(good)/2], update.ErrCorrupt},
		{"all but the last byte", good[:len(good)-1], update.ErrCorrupt},
		{"a changed manifest", bytes.Replace(good, []byte(`"v2"`), []byte(`"v3"`), 1), update.ErrSignature},
		{"a changed signature", changed(head), update.ErrSignature},
		{"a changed slot", changed(len(good) - 40), update.ErrCorrupt},
		{"a changed checksum", changed(len(good) - 5), update.ErrCorrupt},
		{"another's signature", archive(t, newer, thief, slotOf("v2")), update.ErrSignature},
		{"another board's", archive(t, other, owner, slotOf("v2")), update.ErrBoard},
		{"an older one", archive(t, update.Release{Board: update.Board, Version: "v0", Built: 99}, owner, slotOf("v0")), update.ErrDowngrade},
		{"the running one", archive(t, old, owner, slotOf("v1")), update.ErrSame},
		{"one too big for the slot", archive(t, newer, owner, make([]byte, slotSize+1)), update.ErrTooBig},
		{"an empty one", archive(t, newer, owner, nil), update.ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCard(t)
			before := contents(t, c)
			if _, err := c.Install(context.Background(), bytes.NewReader(tt.b), nil); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if contents(t, c) != before {
				t.Error("the card has changed")
			}
		})
	}
}

func TestAnUpdateIsTriedThenConfirmed(t *testing.T) {
	c := newCard(t)
	var done, total int64
	_, err := c.Install(context.Background(), bytes.NewReader(archive(t, newer, owner, slotOf("v2"))), func(d, n int64) { done, total = d, n })
	if err != nil {
		t.Fatal(err)
	}
	if done != total || total == 0 {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	if b, _ := os.ReadFile(c.Slots[1]); !bytes.HasPrefix(b, slotOf("v2")) {
		t.Error("slot B does not hold the new version")
	}
	if c.Trial() {
		t.Error("the old version says it is on trial")
	}
	trial := as(c, newer)
	if note, err := trial.Settle(); note != "" || err != nil || !trial.Trial() {
		t.Fatalf("at the trial start: %q, %v, trial %v", note, err, trial.Trial())
	}
	if _, err := trial.Install(context.Background(), bytes.NewReader(nil), nil); !errors.Is(err, update.ErrTrial) {
		t.Errorf("an update on top of one on trial: got %v", err)
	}
	if err := trial.Confirm(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(filepath.Join(c.Select, "autoboot.txt")); !bytes.Equal(b, update.Autoboot(3)) {
		t.Errorf("autoboot.txt: %s", b)
	}
	if trial.Trial() {
		t.Error("still on trial")
	}
	// And the next one goes to the other slot.
	install(t, trial, archive(t, update.Release{Board: update.Board, Version: "v3", Built: 300}, owner, slotOf("v3")))
	if b, _ := os.ReadFile(c.Slots[0]); !bytes.HasPrefix(b, slotOf("v3")) {
		t.Error("slot A does not hold the third version")
	}
}

func TestAnUpdateThatFailsPutsTheConfigurationBack(t *testing.T) {
	c := newCard(t)
	install(t, c, archive(t, newer, owner, slotOf("v2")))
	if err := os.WriteFile(c.Config, []byte("migrated"), 0o600); err != nil {
		t.Fatal(err)
	}
	note, err := c.Settle()
	if err != nil || !strings.Contains(note, "v2") {
		t.Errorf("got %q, %v", note, err)
	}
	if b, _ := os.ReadFile(c.Config); string(b) != "old config" {
		t.Errorf("configuration: %q", b)
	}
	if note, err := c.Settle(); note != "" || err != nil {
		t.Errorf("second start: %q, %v", note, err)
	}
	if b, _ := os.ReadFile(filepath.Join(c.Select, "autoboot.txt")); !bytes.Equal(b, update.Autoboot(2)) {
		t.Errorf("autoboot.txt: %s", b)
	}
}

func TestAPowerCutInTheMiddleOfConfirmIsNoRollback(t *testing.T) {
	c := newCard(t)
	install(t, c, archive(t, newer, owner, slotOf("v2")))
	if err := os.WriteFile(filepath.Join(c.Select, "autoboot.txt"), update.Autoboot(3), 0o600); err != nil {
		t.Fatal(err)
	}
	trial := as(c, newer)
	if trial.Trial() {
		t.Error("on trial although it is the default")
	}
	if note, err := trial.Settle(); note != "" || err != nil {
		t.Errorf("got %q, %v", note, err)
	}
	if s := trial.Status(); !strings.HasSuffix(s, "confirmed") {
		t.Errorf("status %q", s)
	}
}

func TestADamagedRecordOfAnUpdateIsSetAsideAndTold(t *testing.T) {
	for _, text := range []string{"", "\x00\x00\x00", `{"state": "try`, `{"slot": "two"}`} {
		c := newCard(t)
		if err := os.WriteFile(filepath.Join(c.Perm, "update.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if note, err := c.Settle(); err != nil || !strings.Contains(note, "update.json.damaged-1") {
			t.Errorf("%q: got %q, %v", text, note, err)
		}
		if note, err := c.Settle(); note != "" || err != nil {
			t.Errorf("%q: second start: %q, %v", text, note, err)
		}
		install(t, c, archive(t, newer, owner, slotOf("v2"))) // it is no hindrance
	}
}

// cutReader is an archive that stops in its second reading, as if the power went then.
type cutReader struct {
	*bytes.Reader
	pass int
}

func (c *cutReader) Seek(o int64, w int) (int64, error) { c.pass++; return c.Reader.Seek(o, w) }
func (c *cutReader) Read(b []byte) (int, error) {
	if c.pass > 0 && c.Len() < 100 {
		return 0, io.ErrUnexpectedEOF
	}
	return c.Reader.Read(b[:min(len(b), 50)])
}

func TestAnInterruptedWriteLeavesTheRunningSystem(t *testing.T) {
	c := newCard(t)
	b := archive(t, newer, owner, slotOf("v2"))
	if _, err := c.Install(context.Background(), &cutReader{Reader: bytes.NewReader(b)}, nil); !errors.Is(err, update.ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(c.Select, "autoboot.txt")); !bytes.Equal(b, update.Autoboot(2)) {
		t.Error("the default has moved")
	}
	if b, _ := os.ReadFile(c.Slots[1]); !bytes.Equal(b[:512], make([]byte, 512)) {
		t.Error("a half-written slot has a boot sector")
	}
	if c.Status() != "" {
		t.Errorf("status %q", c.Status())
	}
	install(t, c, b) // and it can be tried again
}

func TestInstallStopsWithItsContext(t *testing.T) {
	c := newCard(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Install(ctx, bytes.NewReader(archive(t, newer, owner, slotOf("v2"))), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTheOwnersKeyReplacesOurs(t *testing.T) {
	c := newCard(t)
	if err := c.SetKey(thief.Public().(ed25519.PublicKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Install(context.Background(), bytes.NewReader(archive(t, newer, owner, slotOf("v2"))), nil); !errors.Is(err, update.ErrSignature) {
		t.Errorf("the replaced key: got %v", err)
	}
	install(t, c, archive(t, newer, thief, slotOf("v2")))
}

func TestProveTriesUntilItSucceeds(t *testing.T) {
	c := newCard(t)
	install(t, c, archive(t, newer, owner, slotOf("v2")))
	synctest.Test(t, func(t *testing.T) {
		trial := as(c, newer)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		sick := errors.New("line fxo1 not seen")
		if err := trial.Prove(ctx, func(context.Context) error { return sick }); !errors.Is(err, sick) {
			t.Errorf("a check that never succeeds: got %v", err)
		}
		if !trial.Trial() {
			t.Error("confirmed all the same")
		}
		tries := 0
		err := trial.Prove(context.Background(), func(context.Context) error {
			if tries++; tries < 3 {
				return sick
			}
			return nil
		})
		if err != nil || tries != 3 || trial.Trial() {
			t.Errorf("got %v after %d tries, trial %v", err, tries, trial.Trial())
		}
	})
}

func TestOnlyAnApplianceHasACard(t *testing.T) {
	if _, err := os.Stat(update.ReleaseFile); err == nil {
		t.Skip("this is an appliance")
	}
	if _, err := update.OpenCard(); !errors.Is(err, update.ErrNoCard) {
		t.Errorf("got %v", err)
	}
	if err := update.Try.Request(); !errors.Is(err, update.ErrNoCard) {
		t.Errorf("restart: got %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	var b bytes.Buffer
	if err := update.WriteArchive(&b, newer, slotOf("v2"), owner); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("hookswitch update 1\n{}\n\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := update.Verify(bytes.NewReader(b), owner.Public().(ed25519.PublicKey))
		if err == nil && m.Version != "v2" {
			t.Errorf("accepted %+v, which was never signed", m)
		}
	})
}
