package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sysfs makes a directory of a block device.
func sysfs(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sdz")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOnlyAnUnusedRemovableDiskIsWritten(t *testing.T) {
	card := map[string]string{"size": "2000000", "removable": "1", "dev": "8:16", "sdz1/dev": "8:17", "device/model": "Card"}
	with := func(changes ...string) map[string]string {
		m := map[string]string{}
		for k, v := range card {
			m[k] = v
		}
		for i := 0; i < len(changes); i += 2 {
			m[changes[i]] = changes[i+1]
		}
		return m
	}
	tests := []struct {
		name          string
		files         map[string]string
		mounts, swaps string
		want          string // part of the refusal
	}{
		{"a card in a USB reader", card, "", "", ""},
		{"an SD card in a built-in reader", with("removable", "0", "device/type", "SD"), "", "", ""},
		{"the machine's own disk", with("removable", "0"), "", "", "not removable"},
		{"an eMMC", with("removable", "0", "device/type", "MMC"), "", "", "not removable"},
		{"a partition", with("partition", "1"), "", "", "partition"},
		{"a card too small", with("size", "1000"), "", "", "too small"},
		{"a mounted card", card, "36 35 8:17 / /media/card rw - vfat /dev/sdz1 rw", "", "/media/card"},
		{"a card mounted as a whole", card, "36 35 8:16 / /mnt rw - ext4 /dev/sdz rw", "", "/mnt"},
		{"another disk's mount", card, "36 35 8:1 / / rw - ext4 /dev/sda1 rw", "", ""},
		{"swap space", card, "", "/dev/sdz1 partition 1 0 -2", "swap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := readDisk(sysfs(t, tt.files))
			if err != nil {
				t.Fatal(err)
			}
			err = d.refuse(512<<20, tt.mounts, tt.swaps)
			if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAFileIsNoDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, "/dev/null", filepath.Join(path, "gone")} {
		if _, err := blockDevice(p); err == nil {
			t.Errorf("%s: taken for a disk", p)
		}
	}
}

func TestWhatIsWrittenIsVerified(t *testing.T) {
	image := bytes.Repeat([]byte("0123456789abcdef"), (2*step+1000)/16)
	card, err := os.Create(filepath.Join(t.TempDir(), "card"))
	if err != nil {
		t.Fatal(err)
	}
	defer card.Close()
	size := int64(len(image))
	var done int64
	if err := write(card, bytes.NewReader(image), size, func(d, _ int64) { done = d }); err != nil || done != size {
		t.Fatalf("write: %v, progress %d of %d", err, done, size)
	}
	nothing := func(int64, int64) {}
	if err := verify(card, bytes.NewReader(image), size, nothing); err != nil {
		t.Fatal(err)
	}
	if _, err := card.WriteAt([]byte{'x'}, size-1); err != nil {
		t.Fatal(err)
	}
	if err := verify(card, bytes.NewReader(image), size, nothing); err == nil {
		t.Error("a wrong last byte was not noticed")
	}
}
