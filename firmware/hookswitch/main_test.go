package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/daemon"
	"hookswitch/firmware/mailbox"
)

// TestMain lets the test binary be the program: tests run it as a shell does.
func TestMain(m *testing.M) {
	if os.Getenv("HOOKSWITCH_TEST_RUNS_MAIN") != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// program is the program with a clean environment.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append([]string{"HOOKSWITCH_TEST_RUNS_MAIN=1", "HOME=" + t.TempDir(), "TZ=UTC"}, env...)
	return cmd
}

// hookswitch runs the program to its end.
func hookswitch(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := program(t, env, args...)
	var out, complaints strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), complaints.String(), cmd.ProcessState.ExitCode()
}

// board is a daemon on the simulated board, whose lines run fast.
type board struct {
	*daemon.Daemon
	env []string // names it to the program
}

func newBoard(t *testing.T) *board {
	t.Helper()
	d, err := daemon.Open(daemon.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", SpeedUp: 10, Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return &board{d, []string{"HOOKSWITCH_SERVER=http://" + d.Addr().String()}}
}

// listed decodes the JSON of a listing.
func listed[T any](t *testing.T, env []string, what string) (items []T) {
	t.Helper()
	out, complaints, status := hookswitch(t, env, what, "--json")
	if status != 0 {
		t.Fatalf("%s: status %d: %s", what, status, complaints)
	}
	if err := json.Unmarshal([]byte(out), &items); err != nil {
		t.Fatalf("%s: %v in %s", what, err, out)
	}
	return items
}

func (b *board) item(t *testing.T) string {
	t.Helper()
	messages := listed[mailbox.Message](t, b.env, "messages")
	if len(messages) == 0 {
		t.Fatal("there is no message")
	}
	return messages[0].ID
}

func TestTheListingsAreForProgramsAndForPeople(t *testing.T) {
	b := newBoard(t)
	lines := listed[call.LineInfo](t, b.env, "lines")
	var names []string
	for _, l := range lines {
		names = append(names, l.Name)
		if l.Hook != "on-hook" || l.State != "idle" {
			t.Errorf("line %s is %s and %s, want on-hook and idle", l.Name, l.Hook, l.State)
		}
	}
	if !slices.Equal(names, []string{"fxo1", "gsm1"}) {
		t.Errorf("the lines are %v, want fxo1 and gsm1", names)
	}
	if calls, _, _ := hookswitch(t, b.env, "calls", "--json"); calls != "[]\n" {
		t.Errorf("calls --json: got %q, want []", calls)
	}
	if calls, _, _ := hookswitch(t, b.env, "calls"); !strings.HasPrefix(calls, "No call yet") {
		t.Errorf("calls: got %q", calls)
	}
	table, _, _ := hookswitch(t, b.env, "lines")
	rows := strings.Split(strings.TrimSpace(table), "\n")
	if len(rows) != 3 || !strings.HasPrefix(rows[0], "NAME") {
		t.Fatalf("lines: got\n%s", table)
	}
	for _, row := range rows[1:] {
		if at := strings.Index(rows[0], "HOOK"); !strings.HasPrefix(row[at:], "on-hook") {
			t.Errorf("lines: the columns are not below their heads:\n%s", table)
		}
	}
	if messages, _, _ := hookswitch(t, b.env, "messages"); !strings.Contains(messages, b.item(t)) {
		t.Errorf("messages: got\n%s", messages)
	}
}

func TestPlayFollowsACallToItsEnd(t *testing.T) {
	b := newBoard(t)
	item := b.item(t)
	tests := []struct {
		name, number, item string
		status             int
		out                string // pattern
		says               string
	}{
		{"that is answered", "5550100", item, 0, `(?s)^Call \S+\nConnecting: .*fxo1\n.*Connected: .*Disconnected: .*\(cause None\)\n$`, ""},
		{"whose far end hangs up early", "5550103", item, 1, `(?s)Disconnected: the far end hung up; .* of \d+ s heard \(cause None\)\n$`, "heard in part: the far end hung up; "},
		{"that is busy", "5550101", item, 1, `(?s)^Call \S+\nConnecting: .*Disconnected: .*\(cause UserBusy\)\n$`, "not heard: busy"},
		{"to a number that is none", "anna", item, 1, `^$`, "not a telephone number"},
		{"to a number that is not permitted", "5551234", item, 1, `^$`, "not permitted"},
		{"of a message that there is not", "5550100", "aaaaaaaaaaaaaaaaaaaaaaaa", 1, `^$`, "hookswitch messages"},
		{"of no message id", "5550100", "welcome.wav", 1, `^$`, "hookswitch messages"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, complaints, status := hookswitch(t, b.env, "play", "--to", test.number, test.item)
			if status != test.status || !regexp.MustCompile(test.out).MatchString(out) || !strings.Contains(complaints, test.says) {
				t.Errorf("got status %d\n%s%s", status, out, complaints)
			}
			if strings.Count(complaints, "\n") > 1 {
				t.Errorf("more than a line of complaint:\n%s", complaints)
			}
		})
	}
}

