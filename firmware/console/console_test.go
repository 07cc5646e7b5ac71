package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/console"
	"hookswitch/firmware/dialing"
	"hookswitch/firmware/mailbox"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
)

// board is a console on a simulated board, and a technician's terminal at its port.
type board struct {
	t     *testing.T
	dir   string
	cfg   *config.Config
	sim   *sim.Exchange
	calls *call.Exchange
	tail  *console.Tail
	con   *console.Console

	mu      sync.Mutex // the console reloads from goroutines of its own
	reloads int
	fail    error // of the next reload

	stop    context.CancelFunc
	serving sync.WaitGroup
	port    net.Conn
	screen  *screen
}

// screen is what the terminal shows.
type screen struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(b)
	close(s.changed)
	s.changed = make(chan struct{})
	return len(b), nil
}

func (s *screen) from(n int) (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()[n:], s.changed
}

const (
	user     = "anna"
	password = "correct-horse"
)

// passwordHash is of the least cost: nearly every test logs in, and the cost of a login is a
// test of config's.
var passwordHash = sync.OnceValue(func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
})

// file is the configuration file of the boards of these tests.
func file() string {
	return fmt.Sprintf(`[[user]]
name = %q
password_hash = %q
admin = true
[[user]]
name = "bert"
password_hash = %q
[[line]]
name = "fxo1"
port = "/dev/ttyUSB7"
hook = { pin = "/run/fxo1", active = "high" }
[[line]]
name = "gsm1"
dialect = "gsm"
port = "/dev/ttyUSB8"
pcm = "/dev/ttyUSB9"
[dialing]
allow = ["55501xx"]
`, user, passwordHash(), passwordHash())
}

