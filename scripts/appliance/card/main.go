// Command card builds the SD-card image of the appliance, the signed update archive that
// brings the same software to a card in use, and the bill of materials of both.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hookswitch/firmware/update"
)

// name of everything that is built, less the extension.
const name = "hookswitch-rpi-arm64"

// tools is the module of these programs, which pins the kernel and the boot firmware.
const tools = "scripts/appliance"

// builder holds what a build starts from. Equal builders make equal bytes.
type builder struct {
	root    string // of the checkout
	out     string
	tmp     string // for what is made on the way
	hat     string // of board/, or ""
	daemon  string // Go package that becomes /bin/hookswitch
	key     string // file of the private key that signs the update
	release update.Release
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("image: ")
	b := builder{release: update.Release{Board: update.Board}}
	flag.StringVar(&b.root, "root", "../..", "checkout to build")
	flag.StringVar(&b.out, "o", "", "directory for what is built (default out of the checkout)")
	flag.StringVar(&b.hat, "hat", "", "board on top of the Pi, a `name` of board/: its pins are set safe before Linux starts")
	flag.StringVar(&b.daemon, "daemon", "hookswitch/firmware/hookswitch", "Go `package` of the daemon")
	flag.StringVar(&b.key, "key", "", "`file` of the key that signs updates (default OUT/update.key, made if missing)")
	flag.StringVar(&b.release.Version, "version", "", "version (default from git)")
	flag.Int64Var(&b.release.Built, "built", 0, "Unix `time` of the version; updates to a lesser one are refused (default: the commit's)")
	check := flag.Bool("check", false, "build a second time, from a copy elsewhere with an empty cache, and compare")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected %q", flag.Args())
	}
	if err := b.prepare(); err != nil {
		log.Fatal(err)
	}
	if err := b.build(); err != nil {
		log.Fatal(err)
	}
	if *check {
		if err := b.checkReproducible(); err != nil {
			log.Fatal(err)
		}
	}
}

// prepare fills in what was not given.
func (b *builder) prepare() error {
	if b.out == "" {
		b.out = filepath.Join(b.root, "out")
	}
	for _, dir := range []*string{&b.root, &b.out} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return err
		}
		*dir = abs
	}
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return err
	}
	if b.key == "" {
		b.key = filepath.Join(b.out, "update.key")
	}
	if b.release.Version != "" && b.release.Built != 0 {
		return nil
	}
	commit, err := b.git("log", "-1", "--format=%ct %h")
	if err != nil {
		return fmt.Errorf("no git checkout: give -version and -built: %w", err)
	}
	at, hash, _ := strings.Cut(commit, " ")
	built, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return err
	}
	if b.release.Built == 0 {
		b.release.Built = built
	}
	if b.release.Version == "" {
		b.release.Version = time.Unix(built, 0).UTC().Format("2006.0102.1504") + "-" + hash
		if changes, err := b.git("status", "--porcelain"); err != nil || changes != "" {
			b.release.Version += "-dirty"
		}
	}
	return nil
}

func (b *builder) git(args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", b.root}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// build makes every artefact.
func (b *builder) build() error {
	started := time.Now()
	tmp, err := os.MkdirTemp("", "hookswitch-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	b.tmp = tmp
	log.Printf("version %s", b.release.Version)
	if err := b.compile(); err != nil {
		return err
	}
	modules, err := b.boardModules()
	if err != nil {
		return err
	}
	initramfs, err := b.initramfs()
	if err != nil {
		return err
	}
	slot, err := b.slot(modules, initramfs)
	if err != nil {
		return err
	}
	key, err := signingKey(b.key)
	if err != nil {
		return err
	}
	if err := b.writeUpdate(slot, key); err != nil {
		return err
	}
	if err := b.writeImage(modules, slot, key); err != nil {
		return err
	}
	if err := b.writeSBOM(modules); err != nil {
		return err
	}
	log.Printf("kernel and boot files %d MiB, packed root %.1f MiB, slot %d MiB; %.0f s", (len(slot)-len(initramfs.packed))>>20,
		float64(len(initramfs.packed))/(1<<20), len(slot)>>20, time.Since(started).Seconds())
	if err := b.checkSizes(initramfs.size); err != nil {
		return err
	}
	return b.sums()
}

// artefact is the path of one of the files that are built.
func (b *builder) artefact(ext string) string { return filepath.Join(b.out, name+ext) }

var extensions = []string{".img", ".update", ".cdx.json"}

// sums writes the checksums of the artefacts beside them.
func (b *builder) sums() error {
	var list strings.Builder
	for _, ext := range extensions {
		data, err := os.ReadFile(b.artefact(ext))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(data), name+ext)
		log.Printf("%s", b.artefact(ext))
	}
	return os.WriteFile(filepath.Join(b.out, "SHA256SUMS"), []byte(list.String()), 0o644)
}

// module is what the go command knows of a module in its cache.
type module struct{ Path, Version, Dir, Sum string }

// boardModules downloads, or finds in the cache, the kernel and the boot firmware at the
// versions that go.mod pins, and checks them against go.sum.
func (b *builder) boardModules() (map[string]module, error) {
	modules := make(map[string]module)
	for short, path := range map[string]string{"kernel": "github.com/gokrazy/kernel.rpi", "firmware": "github.com/gokrazy/firmware"} {
		cmd := exec.Command("go", "mod", "download", "-json", path)
		cmd.Dir = filepath.Join(b.root, tools)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("download %s: %w: %s", path, err, out)
		}
		var m module
		if err := json.Unmarshal(out, &m); err != nil {
			return nil, err
		}
		modules[short] = m
	}
	return modules, nil
}

// compile builds the two programs of the card: init and the daemon.
func (b *builder) compile() error {
	for _, p := range []struct{ dir, pkg, out string }{
		{".", "hookswitch/firmware/appliance", "init"},
		{".", b.daemon, "hookswitch"},
	} {
		if strings.HasPrefix(p.pkg, "hookswitch/"+tools+"/") {
			p.dir = tools
		}
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", b.ldflags(), "-o", filepath.Join(b.tmp, p.out), p.pkg)
		cmd.Dir = filepath.Join(b.root, p.dir)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOWORK=off")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("compile %s: %w", p.pkg, err)
		}
	}
	return nil
}

// ldflags tell the programs which version they are.
func (b *builder) ldflags() string {
	const web = " -X hookswitch/firmware/web."
	_, commit, _ := strings.Cut(b.release.Version, "-")
	return "-ldflags=-s -w -buildid=" + web + "version=" + b.release.Version + web + "commit=" + commit +
		web + "date=" + time.Unix(b.release.Built, 0).UTC().Format(time.RFC3339)
}

// run runs a tool with the release's time as the time of day.
func (b *builder) run(tool string, args ...string) error {
	if path, err := exec.LookPath(tool); err == nil {
		tool = path
	} else if _, err := os.Stat("/usr/sbin/" + tool); err == nil {
		tool = "/usr/sbin/" + tool // not in everybody's PATH
	}
	cmd := exec.Command(tool, args...)
	epoch := strconv.FormatInt(b.release.Built, 10)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C", "SOURCE_DATE_EPOCH="+epoch, "E2FSPROGS_FAKE_TIME="+epoch, "MTOOLS_SKIP_CHECK=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(tool), err, out)
	}
	return nil
}
