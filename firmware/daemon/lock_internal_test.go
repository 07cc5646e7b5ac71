package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestADataDirectoryHasOneDaemon(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for name, prepare := range map[string]func(dir string) error{
		"that is new":                     os.RemoveAll,
		"whose daemon has died":           func(dir string) error { return os.WriteFile(filepath.Join(dir, lockName), []byte("4711\n"), 0o644) },
		"where the file can't be written": func(dir string) error { return os.Mkdir(filepath.Join(dir, lockName), 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := errors.Join(os.Mkdir(dir, 0o755), prepare(dir)); err != nil {
				t.Fatal(err)
			}
			first, err := lockData(dir, log)
			if err != nil {
				t.Fatal(err)
			}
			if !first.is(dir) || first.is(t.TempDir()) {
				t.Error("the lock does not know its directory")
			}
			var locked *lockedError
			if _, err := lockData(dir, log); !errors.As(err, &locked) {
				t.Fatalf("the second: got %v", err)
			}
			if known := name != "where the file can't be written"; known && locked.pid != os.Getpid() {
				t.Errorf("the second is told of process %d, want %d", locked.pid, os.Getpid())
			}
			first.release()
			first.release()
			again, err := lockData(dir, log)
			if err != nil {
				t.Errorf("after the first: %v", err)
			}
			again.release()
		})
	}
}

// TestASecondDaemonTouchesNothing: not the lines, which are the first's, nor what it has on
// trial, nor its call log.
func TestASecondDaemonTouchesNothing(t *testing.T) {
	data := t.TempDir()
	path := filepath.Join(data, "hookswitch.toml")
	relay := filepath.Join(data, "relay")
	text := fmt.Sprintf("data = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[[line]]\nname = \"fxo1\"\ndialect = \"voice\"\nport = %q\nhook = { pin = %q, active = \"high\" }\n",
		data, filepath.Join(data, "no-modem"), relay)
	for file, text := range map[string]string{path: text, path + ".before": text, relay: "0", filepath.Join(data, "calls.jsonl"): "not a record\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := lockData(data, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.release()
	if err := os.WriteFile(relay, []byte("1"), 0o600); err != nil { // the first daemon has a call
		t.Fatal(err)
	}
	for name, opt := range map[string]Options{
		"the same":            {Config: path, Out: io.Discard},
		"with another port":   {Config: path, Out: io.Discard, Listen: "127.0.0.1:0"},
		"with another config": {Data: data, Listen: "127.0.0.1:0", Out: io.Discard},
	} {
		var locked *lockedError
		if err := Run(t.Context(), opt); !errors.As(err, &locked) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if level, err := os.ReadFile(relay); err != nil || string(level) != "1" {
		t.Errorf("the relay is at %s, %v", level, err)
	}
	if log, err := os.ReadFile(filepath.Join(data, "calls.jsonl")); err != nil || string(log) != "not a record\n" {
		t.Errorf("the call log: %q, %v", log, err)
	}
	if _, err := os.Stat(path + ".before"); err != nil {
		t.Errorf("the configuration on trial: %v", err)
	}
	if _, err := os.Stat(filepath.Join(data, "mailbox")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the mailboxes: %v", err)
	}
}

// TestLinesAreClosedBeforeHTTPDrains: when the relay opens, the front still takes connections.
func TestLinesAreClosedBeforeHTTPDrains(t *testing.T) {
	var d *Daemon
	var serving, edges atomic.Int32
	opened, err := Open(Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Out: io.Discard, SpeedUp: 10, SimEdge: func(_ string, closed bool) {
		if closed || d == nil {
			return
		}
		edges.Add(1)
		if c, err := net.Dial("tcp", d.Addr().String()); err == nil {
			serving.Add(1)
			_ = c.Close()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	d = opened
	list, err := d.store.Messages(localUser)
	if err != nil {
		t.Fatal(err)
	}
	info, err := d.soap.play(t.Context(), localUser, list[0].ID, "5550100")
	if err != nil {
		t.Fatal(err)
	}
	for {
		changed := d.calls.Changed()
		if info, err = d.calls.Call(info.ID); err != nil || info.State != "Connecting" {
			break
		}
		<-changed
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if edges.Load() == 0 || serving.Load() != edges.Load() {
		t.Errorf("the relay opened %d times, %d of them with the front still open", edges.Load(), serving.Load())
	}
}
