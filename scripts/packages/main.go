// Command debian builds the packages: hookswitch_VERSION_ARCH.deb for Raspberry Pi OS and
// Debian. What goes in is said in nfpm.yaml.
package main

import (
	"compress/gzip"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
)

// target is one package.
type target struct {
	file      string // end of its file name
	arch      string // Debian's name
	goarch, v string // Go's; v is GOARM
}

// Raspberry Pi OS calls ARMv6 and ARMv7 both armhf: the file name tells them apart.
var targets = []target{
	{"arm64", "arm64", "arm64", ""},
	{"armhf", "armhf", "arm", "7"},
	{"armhf-v6", "armhf", "arm", "6"},
	{"amd64", "amd64", "amd64", ""},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("package: ")
	root := flag.String("root", "../..", "checkout to build")
	out := flag.String("o", "", "directory for the packages (default out of the checkout)")
	only := flag.String("arch", "", "only this one, such as arm64 or armhf-v6")
	flag.Parse()
	if *out == "" {
		*out = filepath.Join(*root, "out")
	}
	version, epoch, err := versionOf(*root)
	if err == nil {
		err = os.MkdirAll(*out, 0o755)
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range targets {
		if *only != "" && *only != t.file {
			continue
		}
		path, err := build(*root, *out, version, epoch, t)
		if err != nil {
			log.Fatalf("%s: %v", t.file, err)
		}
		log.Print(path)
	}
}

// versionOf is the commit's time and name, in a form that sorts.
func versionOf(root string) (version string, epoch int64, err error) {
	git := func(args ...string) string {
		b, gitErr := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
		if gitErr != nil {
			err = fmt.Errorf("git %s: %w", args[0], gitErr)
		}
		return strings.TrimSpace(string(b))
	}
	at, hash, _ := strings.Cut(git("log", "-1", "--format=%ct %h"), " ")
	changed := git("status", "--porcelain")
	if err != nil {
		return "", 0, err
	}
	if epoch, err = strconv.ParseInt(at, 10, 64); err != nil {
		return "", 0, err
	}
	version = time.Unix(epoch, 0).UTC().Format("2006.0102.1504") + "-" + hash
	if changed != "" {
		version += "+dirty"
	}
	return version, epoch, nil
}

const maintainer = "The hookswitch authors <hookswitch@example.org>"

// build makes one package of what is in the checkout.
func build(root, out, version string, epoch int64, t target) (string, error) {
	tmp, err := os.MkdirTemp("", "hookswitch-package-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	binary := filepath.Join(tmp, "hookswitch")
	_, commit, _ := strings.Cut(version, "-")
	const web = " -X hookswitch/firmware/web."
	ldflags := "-ldflags=-s -w -buildid=" + web + "version=" + version + web + "commit=" + commit +
		web + "date=" + time.Unix(epoch, 0).UTC().Format(time.RFC3339)
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", ldflags, "-o", binary, "./firmware/hookswitch")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+t.goarch, "GOARM="+t.v, "GOWORK=off")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("compile: %w", err)
	}
	dir := filepath.Join(root, "board/debian")
	manual, err := generate(root, tmp)
	if err != nil {
		return "", err
	}
	notices, err := noticesOf(root, binary)
	if err != nil {
		return "", err
	}
	built := time.Unix(epoch, 0).UTC()
	changelog := fmt.Appendf(nil, "hookswitch (%s) unstable; urgency=medium\n\n  * Built from the commit that the version names.\n\n -- %s  %s\n",
		version, maintainer, built.Format(time.RFC1123Z))
	for name, text := range map[string][]byte{"manual.gz": manual, "changelog.gz": changelog, "notices.gz": notices} {
		if err := compress(filepath.Join(tmp, name), text); err != nil {
			return "", err
		}
	}
	if err := copyright(root, dir, tmp); err != nil {
		return "", err
	}
	vars := map[string]string{
		"ARCH": t.arch, "VERSION": version, "MAINTAINER": maintainer, "TMP": tmp, "DIR": dir,
	}
	text, err := os.ReadFile(filepath.Join(dir, "nfpm.yaml"))
	if err != nil {
		return "", err
	}
	config, err := nfpm.Parse(strings.NewReader(os.Expand(string(text), func(name string) string { return vars[name] })))
	if err != nil {
		return "", err
	}
	info, err := config.Get("deb")
	if err != nil {
		return "", err
	}
	info.MTime = built
	info = nfpm.WithDefaults(info)
	packager, err := nfpm.Get("deb")
	if err != nil {
		return "", err
	}
	path := filepath.Join(out, "hookswitch_"+version+"_"+t.file+".deb")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := packager.Package(info, f); err != nil {
		return "", err
	}
	return path, f.Close()
}

// noticesOf returns the licences of the modules that are linked into a program.
func noticesOf(root, program string) ([]byte, error) {
	cmd := exec.Command("go", "run", "./scripts/notices", program)
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	return out, nil
}

// generate writes the shell completions into tmp and returns the manual page: both come from
// the program's own definitions, so that they tell what it does.
func generate(root, tmp string) (manual []byte, err error) {
	native := filepath.Join(tmp, "native") // runs here, whatever the package is for
	build := exec.Command("go", "build", "-o", native, "./firmware/hookswitch")
	build.Dir = root
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	const installed = "/usr/bin/hookswitch"
	for shell, frame := range map[string]string{
		"bash": "%s",
		"fish": "%s",
		"zsh":  "#compdef hookswitch\n%s_bash_complete -o default -o bashdefault -C " + installed + "\n", // the first time, too
	} {
		code, err := exec.Command(native, "completion", "--code", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("completion for %s: %w", shell, err)
		}
		text := fmt.Sprintf(frame, strings.ReplaceAll(string(code), native, installed))
		if err := os.WriteFile(filepath.Join(tmp, "completion."+shell), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return exec.Command(native, "manual").Output()
}

// copyright fills the package's copyright file in from LICENSE, the one place that says which
// licence hookswitch has.
func copyright(root, dir, tmp string) error {
	own, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		return err
	}
	vars := map[string]string{}
	for line := range strings.Lines(string(own)) {
		if id, ok := strings.CutPrefix(line, "SPDX-License-Identifier: "); ok {
			vars["LICENSE"] = strings.TrimSpace(id)
		}
		if holder, ok := strings.CutPrefix(line, "Copyright "); ok {
			vars["COPYRIGHT"] = strings.TrimSpace(holder)
		}
	}
	if vars["LICENSE"] == "" || vars["COPYRIGHT"] == "" {
		return fmt.Errorf("LICENSE names no SPDX-License-Identifier or no Copyright")
	}
	text, err := os.ReadFile(filepath.Join(dir, "copyright"))
	if err != nil {
		return err
	}
	filled := os.Expand(string(text), func(name string) string { return vars[name] })
	return os.WriteFile(filepath.Join(tmp, "copyright"), []byte(filled), 0o644)
}

// compress writes text as Debian wants it: at its smallest, with no time in the head.
func compress(path string, text []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}