// shouting is an output that tells when a text has come.
type shouting struct {
	mu    sync.Mutex
	text  bytes.Buffer
	heard chan struct{}
	word  string
}

func newShouting(word string) *shouting { return &shouting{heard: make(chan struct{}), word: word} }

func (s *shouting) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := strings.Contains(s.text.String(), s.word)
	s.text.Write(p)
	if !before && strings.Contains(s.text.String(), s.word) {
		close(s.heard)
	}
	return len(p), nil
}

func (s *shouting) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *shouting) wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.heard:
	case <-time.After(30 * time.Second):
		t.Fatalf("no %q in %q", s.word, s)
	}
}

// field is the first word after a label.
func (s *shouting) field(t *testing.T, label string) string {
	t.Helper()
	_, after, ok := strings.Cut(s.String(), label)
	if !ok {
		t.Fatalf("no %q in %q", label, s)
	}
	return strings.Fields(after)[0]
}

func TestASignalDisconnectsTheCall(t *testing.T) {
	b := newBoard(t)
	item := b.item(t)
	for name, signals := range map[string][]os.Signal{
		"Ctrl-C":            {os.Interrupt},
		"Ctrl-C twice":      {os.Interrupt, os.Interrupt},
		"SIGTERM":           {syscall.SIGTERM},
		"a closed terminal": {syscall.SIGHUP},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := program(t, b.env, "play", "--to", "5550102", item)
			out := newShouting("Connecting")
			cmd.Stdout = out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			out.wait(t)
			for _, s := range signals {
				if err := cmd.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != interrupted || !strings.Contains(out.String(), "Disconnected") {
				t.Errorf("status %d, want %d, after\n%s", got, interrupted, out)
			}
			if c := listed[call.Info](t, b.env, "calls")[0]; c.State != call.Disconnected {
				t.Errorf("the call is %s", c.State)
			}
			for _, l := range listed[call.LineInfo](t, b.env, "lines") {
				if l.Hook != "on-hook" {
					t.Errorf("line %s is %s", l.Name, l.Hook)
				}
			}
		})
	}
}

