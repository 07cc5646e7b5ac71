package sim_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hookswitch/hal/sim"
)

// voiceShell is a script for vgetty's voice shell: it dials, plays and records.
const voiceShell = `#!/bin/sh
receive() { read -r got <&"$VOICE_INPUT"; echo "$got" >>"$VOICE_SAID"; }
send() { echo "$1" >&"$VOICE_OUTPUT"; kill -PIPE "$VOICE_PID"; }
receive; send "HELLO VOICE PROGRAM"; receive
send "DEVICE DIALUP_LINE"; receive
send "DIAL $1"; receive; receive
send "PLAY $2"; receive; receive
send "RECORD $3"; receive; sleep 2; send STOP; receive
send GOODBYE; receive
`

// rmd is a message in vgetty's own format: what it sends to a V.253 modem as µ-law.
func rmd(samples []int16) []byte {
	b := append([]byte("RMD1V253modem"), make([]byte, 7)...)
	b = binary.BigEndian.AppendUint16(b, 6) // G.711 µ-law
	b = binary.BigEndian.AppendUint16(b, 8000)
	return append(append(b, 8, 0, 0, 0, 0, 0, 0, 0), each(samples, muLaw)...)
}

// TestVgettyUsesTheModem lets vgetty's vm, which knows nothing of us, make a call through
// the simulated modem: proof that it is one.
func TestVgettyUsesTheModem(t *testing.T) {
	vm := program(t, "vm", "mgetty-voice")
	says := make([]int16, 60*8000)
	for at := 0; at < len(says); at += 16000 { // a second of sound, a second of silence
		copy(says[at:], ramp(8000))
	}
	x := exchange(t, sim.Options{Speed: 4, Numbers: map[string]sim.FarEnd{"5550198": {Rings: 1, Says: says}}})
	l := x.Voice("line")
	device := fmt.Sprintf("ttyVM%d", os.Getpid())
	if err := l.PTYLink("/dev/" + device); err != nil {
		t.Fatalf("this test has to make a link in /dev, as root: %v", err)
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	want := ramp(12000)
	for name, data := range map[string][]byte{"script": []byte(voiceShell), "message.rmd": rmd(want)} {
		if err := os.WriteFile(path(name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), vm, "shell", "-v", "-l", device, path("script"), "5550198", path("message.rmd"), path("record.rmd"))
	cmd.Env = append(os.Environ(), "VOICE_SAID="+path("said"))
	cmd.WaitDelay = time.Minute
	out, _ := cmd.CombinedOutput() // its exit status is that of nobody
	said, _ := os.ReadFile(path("said"))
	wantSaid := "HELLO SHELL\nREADY\nREADY\nDIALING\nREADY\nPLAYING\nREADY\nRECORDING\nREADY\nGOODBYE SHELL\n"
	if string(said) != wantSaid {
		t.Fatalf("vm said\n%s\n%s\nthe dialogue was\n%s", said, out, l.Log())
	}
	if find(l.Heard(), want, 700) < 0 {
		t.Error("the far end did not hear the message in one piece")
	}
	recorded, err := os.ReadFile(path("record.rmd"))
	if err != nil {
		t.Fatal(err)
	}
	if piece := each(ramp(8000), func(v int16) byte { return byte((int(v)+128)>>8) + 128 }); !bytes.Contains(recorded, piece[:4000]) {
		t.Errorf("the recording of %d bytes does not hold what the far end said", len(recorded))
	}
	if l.OffHook() || l.Underruns() != 0 {
		t.Errorf("off-hook %v, %d underruns", l.OffHook(), l.Underruns())
	}
	for _, c := range l.Contradictions() {
		t.Errorf("contradiction: %s", c)
	}
}
