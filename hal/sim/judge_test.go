package sim_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/sim"
)

// These tests give the far end's recordings to programs that we did not write.

// program finds one, or fails.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs the program %s: install the Debian package %s", name, debian)
	}
	return path
}

// record makes a call in a bubble and returns the path of what the far end heard.
func record(t *testing.T, f func(h *host)) string {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := sim.New(sim.Options{Dir: dir})
		t.Cleanup(func() { _ = x.Close() })
		h := open(t, x.Voice("fxo1"))
		h.setUp("131")
		h.ask("ATDT5550106", "OK")
		f(h)
		h.ask("ATH", "OK")
		x.Check(t)
	})
	return filepath.Join(dir, "latest-fxo1.wav")
}

func TestAPairOfTonesIsHeardAsItWasPlayed(t *testing.T) {
	sox := program(t, "sox", "sox")
	const peak = 6000
	wav := record(t, func(h *host) {
		tones := make([]int16, 4*8000)
		for i := range tones {
			x := 2 * math.Pi * float64(i) / 8000
			tones[i] = int16(peak * (math.Sin(440*x) + math.Sin(480*x)))
		}
		h.ask("AT+VTX", "CONNECT")
		h.send(string(shield(each(tones, muLaw))) + "\x10\x03")
		h.until("OK\r\n", 10*time.Second)
	})
	for _, freq := range []float64{440, 480} {
		band := fmt.Sprintf("%.0f-%.0f", freq-15, freq+15)
		// The tone begins after the silence from the answer on; a second in the middle of it.
		out, err := exec.Command(sox, wav, "-n", "silence", "1", "0.01", "5%", "trim", "1", "2", "sinc", "-n", "4001", band, "trim", "0.5", "1", "rate", "96000", "stat").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, level := stat(t, out, "Rough   frequency"), stat(t, out, "RMS     amplitude")
		if math.Abs(got-freq) > 1 {
			t.Errorf("%v Hz came out as %v Hz", freq, got)
		}
		if db := 20 * math.Log10(level*math.Sqrt2*32768/peak); math.Abs(db) > 1 {
			t.Errorf("%v Hz came out %.2f dB off", freq, db)
		}
	}
}

// stat is a number of the output of sox's stat.
func stat(t *testing.T, out []byte, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(regexp.QuoteMeta(name) + `:\s*([-0-9.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("no %s in %s", name, out)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// decode is what multimon-ng hears of keys in a recording.
func decode(t *testing.T, wav string) string {
	t.Helper()
	sox, multimon := program(t, "sox", "sox"), program(t, "multimon-ng", "multimon-ng")
	fast := filepath.Join(t.TempDir(), "22050.wav")
	if out, err := exec.Command(sox, wav, "-r", "22050", fast).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(multimon, "-q", "-t", "wav", "-a", "DTMF", fast).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(regexp.MustCompile(`(?m)^DTMF: (.)$`).FindAllString(string(out), -1), "")
}

const keys = "0123456789ABCD*#"

func TestAllSixteenKeysAreDecoded(t *testing.T) {
	wav := record(t, func(h *host) {
		for _, key := range keys {
			h.ask("AT+VTS={"+string(key)+",10}", "OK")
		}
		h.during(time.Second)
	})
	if got := strings.ReplaceAll(decode(t, wav), "DTMF: ", ""); got != keys {
		t.Errorf("got %q, want %q", got, keys)
	}
}

func TestTheKeysOfAFarEndAreDecoded(t *testing.T) {
	end := sim.FarEnd{Rings: 1, Silent: true}
	for i, key := range []byte(keys) {
		end.Keys = append(end.Keys, sim.Key{At: 11*time.Second + time.Duration(i)*200*time.Millisecond, Key: key})
	}
	var heard []byte
	synctest.Test(t, func(t *testing.T) {
		x := sim.New(sim.Options{Numbers: map[string]sim.FarEnd{"5550199": end}})
		t.Cleanup(func() { _ = x.Close() })
		h := open(t, x.Voice("fxo1"))
		h.setUp("133")
		h.ask("ATDT5550199", "OK")
		h.ask("AT+VRX", "CONNECT")
		heard, _ = unshield(h.during(8 * time.Second))
		h.send("\x10!")
		h.until("OK\r\n", time.Second)
		h.ask("ATH", "OK")
		x.Check(t)
	})
	raw, wav := filepath.Join(t.TempDir(), "heard.raw"), filepath.Join(t.TempDir(), "heard.wav")
	if err := os.WriteFile(raw, heard[:len(heard)&^1], 0o644); err != nil {
		t.Fatal(err)
	}
	sox := program(t, "sox", "sox")
	if out, err := exec.Command(sox, "-t", "s16", "-r", "8000", "-c", "1", raw, wav).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := strings.ReplaceAll(decode(t, wav), "DTMF: ", ""); got != keys {
		t.Errorf("got %q, want %q", got, keys)
	}
}
