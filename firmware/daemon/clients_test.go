package daemon_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hookswitch/firmware/daemon"
)

// TestEWSLibrariesFindTheBoardByAnAddress drives two libraries over TLS with nothing but an
// e-mail address and a password: Debian's python3-exchangelib and npm's ews-javascript-api.
func TestEWSLibrariesFindTheBoardByAnAddress(t *testing.T) {
	const address = "anna@example.test"
	d, dir := annas(t, "tls = \"self-signed\"\nname = \"autodiscover.example.test\"", "", daemon.Options{Out: io.Discard})
	cert := filepath.Join(dir, "tls", "cert.pem")
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
