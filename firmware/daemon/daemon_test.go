package daemon_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/daemon"
	"hookswitch/firmware/mailbox"
)

const (
	envelope = `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>%s</soap:Body></soap:Envelope>`
	messages = `xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"`
	patience = 30 * time.Second // of a busy machine, not a measure
)

// client speaks SOAP and JSON with a daemon, and knows nothing of its inside.
type client struct {
	t    *testing.T
	base string
}

func (c client) soap(body string) string {
	c.t.Helper()
	resp, err := http.Post(c.base+"/EWS/UM2007Legacy.asmx", "text/xml; charset=utf-8", strings.NewReader(fmt.Sprintf(envelope, body)))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %v\n%s", resp.Status, err, answer)
	}
	return string(answer)
}

func (c client) get(path string, v any) {
	c.t.Helper()
	resp, err := http.Get(c.base + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		c.t.Fatal(err)
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func (c client) item() string {
	c.t.Helper()
	var list []mailbox.Message
	c.get("/api/messages", &list)
	if len(list) == 0 {
		c.t.Fatal("no message in the mailbox")
	}
	shortest := list[0]
	for _, m := range list {
		if m.DurationMS < shortest.DurationMS {
			shortest = m
		}
	}
	return shortest.ID
}

func (c client) play(item, number string) (id string) {
	c.t.Helper()
	answer := c.soap(fmt.Sprintf(`<PlayOnPhone %s><entryId>%s</entryId><DialString>%s</DialString></PlayOnPhone>`, messages, item, number))
	return between(answer, "<PlayOnPhoneResponse>", "<")
}

// until polls until the call is in one of the states.
func (c client) until(id string, states ...call.State) call.Info {
	c.t.Helper()
	var list []call.Info
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(5 * time.Millisecond) {
		c.get("/api/calls", &list)
		for _, i := range list {
			for _, s := range states {
				if i.ID == id && i.State == s {
					return i
				}
			}
		}
	}
	c.t.Fatalf("call never in %v: %+v", states, list)
	return call.Info{}
}

func (c client) lines() []call.LineInfo {
	c.t.Helper()
	var lines []call.LineInfo
	c.get("/api/lines", &lines)
	return lines
}

func TestASOAPClientPlaysAMessageOverRealPorts(t *testing.T) {
	data := t.TempDir()
	var mu sync.Mutex
	var edges []string
	d, err := daemon.Open(daemon.Options{
		Data: data, Listen: "127.0.0.1:0", Out: io.Discard, // in real time, as sound has to be
		SimEdge: func(line string, closed bool) {
			mu.Lock()
			defer mu.Unlock()
			edges = append(edges, fmt.Sprintf("%s %v", line, closed))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c := client{t, "http://" + d.Addr().String()}
	id := c.play(c.item(), "555-0106")
	info := c.until(id, call.Disconnected)
	if info.Cause != call.None || info.Answered.IsZero() {
		t.Errorf("the call ended: %+v", info)
	}
	if answer := c.soap(`<GetCallInfo ` + messages + `><CallId>` + id + `</CallId></GetCallInfo>`); !strings.Contains(answer, "<CallState>Disconnected</CallState><EventCause>None</EventCause>") {
		t.Errorf("GetCallInfo: %s", answer)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := fmt.Sprint(edges); got != "[fxo1 true fxo1 false]" {
		t.Errorf("relay edges %s", got)
	}
	files, _ := filepath.Glob(filepath.Join(data, "far-end", "*.wav"))
	if len(files) == 0 {
		t.Fatal("no recording of the far end")
	}
	wav, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer wav.Close()
	heard, err := audio.Decode(wav, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// In pieces: a machine with too much to do may let a line run dry once, and shift the rest.
	var pieces []float64
	for piece := range slices.Chunk(audio.Level(audio.Prompt(audio.PromptShort)), audio.Rate/2) {
		pieces = append(pieces, correlation(heard, piece))
	}
	slices.Sort(pieces)
	if c := pieces[len(pieces)/4]; c < 0.98 {
		t.Errorf("what the far end heard correlates %.3f with the message", pieces)
	}
}

// correlation of clip with the best place in heard.
func correlation(heard, clip audio.Clip) (best float64) {
	for at := 0; at+len(clip) <= len(heard); at++ {
		var ab, aa, bb float64
		for i := 0; i < len(clip); i += 11 {
			x, y := float64(heard[at+i]), float64(clip[i])
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
		best = max(best, ab/math.Sqrt(aa*bb+1))
	}
	return best
}

// program builds the binary once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hookswitch")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "hookswitch")
	out, err := exec.Command("go", "build", "-o", path, "hookswitch/firmware/hookswitch").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// run starts the program; it is killed at the end of the test at the latest.
func run(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = &bytes.Buffer{}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("hookswitch %v said:\n%s", args, cmd.Stderr)
		}
	})
	return cmd
}

// exchange runs the simulated exchange as a program of its own: it outlives the daemon.
func exchange(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	cmd := run(t, "simulate", "--dir", dir, "--speed", "10")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 3 { // one for each port
		if !lines.Scan() {
			t.Fatal("the simulated exchange does not start")
		}
	}
	return dir
}

const boardConfig = `
data = %q
[http]
listen = %q
[dialing]
allow = ["55501xx"]
calls_per_hour = 0
calls_per_day = 0
[[line]]
name = "fxo1"
dialect = "voice"
port = "%[3]s/fxo1"
hook = { pin = "%[3]s/fxo1-hook", active = "high", contact = "normally-open" }
loop = { pin = "%[3]s/fxo1-loop", active = "high" }
[[line]]
name = "gsm1"
dialect = "gsm"
port = "%[3]s/gsm1"
pcm = "%[3]s/gsm1-pcm"
`

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serve runs the daemon and returns when it answers.
func serve(t *testing.T, config, addr string) (*exec.Cmd, client) {
	t.Helper()
	cmd := run(t, "serve", "--config", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(time.Millisecond) {
		resp, err := http.Get("http://" + addr + "/api/lines")
		if err == nil {
			_ = resp.Body.Close()
			return cmd, client{t, "http://" + addr}
		}
	}
	t.Fatal("the daemon does not answer")
	return nil, client{}
}

// level is what a value file holds.
func level(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestAKilledDaemonHasItsLinesOnHookBeforeItServesAgain(t *testing.T) {
	dir, data := exchange(t), t.TempDir()
	addr := freeAddr(t)
	config := filepath.Join(data, "hookswitch.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, boardConfig, data, addr, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	box := filepath.Join(data, "mailbox", "local", "messages")
	if err := os.MkdirAll(box, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(box, "hello.wav"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(audio.WriteWAV(f, audio.Prompt(audio.PromptMessage)), f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, stage := range []call.State{call.Connecting, call.Alerted, call.Connected} {
		t.Run(string(stage), func(t *testing.T) {
			cmd, c := serve(t, config, addr)
			id := c.play(c.item(), "5550100")
			c.until(id, stage)
			if stage == call.Connected && level(t, dir+"/fxo1-loop") != "1" {
				t.Error("no loop current in a call")
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			_, c = serve(t, config, addr)
			if hook := level(t, dir+"/fxo1-hook"); hook != "0" {
				t.Errorf("the daemon serves with the hook relay's pin at %s", hook)
			}
			for _, l := range c.lines() {
				if l.Hook != "on-hook" || l.State != "idle" {
					t.Errorf("after the restart: %+v", l)
				}
			}
			if info := c.until(id, call.Disconnected); info.Cause != call.Other {
				t.Errorf("the cut call: %+v", info)
			}
			again := c.play(c.item(), "5550106") // the line serves
			c.until(again, call.Connected)
			c.soap(`<Disconnect ` + messages + `><CallId>` + again + `</CallId></Disconnect>`)
			if hook := level(t, dir+"/fxo1-hook"); hook != "0" {
				t.Errorf("Disconnect has returned with the hook relay's pin at %s", hook)
			}
		})
	}
}

func TestOnHookReleasesWhatADeadDaemonLeft(t *testing.T) {
	dir, data := exchange(t), t.TempDir()
	config := filepath.Join(data, "hookswitch.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, boardConfig, data, "127.0.0.1:0", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/fxo1-hook", []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := daemon.OnHook(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if hook := level(t, dir+"/fxo1-hook"); hook != "0" {
		t.Errorf("the hook relay's pin is at %s", hook)
	}
}

func TestBeyondLoopbackWithoutTLSAndUsersIsRefused(t *testing.T) {
	if d, err := daemon.Open(daemon.Options{Data: t.TempDir(), Listen: "0.0.0.0:0", Out: io.Discard}); err == nil {
		_ = d.Close()
		t.Error("anybody on the LAN could dial")
	}
}
