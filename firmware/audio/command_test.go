package audio_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// sh runs a shell command in dir and returns what it prints. A program that is missing is
// a failure: scripts/setup installs them all.
func sh(t testing.TB, dir, command string) []byte {
	t.Helper()
	cmd := exec.Command("bash", "-ec", "set -o pipefail; "+command)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s(scripts/setup installs the programs that tests compare with)", command, err, strings.TrimSpace(stderr.String())+"\n")
	}
	return out
}

// workDir is a directory with speech.wav in it: 3.2 s, 22050 Hz.
func workDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	speech, err := os.ReadFile("testdata/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "speech.wav"), speech, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func decodeFile(t testing.TB, name string) audio.Clip {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := audio.Decode(f, time.Minute)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(name), err)
	}
	return c
}

func writeFile(t testing.TB, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}