func newBoard(t *testing.T) *board {
	t.Helper()
	b := &board{t: t, dir: t.TempDir()}
	path := filepath.Join(b.dir, "hookswitch.toml")
	if err := os.WriteFile(path, []byte("data = "+fmt.Sprintf("%q", b.dir)+"\n"+file()), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.cfg, err = config.Load(path); err != nil {
		t.Fatal(err)
	}
	store, err := mailbox.Open(filepath.Join(b.dir, "mailbox"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Make(user); err != nil {
		t.Fatal(err)
	}
	b.tail = console.NewTail(io.Discard)
	log := slog.New(slog.NewTextHandler(b.tail, nil))
	b.sim = sim.New(sim.Options{})
	fxo, gsm := b.sim.Voice("fxo1"), b.sim.GSM("gsm1")
	b.calls, err = call.New(call.Options{
		Rules: &dialing.Rules{Allow: []string{"55501xx"}}, Host: "test", Log: log,
		Lines: []call.LineConfig{
			{Name: "fxo1", Modem: modem.Config{Name: "fxo1", Dialect: "voice", Open: fxo.Port}, Hook: hook.Config{Relay: fxo.Relay(), Loop: fxo.Loop()}},
			{Name: "gsm1", Modem: modem.Config{Name: "gsm1", Dialect: "auto", Open: gsm.Port, OpenPCM: gsm.PCM}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.con = console.New(console.Config{
		Version: "hookswitch 1.2.3", Path: path, Tail: b.tail, Log: log,
		Board: func() console.Board {
			return console.Board{Config: b.cfg, Calls: b.calls, Store: store, Host: "board", URL: "https://board/", Fingerprint: strings.Repeat("AB:", 31) + "AB"}
		},
		Reload: func(context.Context) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.reloads++
			err := b.fail
			b.fail = nil
			return err
		},
	})
	ctx, stop := context.WithCancel(t.Context())
	b.stop = stop
	b.serving.Go(func() { b.con.Run(ctx) })
	b.plugIn(ctx)
	t.Cleanup(func() {
		stop()
		_ = b.port.Close()
		b.serving.Wait()
		for _, l := range []*sim.Line{fxo, gsm} {
			if l.OffHook() {
				t.Errorf("%s is off-hook at the end", l.Name())
			}
		}
		if err := b.calls.Close(); err != nil {
			t.Error(err)
		}
		b.sim.Check(t)
		if t.Failed() {
			text, _ := b.screen.from(0)
			t.Logf("the terminal shows:\n%s", text)
		}
	})
	return b
}

// reloaded returns how often the configuration was put in force.
func (b *board) reloaded() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reloads
}

// failReload makes the next reload fail.
func (b *board) failReload(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

// plugIn connects a terminal.
func (b *board) plugIn(ctx context.Context) {
	near, far := net.Pipe()
	b.port, b.screen = far, &screen{changed: make(chan struct{})}
	screen := b.screen
	b.serving.Go(func() { _, _ = io.Copy(screen, far) })
	b.serving.Go(func() { _ = b.con.Serve(ctx, near) })
}

// types sends keys.
func (b *board) types(keys string) {
	b.t.Helper()
	if _, err := io.WriteString(b.port, keys); err != nil {
		b.t.Fatal(err)
	}
}

// until waits until the terminal has shown one of the texts after n characters, and returns
// what it has shown since then.
func (b *board) until(n int, texts ...string) string {
	b.t.Helper()
	limit := time.After(10 * time.Minute)
	for {
		shown, changed := b.screen.from(n)
		for _, text := range texts {
			if strings.Contains(shown, text) {
				return shown
			}
		}
		select {
		case <-changed:
		case <-limit:
			b.t.Fatalf("the terminal does not show %q, but %q", texts, shown)
		}
	}
}

func (b *board) shown() int { text, _ := b.screen.from(0); return len(text) }

const prompt = "board> "

// does types a command and returns the reply, without the last line, which is OK; failing
// is how an ERROR line goes on.
func (b *board) does(command, failing string) string {
	b.t.Helper()
	n := b.shown()
	b.types(command + "\r")
	reply := b.until(n, "OK\r\n", "ERROR")
	if i := strings.Index(reply, "ERROR"); i >= 0 {
		reply = b.until(n, "\n"+prompt, "\r"+prompt)
		if failing == "" || !strings.Contains(reply[i:], failing) {
			b.t.Errorf("%s: %s, want an error with %q", command, reply[i:], failing)
		}
		return reply
	}
	if failing != "" {
		b.t.Errorf("%s: OK, want an error with %q", command, failing)
	}
	return b.until(n, prompt)
}

func (b *board) logIn() {
	b.t.Helper()
	b.until(0, "board login: ")
	b.types(user + "\r")
	b.until(0, "Password: ")
	b.types(password + "\r")
	b.until(0, prompt)
}

// leaves types what ends a session.
func (b *board) leaves(keys string) {
	b.t.Helper()
	n := b.shown()
	b.types(keys)
	b.until(n, "login: ")
}

func (b *board) line(name string) *sim.Line {
	for _, l := range b.sim.Lines() {
		if l.Name() == name {
			return l
		}
	}
	b.t.Fatal("no line " + name)
	return nil
}

func TestOnlyAnAdministratorIsLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t)
		begin := time.Now()
		for i, try := range [][2]string{{user, "wrong"}, {"nobody", password}, {"bert", password}, {user, ""}, {user, "x"}} {
			n := b.shown()
			if i == 0 {
				n = 0
			}
			b.until(n-min(n, 20), "board login: ")
			b.types(try[0] + "\r")
			b.until(n, "Password: ")
			b.types(try[1] + "\r")
			b.until(n, "ERROR wrong name or password")
		}
		if d := time.Since(begin); d < 2*time.Second {
			t.Errorf("five guesses took %v", d)
		}
		b.types(user + "\r")
		b.types(password + "\r")
		b.until(0, prompt)
		if text, _ := b.screen.from(0); strings.Contains(text, password) {
			t.Error("the password is shown")
		}
		b.leaves("\x04") // ^D
		n := b.shown()
		b.types(user + "\r" + password + "\r")
		b.until(n, prompt)
		time.Sleep(20 * time.Minute)
		b.until(n, "Good-bye.")
	})
}

func TestCommands(t *testing.T) {
	tests := []struct {
		command string
		want    []string // in the reply
		failing string
	}{
		{"help", []string{"status", "factory-reset", "line test [LINE]"}, ""},
		{"help at", []string{"at [LINE]"}, ""},
		{"help nothing", nil, "no command"},
		{"nonsense", nil, "there is no command \"nonsense\""},
		{"status", []string{"hookswitch 1.2.3", "https://board/", "2 idle", "AB:AB"}, ""},
		{"lines", []string{"fxo1", "gsm1", "on-hook", "idle"}, ""},
		{"calls", []string{"No call yet"}, ""},
		{"calls x", nil, "write: calls [COUNT]"},
		{"messages", []string{"MAILBOX"}, ""},
		{"messages nobody", nil, ""},
		{"gpio", []string{"/run/fxo1", "open"}, ""},
		{"log", []string{"logged in"}, ""},
		{"log 2", nil, ""},
		{"log 0", nil, "write: log"},
		{"net", []string{"INTERFACE", "lo"}, ""},
		{"net dhcp", nil, "no appliance"},
		{"time", []string{"UTC"}, ""},
		{"time set 2026-11-23 15:04", nil, "no appliance"},
		{"update", nil, "not an appliance"},
		{"reboot", nil, "no appliance"},
		{"factory-reset", nil, "no appliance"},
		{"line test", []string{"fxo1:", "dial tone", "heard", "tone out", "gsm1:", "operator Simulated"}, ""},
		{"line test fxo9", nil, "no such line"},
		{"line", nil, "write: line test"},
		{"dial 5550106", []string{"Connecting line fxo1", "Connected", "played to the end"}, ""},
		{"dial 5550101", nil, "busy"},
		{"dial 911", nil, "not permitted"},
		{"dial", nil, "write: dial"},
		{"hangup all", []string{"0 ended"}, ""},
		{"hangup", []string{"0 ended"}, ""},
		{"at", nil, "write: at [LINE]"}, // there are two
		{"passwd\rbattery-staple\rbattery-staple", []string{`password_hash = "$2`}, ""},
		{"passwd\rbattery-staple\rbattery", nil, "not the same"},
		{"passwd\rshort\rshort", nil, "8 to 72"},
		{"hangup fxo1", nil, "no such call"},
		{"hook fxo1 on", nil, "you have not"},
		{"hook fxo1", nil, "write: hook"},
		{"hook fxo1 flash", nil, "not off-hook"},
		{"hook fxo9 off", nil, "no line"},
		{"at fxo9", nil, "no line"},
		{"config", nil, "write: config"},
		{"config show", []string{"data = ", "password_hash = \"********-"}, ""},
		{"config check", nil, ""},
		{"config apply", nil, "there is no draft"},
		{"config confirm", nil, "not on trial"},
		{"config rollback", nil, "not on trial"},
		{"support", []string{"BEGIN HOOKSWITCH SUPPORT", "== log", "== configuration", "END HOOKSWITCH SUPPORT"}, ""},
		{"probe /dev/null/none", nil, "not a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t)
				b.logIn()
				reply := b.does(tt.command, tt.failing)
				for _, want := range tt.want {
					if !strings.Contains(reply, want) {
						t.Errorf("no %q in %s", want, reply)
					}
				}
				if strings.Contains(reply, passwordHash()) {
					t.Error("a secret is shown")
				}
			})
		})
	}
}

