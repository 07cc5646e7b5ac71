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

	"hookswitch/firmware/audio"
	"hookswitch/firmware/config"
	"hookswitch/firmware/daemon"
	"hookswitch/firmware/mailbox"
	"hookswitch/hal/sim"
)

// TestEWSLibrariesFindTheBoardByAnAddress drives two libraries over TLS with nothing but an
// e-mail address and a password: Debian's python3-exchangelib and npm's ews-javascript-api.
// Each then plays a message and hangs up while it rings, and is refused what can't be.
func TestEWSLibrariesFindTheBoardByAnAddress(t *testing.T) {
	const address = "anna@example.test"
	nt, err := config.NTHash(password)
	if err != nil {
		t.Fatal(err)
	}
	withNTLM := fmt.Sprintf("nt_hash = %q\n[auth]\nntlm = true\n", nt)
	exchangelib := []string{"/usr/bin/python3", "testdata/exchangelib/client.py"} // Debian's own: the one that sees Debian's modules
	ewsJavaScript := []string{"node", "testdata/ewsjs/client.js"}
	install(t, "testdata/ewsjs")
	for _, test := range []struct {
		name, more, authentication string
		client                     []string
	}{
		{"exchangelib", "", "basic", exchangelib},
		{"exchangelib, which prefers NTLM", withNTLM, "NTLM", exchangelib},
		{"ews-javascript-api", "", "basic", ewsJavaScript},
		{"ews-javascript-api, told to use NTLM", withNTLM, "NTLM", ewsJavaScript},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := sim.New(sim.Options{})
			t.Cleanup(func() { _ = x.Close() })
			line, err := x.Voice("fxo1").PTY()
			if err != nil {
				t.Fatal(err)
			}
			more := test.more + fmt.Sprintf("[[line]]\nname = \"fxo1\"\ndialect = \"voice\"\nport = %q\n[dialing]\nallow = [\"5550102\"]\n", line)
			d, dir := annas(t, "tls = \"self-signed\"\nname = \"autodiscover.example.test\"", more, daemon.Options{Out: io.Discard})
			item := message(t, filepath.Join(dir, "mailbox"))
			cert := filepath.Join(dir, "tls", "cert.pem")
			_, port, _ := net.SplitHostPort(d.Addr().String())
			cmd := exec.Command(test.client[0], append(test.client[1:], port, address, password, item, test.authentication)...)
			cmd.Env = append(os.Environ(), "REQUESTS_CA_BUNDLE="+cert, "NODE_EXTRA_CA_CERTS="+cert, "OPENSSL_CONF="+opensslWithMD4(t))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "the board is found, and works") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// message puts a message into anna's mailbox and returns its id.
func message(t *testing.T, mailboxes string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(mailboxes, "anna", "messages", "short.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := audio.WriteWAV(f, audio.Prompt(audio.PromptShort)); err != nil {
		t.Fatal(err)
	}
	store, err := mailbox.Open(mailboxes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	list, err := store.Messages("anna")
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	return list[0].ID
}

// opensslWithMD4 is a configuration of OpenSSL 3 that has MD4, which NTLM takes and Python
// has from it.
func opensslWithMD4(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "openssl.cnf")
	const text = "openssl_conf = all\n[all]\nproviders = both\n[both]\ndefault = on\nlegacy = on\n[on]\nactivate = 1\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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
