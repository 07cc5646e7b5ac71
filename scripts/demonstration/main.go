// Demonstration starts the daemon on its simulated board and does with it what a SOAP
// client does: plays a message, disconnects in the middle, plays another to its end. It
// shows each request, each state, and what the daemon traces: the AT dialogue and each
// edge of the hook relay. It fails if anything does not happen as told.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	answers = "5550100" // rings twice, answers, listens
	limit   = 60 * time.Second
)

var listen string // where the daemon listens: an address that was free

func main() {
	program := flag.String("hookswitch", "hookswitch", "the daemon's binary")
	data := flag.String("data", "", "directory for the demonstration's data")
	flag.Parse()
	if err := run(*program, *data); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(program, data string) (err error) {
	say("Starting the daemon on the simulated board (lines fxo1 and gsm1)")
	daemon, err := start(program, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, daemon.stop()) }()

	var messages []struct{ ID, Name string }
	if err := get("/api/messages", &messages); err != nil {
		return err
	}
	if len(messages) < 2 {
		return fmt.Errorf("%d messages in the mailbox, want 2", len(messages))
	}

	say("PlayOnPhone %q to %s, and Disconnect in the middle of it", messages[0].Name, answers)
	first, err := playOnPhone(messages[0].ID)
	if err != nil {
		return err
	}
	if err := follow(first, "Connected"); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // somebody listens
	if _, err := soap("Disconnect", "<CallId>"+first+"</CallId>"); err != nil {
		return err
	}
	if err := follow(first, "Disconnected"); err != nil {
		return err
	}
	if err := onHook(); err != nil {
		return err
	}

	say("PlayOnPhone %q to %s, to its end", messages[1].Name, answers)
	second, err := playOnPhone(messages[1].ID)
	if err != nil {
		return err
	}
	if err := follow(second, "Disconnected"); err != nil {
		return err
	}
	if err := onHook(); err != nil {
		return err
	}
	return heard(data)
}

func say(format string, args ...any) { fmt.Printf("\n── "+format+"\n", args...) }

// daemon is the running hookswitch.
type daemon struct {
	cmd    *exec.Cmd
	traced sync.WaitGroup
}

// start runs the daemon and returns when it serves.
func start(program, data string) (*daemon, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen = l.Addr().String()
	_ = l.Close()
	cmd := exec.Command(program, "serve", "--data", data, "--listen", listen, "--trace")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &daemon{cmd: cmd}
	d.traced.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Println("   ", lines.Text())
		}
	})
	for begin := time.Now(); time.Since(begin) < limit; time.Sleep(50 * time.Millisecond) {
		if get("/api/lines", new([]any)) == nil {
			return d, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("the daemon does not answer on %s", listen), d.stop())
}

func (d *daemon) stop() error {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	d.traced.Wait()
	return d.cmd.Wait()
}

// soap sends one request of the Unified Messaging service and returns the response.
func soap(operation, children string) (string, error) {
	body := `<?xml version="1.0" encoding="utf-8"?>` +
		`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
		`<` + operation + ` xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">` + children + `</` + operation + `>` +
		`</soap:Body></soap:Envelope>`
	if operation != "GetCallInfo" {
		fmt.Printf("SOAP > %s\n", body)
	}
	resp, err := http.Post("http://"+listen+"/EWS/UM2007Legacy.asmx", "text/xml; charset=utf-8", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if operation != "GetCallInfo" {
		fmt.Printf("SOAP < %s\n", answer)
	}
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", operation, resp.Status, answer)
	}
	return string(answer), err
}

// element is the innermost text of the first element called name.
func element(xml, name string) string {
	m := regexp.MustCompile(`<` + name + `[^>]*>([^<]+)</`).FindStringSubmatch(xml)
	if m == nil {
		return ""
	}
	return m[1]
}

func playOnPhone(item string) (string, error) {
	answer, err := soap("PlayOnPhone", "<entryId>"+item+"</entryId><DialString>"+answers+"</DialString>")
	if err != nil {
		return "", err
	}
	id := element(answer, "PlayOnPhoneResponse")
	if id == "" {
		return "", fmt.Errorf("PlayOnPhone gave no call id: %s", answer)
	}
	return id, nil
}

// follow polls GetCallInfo, as clients do, until the call is in state want.
func follow(id, want string) error {
	last := ""
	for begin := time.Now(); time.Since(begin) < limit; time.Sleep(200 * time.Millisecond) {
		answer, err := soap("GetCallInfo", "<CallId>"+id+"</CallId>")
		if err != nil {
			return err
		}
		state := element(answer, "CallState")
		if state != last {
			fmt.Printf("GetCallInfo: %s, cause %s\n", state, element(answer, "EventCause"))
			last = state
		}
		if state == want {
			return nil
		}
		if state == "Disconnected" {
			return fmt.Errorf("the call ended before it was %s", want)
		}
	}
	return fmt.Errorf("the call is still %s, not %s", last, want)
}

func get(path string, v any) error {
	resp, err := http.Get("http://" + listen + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// onHook shows the lines, which must all be on-hook.
func onHook() error {
	var lines []struct{ Name, Hook, State string }
	if err := get("/api/lines", &lines); err != nil {
		return err
	}
	for _, l := range lines {
		fmt.Printf("line %s: %s, %s\n", l.Name, l.Hook, l.State)
		if l.Hook != "on-hook" {
			return fmt.Errorf("line %s is %s", l.Name, l.Hook)
		}
	}
	return nil
}

// heard shows the recordings of the far end, which must not be silent.
func heard(data string) error {
	say("What the far end heard")
	files, err := filepath.Glob(filepath.Join(data, "far-end", "*.wav"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("no recording of the far end")
	}
	slices.Sort(files)
	for _, f := range files {
		wav, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		sound := bytes.Trim(wav[min(44, len(wav)):], "\x00")
		fmt.Printf("%s: %.1f s\n", f, float64(len(wav)-44)/16000)
		if len(sound) == 0 {
			return fmt.Errorf("%s is silent", f)
		}
	}
	return nil
}
