package main

import (
	"bytes"
	"encoding/binary"
	"hookswitch/board"
	"hookswitch/firmware/config"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInitramfsIsAnArchiveThatCpioWrites(t *testing.T) {
	var c cpio
	c.file("etc/b", 0o644, []byte("hello"))
	c.dir("etc")
	c.symlink("etc/a", "/run/a")
	c.device("dev/console", 5, 1)
	got := c.bytes()
	if len(got)%4 != 0 || !bytes.HasPrefix(got, []byte("070701")) {
		t.Fatalf("not a newc archive: %.20q", got)
	}
	var names []string
	for rest := got; ; {
		field := func(i int) int {
			b, err := parseHex(rest[6+8*i : 14+8*i])
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		size, nameSize := field(6), field(11)
		name := string(rest[110 : 110+nameSize-1])
		if name == "TRAILER!!!" {
			break
		}
		names = append(names, name)
		at := (110 + nameSize + 3) / 4 * 4
		if name == "etc/b" && string(rest[at:at+size]) != "hello" {
			t.Errorf("etc/b holds %q", rest[at:at+size])
		}
		rest = rest[(at+size+3)/4*4:]
	}
	if got, want := strings.Join(names, " "), "dev/console etc etc/a etc/b"; got != want {
		t.Errorf("names in order: %s, want %s", got, want)
	}
}

func parseHex(b []byte) (int, error) {
	var n int
	for _, c := range b {
		n = n<<4 | strings.IndexByte("0123456789ABCDEF", c)
	}
	return n, nil
}

func TestPartitionsFollowOneAnother(t *testing.T) {
	table := mbr()
	end := uint32(4 * mib / 512)
	for i := range 4 {
		e := table[446+16*i:]
		if start := binary.LittleEndian.Uint32(e[8:]); start != end {
			t.Errorf("partition %d starts at %d, want %d", i+1, start, end)
		}
		end += binary.LittleEndian.Uint32(e[12:])
	}
	if int64(end)*512 != diskSize {
		t.Errorf("the last one ends at %d, the card at %d", int64(end)*512, diskSize)
	}
}

func TestSigningKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, err := signingKey(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := signingKey(path)
	if err != nil || !first.Equal(second) {
		t.Errorf("second reading: %v, equal %v", err, first.Equal(second))
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := signingKey(path); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a file that is no key: %v", err)
	}
}

func TestEveryHATHasAFirstConfigurationThatIsRight(t *testing.T) {
	own, err := os.ReadFile("../../../board/card/hookswitch.toml")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := config.HashPassword("only for this test")
	if err != nil {
		t.Fatal(err)
	}
	user := "\n[[user]]\nname = \"admin\"\npassword_hash = \"" + hash + "\"\n"
	for _, name := range append(board.Names(), "") {
		text := string(own) + string(hatLine(name)) + user
		if _, err := config.Parse(name, []byte(text)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

func TestAHATsOverlaysMustBeThere(t *testing.T) {
	dir := t.TempDir()
	for _, name := range board.Names() {
		hat, err := board.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		needs := strings.Contains(strings.Join(hat.Config, "\n"), "dtoverlay=")
		if _, err := hatConfig(name, "", dir); (err != nil) != needs {
			t.Errorf("%s: without any overlay: %v", name, err)
		}
	}
	if _, err := hatConfig("toaster", "", dir); err == nil || !strings.Contains(err.Error(), board.Names()[0]) {
		t.Errorf("unknown: %v", err)
	}
}

func TestAHoleTakesNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Fatal(err)
	}
	if got, err := used(path); err != nil || got < 1<<20 || got > 2<<20 {
		t.Errorf("got %d, %v", got, err)
	}
}
