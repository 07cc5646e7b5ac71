package daemon_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hookswitch/firmware/config"
	"hookswitch/firmware/daemon"
)

// TestEWSLibrariesFindTheBoardByAnAddress drives two libraries over TLS with nothing but an
// e-mail address and a password: Debian's python3-exchangelib and npm's ews-javascript-api.
func TestEWSLibrariesFindTheBoardByAnAddress(t *testing.T) {
	const address, password = "anna@example.test", "correct-horse-battery"
	hash, err := config.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, cert := filepath.Join(dir, "hookswitch.toml"), filepath.Join(dir, "tls", "cert.pem")
	text := fmt.Sprintf("data = %q\n[http]\nlisten = \"127.0.0.1:0\"\ntls = \"self-signed\"\nname = \"autodiscover.example.test\"\n"+
		"[[user]]\nname = \"anna\"\nemail = %q\npassword_hash = %q\n", dir, address, hash)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := daemon.Open(daemon.Options{Config: file, Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, port, _ := net.SplitHostPort(d.Addr().String())
	for name, client := range map[string][]string{
		"exchangelib":        {"/usr/bin/python3", "testdata/exchangelib/client.py"}, // Debian's own: the one that sees Debian's modules
		"ews-javascript-api": {"node", "testdata/ewsjs/client.js"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "ews-javascript-api" {
				install(t, "testdata/ewsjs")
			}
			cmd := exec.Command(client[0], append(client[1:], port, address, password)...)
			cmd.Env = append(os.Environ(), "REQUESTS_CA_BUNDLE="+cert, "NODE_EXTRA_CA_CERTS="+cert)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "the board is found, and works") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// install gets what a package.json names from npm, once.
func install(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "node_modules/.package-lock.json")); err == nil {
		return
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
}