func TestALineIsOnHookWhateverEndsItsSession(t *testing.T) {
	tests := []struct {
		name string
		end  func(b *board)
	}{
		{"hook on", func(b *board) { b.does("hook fxo1 on", "") }},
		{"logout", func(b *board) { b.leaves("logout\r") }},
		{"^D", func(b *board) { b.leaves("\x04") }},
		{"five minutes", func(b *board) { time.Sleep(5*time.Minute + time.Second) }},
		{"the cable", func(b *board) { _ = b.port.Close(); time.Sleep(time.Second) }},
		{"the end of the daemon", func(b *board) { b.stop(); time.Sleep(time.Second) }},
		{"a new configuration", func(b *board) {
			b.does("config edit\rdone", "")
			b.does("config apply", "")
			b.does("config confirm", "")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t)
				b.logIn()
				b.does("hook fxo1 off", "")
				b.does("hook fxo1 flash", "")
				n := b.shown()
				b.types("at fxo1\r")
				b.until(n, "You speak with the modem")
				b.types("at+vls=1\r")
				b.until(n, "OK\r\n")
				time.Sleep(500 * time.Millisecond)
				if !b.line("fxo1").OffHook() {
					t.Fatal("on-hook")
				}
				b.types("\x1d")
				b.until(n, "anew.\r\nOK\r\n\r"+prompt)
				b.does("hook fxo1 off", "")
				b.until(0, "off-hook, for 5m")
				tt.end(b)
				if gpio := b.calls.Levels("fxo1")["hook relay"]; gpio != "open" {
					t.Errorf("the relay is %s", gpio)
				}
				time.Sleep(30 * time.Second)
				if l := b.calls.Lines()[0]; l.State != "idle" {
					t.Errorf("%+v", l)
				}
			})
		})
	}
}