func TestHangupEndsACallThatIsPlayed(t *testing.T) {
	b := newBoard(t)
	cmd := program(t, b.env, "play", "--to", "5550102", b.item(t))
	out := newShouting("Connecting")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.wait(t)
	id := listed[call.Info](t, b.env, "calls")[0].ID
	if said, complaints, status := hookswitch(t, b.env, "hangup", id); status != 0 || !strings.HasPrefix(said, "Disconnected") {
		t.Errorf("hangup: status %d: %s%s", status, said, complaints)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != failed {
		t.Errorf("play: status %d, want %d", got, failed)
	}
	if _, complaints, status := hookswitch(t, b.env, "hangup", "bm9ib2R5QG5vd2hlcmU="); status != failed || !strings.Contains(complaints, "hookswitch calls") {
		t.Errorf("hangup of an unknown call: status %d: %s", status, complaints)
	}
}

// A daemon whose event stream can't be had is asked again and again.
func TestPlayWorksWithoutEvents(t *testing.T) {
	states := []call.State{call.Connecting, call.Connected, call.Connected, call.Disconnected}
	asked := 0
	reply := func(w http.ResponseWriter) {
		info := call.Info{ID: "a/b=", State: states[min(asked, 3)], Cause: call.None, Answered: time.Unix(1, 0), Reason: "played to the end"}
		asked++
		_ = json.NewEncoder(w).Encode(info)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/calls", func(w http.ResponseWriter, _ *http.Request) { reply(w) })
	mux.HandleFunc("GET /api/calls/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != "a/b=" {
			http.NotFound(w, r)
			return
		}
		reply(w)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	out, complaints, status := hookswitch(t, []string{"HOOKSWITCH_SERVER=" + s.URL}, "play", "--to", "5550100", "item")
	if status != 0 || !strings.HasSuffix(out, "Disconnected: played to the end (cause None)\n") {
		t.Errorf("status %d: %s%s", status, out, complaints)
	}
}

func TestServeStopsWhenItIsTold(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		cmd := program(t, nil, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
		out := newShouting("serving")
		cmd.Stderr = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.wait(t)
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != 0 {
			t.Errorf("%v: status %d\n%s", signal, got, out)
		}
	}
}

func TestServeThatCannotServeSaysWhy(t *testing.T) {
	b := newBoard(t)
	tests := []struct {
		name string
		args []string
		says string
	}{
		{"where the port is taken", []string{"--data", t.TempDir(), "--listen", b.Addr().String()}, "in use"},
		{"beyond this machine without users", []string{"--data", t.TempDir(), "--listen", "0.0.0.0:0"}, "TLS"},
		{"without its configuration", []string{"--config", "/nonexistent.toml"}, "no such file"},
	}
	for _, test := range tests {
		_, complaints, status := hookswitch(t, nil, append([]string{"serve"}, test.args...)...)
		if status != failed || !strings.Contains(complaints, test.says) {
			t.Errorf("%s: status %d, want %d and %q:\n%s", test.name, status, failed, test.says, complaints)
		}
	}
}

func TestWhatIsAskedWronglyIsRefused(t *testing.T) {
	for _, args := range [][]string{{}, {"dance"}, {"play"}, {"play", "item"}, {"hangup"}, {"lines", "--xml"}, {"check", "a", "b"}} {
		if _, complaints, status := hookswitch(t, nil, args...); status != misused || !strings.Contains(complaints, "--help") {
			t.Errorf("%v: status %d, want %d and where help is: %s", args, status, misused, complaints)
		}
	}
	if out, _, status := hookswitch(t, nil, "--help"); status != 0 || !strings.Contains(out, "Exit status") {
		t.Errorf("--help: status %d:\n%s", status, out)
	}
}

func TestCheckTellsEveryMistake(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "hookswitch.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const good = "[[line]]\nname = \"fxo1\"\nport = \"/dev/nonexistent\"\nhook = { pin = \"GPIO26\", active = \"low\", contact = \"normally-open\" }\n"
	out, complaints, status := hookswitch(t, nil, "check", write(good))
	if status != 0 || !strings.Contains(out, "no mistakes") || !strings.Contains(out, "/dev/nonexistent is not there") {
		t.Errorf("a good one: status %d: %s%s", status, out, complaints)
	}
	bad := write("nonsense = 1\n[http]\nlisten = \"somewhere\"\n" + good)
	out, complaints, status = hookswitch(t, nil, "check", bad)
	if lines := strings.Split(strings.TrimSpace(complaints), "\n"); status != failed || len(lines) != 2 || out != "" {
		t.Errorf("one with two mistakes: status %d: %s%s", status, out, complaints)
	} else {
		for i, want := range []string{bad + ":1", bad + ":3"} {
			if !strings.Contains(lines[i], want) {
				t.Errorf("mistake %d: got %q, want it at %s", i, lines[i], want)
			}
		}
	}
	missing := write("[http]\ntls = \"files\"\ncert = \"/nonexistent/cert.pem\"\nkey = \"/nonexistent/key.pem\"\n" + good)
	if _, complaints, status := hookswitch(t, nil, "check", missing); status != failed || !strings.Contains(complaints, "cert.pem") {
		t.Errorf("one without its certificate: status %d: %s", status, complaints)
	}
	if _, complaints, status := hookswitch(t, nil, "check", "/nonexistent.toml"); status != failed || !strings.Contains(complaints, "no such file") {
		t.Errorf("none: status %d: %s", status, complaints)
	}
}

func TestTheExampleConfigurationHasNoMistake(t *testing.T) {
	out, _, _ := hookswitch(t, nil, "config", "example")
	path := filepath.Join(t.TempDir(), "hookswitch.toml")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, complaints, status := hookswitch(t, nil, "check", path); status != 0 {
		t.Errorf("status %d: %s", status, complaints)
	}
}

func TestATokensHashIsItsOwn(t *testing.T) {
	out, _, status := hookswitch(t, nil, "token")
	m := regexp.MustCompile(`(?m)^# (\S+)\ntoken_hash = \["([0-9a-f]{64})"\]\n$`).FindStringSubmatch(out)
	if status != 0 || m == nil || !config.CheckToken(m[2], m[1]) {
		t.Errorf("status %d: %s", status, out)
	}
}

func TestVersionNamesTheProgram(t *testing.T) {
	out, _, status := hookswitch(t, nil, "version")
	if ok, _ := regexp.MatchString(`^hookswitch \S+ \(commit \S+ of [^,]+, Go [0-9.]+.*\)\n$`, out); status != 0 || !ok {
		t.Errorf("status %d: %s", status, out)
	}
}

func TestOnhookAndSimulateAndProbeMeet(t *testing.T) {
	dir := t.TempDir()
	simulation := program(t, nil, "simulate", "--dir", dir)
	out := newShouting("fxo1\n")
	simulation.Stdout = out
	if err := simulation.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = simulation.Process.Signal(syscall.SIGTERM)
		_ = simulation.Wait()
		if got := simulation.ProcessState.ExitCode(); got != 0 {
			t.Errorf("simulate: status %d", got)
		}
	}()
	out.wait(t)
	port := filepath.Join(dir, "fxo1")
	said, complaints, status := hookswitch(t, nil, "probe", port)
	if status != 0 || !strings.Contains(said, "dialect = \"") || !strings.Contains(said, fmt.Sprintf("port    = %q", port)) {
		t.Errorf("probe: status %d: %s%s", status, said, complaints)
	}
	if _, complaints, status := hookswitch(t, nil, "probe", filepath.Join(dir, "nothing")); status != failed || !strings.Contains(complaints, "no such file") {
		t.Errorf("probe of nothing: status %d: %s", status, complaints)
	}
	text := fmt.Sprintf("[[line]]\nname = \"fxo1\"\ndialect = \"voice\"\nport = %q\nhook = { pin = %q }\n", port, filepath.Join(dir, "fxo1-hook"))
	path := filepath.Join(t.TempDir(), "hookswitch.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, complaints, status := hookswitch(t, nil, "onhook", "--config", path); status != 0 {
		t.Errorf("onhook: status %d: %s", status, complaints)
	}
}
