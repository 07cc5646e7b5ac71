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

// TestExchangelibFindsTheBoardByAnAddress drives Debian's python3-exchangelib over TLS, whose
// own Autodiscover has nothing but an e-mail address and a password.
func TestExchangelibFindsTheBoardByAnAddress(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's own: the one that sees Debian's modules
	const password = "correct-horse-battery"
	hash, err := config.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "hookswitch.toml")
	text := fmt.Sprintf("data = %q\n[http]\nlisten = \"127.0.0.1:0\"\ntls = \"self-signed\"\nname = \"autodiscover.example.test\"\n"+
		"[[user]]\nname = \"anna\"\nemail = \"anna@example.test\"\npassword_hash = %q\n", dir, hash)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := daemon.Open(daemon.Options{Config: file, Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, port, _ := net.SplitHostPort(d.Addr().String())
	cmd := exec.Command(python, "testdata/exchangelib/client.py", port, "anna@example.test", password)
	cmd.Env = append(os.Environ(), "REQUESTS_CA_BUNDLE="+filepath.Join(dir, "tls", "cert.pem"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the board is found, and works") {
		t.Errorf("%v\n%s", err, out)
	}
}