func TestAModemIsHungUpWhateverEndsTheDialogue(t *testing.T) {
	for name, end := range map[string]func(b *board){
		"^]":        func(b *board) { b.types("\x1d"); b.until(0, "hung up") },
		"~.":        func(b *board) { b.types("~.\r"); b.until(0, "hung up") },
		"the cable": func(b *board) { _ = b.port.Close() },
		"unplugged": func(b *board) {
			b.line("gsm1").Vanish()
			b.types("at\r")
			b.until(0, "hung up")
			if err := b.line("gsm1").Return(); err != nil {
				b.t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t)
				b.logIn()
				n := b.shown()
				b.types("at gsm1\r")
				b.until(n, "You speak with the modem")
				b.types("atd5550100;\rx\by\x7f")
				b.until(n, "OK\r\n")
				time.Sleep(10 * time.Second)
				if !b.line("gsm1").OffHook() {
					t.Fatal("no call")
				}
				end(b)
				time.Sleep(40 * time.Second)
				if l := b.calls.Lines()[1]; l.State != "idle" || b.line("gsm1").OffHook() {
					t.Errorf("%+v, in a call: %v", l, b.line("gsm1").OffHook())
				}
			})
		})
	}
}

func TestDialIsEndedByAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t)
		b.logIn()
		n := b.shown()
		b.types("dial 5550102\r")
		b.until(n, "Alerted")
		b.types("\x03")
		b.until(n, "ERROR disconnected by the user")
		n = b.shown()
		b.types("dial 5550102\r")
		b.until(n, "Alerted")
		_ = b.port.Close()
		time.Sleep(2 * time.Second)
		if c := b.calls.Calls()[0]; c.State != call.Disconnected {
			t.Errorf("the cable is unplugged, the call is %s", c.State)
		}
	})
}

func TestAConfigurationIsTriedAndConfirmed(t *testing.T) {
	read := func(b *board) string {
		text, err := os.ReadFile(filepath.Join(b.dir, "hookswitch.toml"))
		if err != nil {
			b.t.Fatal(err)
		}
		return string(text)
	}
	edit := func(b *board) {
		b.does("config edit\r+1 # by the technician\rdone", "")
		b.does("config check", "")
		b.does("config apply", "")
		if n := b.reloaded(); n != 1 || !strings.Contains(read(b), "# by the technician") {
			b.t.Errorf("%d reloads, %s", n, read(b))
		}
	}
	tests := []struct {
		name  string
		steps func(b *board)
		stays bool
	}{
		{"and confirmed", func(b *board) {
			edit(b)
			b.does("config confirm", "")
			time.Sleep(10 * time.Minute)
		}, true},
		{"and not confirmed", func(b *board) { edit(b); time.Sleep(5*time.Minute + time.Second) }, false},
		{"and rolled back", func(b *board) { edit(b); b.does("config rollback", "") }, false},
		{"and does not work", func(b *board) {
			b.does("config edit\r+1 # by the technician\rdone", "")
			b.failReload(errors.New("the port is taken"))
			b.does("config apply", "the port is taken; the configuration of before is in force")
		}, false},
		{"and has a mistake", func(b *board) {
			b.does("config edit\r+1 listen = 7\rdone", "")
			b.does("config check", "listen")
			b.does("config apply", "listen")
			if b.reloaded() != 0 {
				b.t.Error("reloaded")
			}
		}, false},
		{"and thrown away", func(b *board) { b.does("config edit\r-1\rcancel", "nothing was changed") }, false},
		{"and pasted with its secrets masked", func(b *board) {
			masked := regexp.MustCompile(`\*{8}-[0-9a-f]+`).FindString(b.does("config show", ""))
			text := strings.ReplaceAll("# by the technician\n"+read(b), passwordHash(), masked)
			b.does("config edit\rpaste\r"+strings.ReplaceAll(text, "\n", "\r\n")+".\r\ndone", "")
			b.does("config apply", "")
			b.does("config confirm", "")
			if strings.Count(read(b), passwordHash()) != 2 {
				b.t.Error("the secrets are lost")
			}
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t)
				before := read(b)
				b.logIn()
				tt.steps(b)
				if stays := read(b) != before; stays != tt.stays {
					t.Errorf("the change stays: %v", stays)
				}
				if config.OnTrial(filepath.Join(b.dir, "hookswitch.toml")) {
					t.Error("still on trial")
				}
			})
		})
	}
}

func TestABackupComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t)
		b.logIn()
		mailbox := filepath.Join(b.dir, "mailbox", user)
		settings := filepath.Join(mailbox, "settings.json")
		for name, data := range map[string]string{
			settings: `{"oof": true}`, // the only one that is in it; the others would be too large
			filepath.Join(mailbox, "messages", "a.wav"):           strings.Repeat("x", 2<<20),
			filepath.Join(mailbox, "deleted", "b.wav"):            strings.Repeat("x", 2<<20),
			filepath.Join(mailbox, "messages.index"):              strings.Repeat("x", 2<<20),
			filepath.Join(mailbox, "settings.json.damaged-1"):     strings.Repeat("x", 2<<20),
			filepath.Join(mailbox, "greetings", ".oof.wav123456"): strings.Repeat("x", 2<<20),
		} {
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(data), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		reply := b.does("backup", "")
		if err := os.Remove(settings); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(reply, "-----BEGIN HOOKSWITCH BACKUP-----")
		text, _, _ = strings.Cut(text, "-----END")
		path := filepath.Join(b.dir, "hookswitch.toml")
		before, _ := os.ReadFile(path)
		if err := os.WriteFile(path, []byte("# nothing\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		b.does("restore\r"+text+"-----END HOOKSWITCH BACKUP-----", "")
		b.does("config confirm", "")
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("restored: %s", after)
		}
		if after, err := os.ReadFile(settings); string(after) != `{"oof": true}` {
			t.Errorf("restored settings: %q, %v", after, err)
		}
		b.does("restore\rnonsense\r-----END HOOKSWITCH BACKUP-----", "no backup")
		file := filepath.Join(b.dir, "kept.tar.gz")
		b.does("backup "+file, "")
		b.does("backup "+file, "exists")
		b.does("restore "+file, "")
		b.does("support "+filepath.Join(b.dir, "support.txt"), "")
		said, err := os.ReadFile(filepath.Join(b.dir, "support.txt"))
		if err != nil || !strings.Contains(string(said), "== lines") || strings.Contains(string(said), passwordHash()) {
			t.Errorf("support: %v, %s", err, said)
		}
	})
}

func TestTheTerminal(t *testing.T) {
	tests := []struct{ name, keys, want string }{
		{"CR LF", "calls\r\n", "No call yet."},
		{"LF", "calls\n", "No call yet."},
		{"backspace and DEL", "callx\bss\x7f\r", "No call yet."},
		{"^U, ^W and arrows", "rubbish\x15calls 3x\x17\x1b[D\x1b[C\x1b[H\x1b[F\r", "No call yet."},
		{"history", "calls\r\x1b[A\r", "No call yet."},
		{"tab", "cal\t\r", "No call yet."},
		{"tab, and a list of what there is", "co\t\tsh\t\r", "password_hash"},
		{"NUL, a break, drops what was typed", "rubbish\x00calls\r", "No call yet."},
		{"^C", "rubbish\x03calls\r", "No call yet."},
		{"bytes that are no text", "\xff\xfe\x80\x1b[999999999999999999999Z\x1b[A\x1b\x1b[\x00calls\r", "No call yet."},
		{"a line that is too long", strings.Repeat("x", 5000) + "\rcalls\r", "the line is too long"},
		{"log -f until ^C", "log -f\r\x03calls\r", "No call yet."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBoard(t)
				b.logIn()
				n := b.shown()
				for _, key := range strings.SplitAfter(tt.keys, "\r") {
					b.types(key)
					time.Sleep(time.Second)
				}
				b.until(n, tt.want)
				b.does("lines", "")
			})
		})
	}
}

func TestAFloodOfGarbageEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t)
		b.logIn()
		for range 100 {
			b.types(strings.Repeat("\xa5garbage\x00", 100))
		}
		b.types("\r")
		time.Sleep(time.Minute)
		b.does("lines", "")
		if c := b.calls.Calls(); len(c) != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestWhatIsShownOnceIsShownToTheFirstWhoLogsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t)
		if err := b.con.Show("anna's new PIN is 123456"); err != nil {
			t.Fatal(err)
		}
		b.until(0, "login: ")
		if text, _ := b.screen.from(0); strings.Contains(text, "123456") {
			t.Error("shown to somebody who is not logged in")
		}
		b.logIn()
		b.until(0, "anna's new PIN is 123456")
		n := b.shown()
		b.leaves("logout\r")
		b.types(user + "\r" + password + "\r")
		b.until(n, prompt)
		if text, _ := b.screen.from(n); strings.Contains(text, "123456") {
			t.Error("shown twice")
		}
		for range 30 {
			if err := b.con.Show("x"); err != nil && !errors.Is(err, console.ErrUnread) {
				t.Error(err)
			}
		}
	})
}
