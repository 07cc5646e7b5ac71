package rpi

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestEachPortIsListedOnceByItsSteadiestName(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"dev/ttyUSB0": "", "dev/ttyUSB1": "", "dev/ttyAMA0": "", "dev/ttyS0": "", "dev/ttyS1": "", "dev/ttyS2": "",
		"sys/class/tty/ttyS0/type": "4\n", "sys/class/tty/ttyS1/type": "0\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"dev/serial/by-id/usb-Conexant-if00": "../../ttyUSB1", "dev/serial/by-id/usb-gone-if00": "../../ttyUSB7",
		"dev/serial/by-path/platform-1": "../../ttyUSB1", "dev/serial/by-path/platform-2": "../../ttyUSB0",
	} {
		path := filepath.Join(root, link)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, name := range ports(root) {
		name, _ = filepath.Rel(root, name)
		got = append(got, name)
	}
	want := []string{"dev/serial/by-id/usb-Conexant-if00", "dev/serial/by-path/platform-2", "dev/ttyAMA0", "dev/ttyS0"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
