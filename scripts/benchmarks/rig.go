package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

// serialBaud is the pace of the AT ports of a rig.
const serialBaud = 115200

// rig is the program as a process of its own, wired to simulated modems on pseudo terminals
// whose far ends, relays and pace this process sees. Each line has its own number.
type rig struct {
	dir  string
	x    *sim.Exchange
	cmd  *exec.Cmd
	said bytes.Buffer
	conn *httpConn
	item string

	mu     sync.Mutex // guards opened
	opened map[string]time.Time
}

// newRig has fxo analogue lines and gsm mobile ones, fxo1 … and gsm1 …, at a baud rate (0 is
// none), and one message. Whoever is called is end.
func newRig(fxo, gsm, baud int, message audio.Clip, end sim.FarEnd) (r *rig, err error) {
	return newRigOf([]string{"bin/hookswitch", "serve", "--config"}, fxo, gsm, baud, message, end)
}

// newRigOf is newRig of another program, to whose arguments the configuration is appended.
func newRigOf(program []string, fxo, gsm, baud int, message audio.Clip, end sim.FarEnd) (r *rig, err error) {
	r = &rig{dir: scratch(), opened: map[string]time.Time{}}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w; the program said: %s", err, r.said.String())
			_ = r.close()
		}
	}()
	numbers := map[string]sim.FarEnd{}
	for i := range fxo + gsm {
		numbers[number(i)] = end
	}
	r.x = sim.New(sim.Options{Numbers: numbers, Edge: r.edge})
	addr, err := freeAddress()
	if err != nil {
		return r, err
	}
	config := fmt.Sprintf("data = %q\n[http]\nlisten = %q\n[soap]\ncalls_per_user = 0\n[dialing]\nallow = [\"55502xx\"]\ncalls_per_hour = 0\ncalls_per_day = 0\nboard_calls_per_day = 0\nboard_minutes_per_day = 0\n",
		filepath.Join(r.dir, "data"), addr)
	for i := range fxo + gsm {
		line, err := r.line(i, fxo, baud)
		if err != nil {
			return r, err
		}
		config += line
	}
	if err := r.serve(program, config, message); err != nil {
		return r, err
	}
	return r, r.await(addr)
}

func number(line int) string { return fmt.Sprintf("55502%02d", line) }

// line adds a modem and returns its part of the configuration.
func (r *rig) line(i, fxo, baud int) (string, error) {
	add, name := r.x.Voice, fmt.Sprintf("fxo%d", i+1)
	if i >= fxo {
		add, name = r.x.GSM, fmt.Sprintf("gsm%d", i-fxo+1)
	}
	l, path := add(name), filepath.Join(r.dir, name)
	l.Fault(sim.Faults{Baud: baud})
	config := fmt.Sprintf("[[line]]\nname = %q\nport = %q\nprefix = [%q]\n", name, path, number(i))
	if i < fxo {
		config += fmt.Sprintf("hook = { pin = %q, active = \"high\", contact = \"normally-open\" }\nloop = { pin = %q, active = \"high\" }\n", path+"-hook", path+"-loop")
		return config, errors.Join(l.RelayFiles(path+"-hook", path+"-loop"), l.PTYLink(path))
	}
	return config + fmt.Sprintf("pcm = %q\n", path+"-pcm"), errors.Join(l.PTYLink(path), l.PCMLink(path+"-pcm"))
}

// serve starts the program with a message in its mailbox.
func (r *rig) serve(program []string, config string, message audio.Clip) error {
	box, file := filepath.Join(r.dir, "data/mailbox/local/messages"), filepath.Join(r.dir, "config.toml")
	var wav bytes.Buffer
	if err := errors.Join(audio.WriteWAV(&wav, message), os.MkdirAll(box, 0o700),
		os.WriteFile(filepath.Join(box, "message.wav"), wav.Bytes(), 0o600), os.WriteFile(file, []byte(config), 0o600)); err != nil {
		return err
	}
	r.cmd = exec.Command(program[0], append(program[1:], file)...)
	r.cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	return r.cmd.Start()
}

// await waits until every line is idle.
func (r *rig) await(addr string) (err error) {
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if err = r.idle("http://" + addr); err == nil {
			if r.item, err = someItem("http://" + addr); err != nil {
				return err
			}
			r.conn, err = dialHTTP(addr)
			return err
		}
	}
	return err
}

func (r *rig) idle(base string) error {
	resp, err := http.Get(base + "/api/lines")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var lines []call.LineInfo
	if err := json.NewDecoder(resp.Body).Decode(&lines); err != nil {
		return err
	}
	for _, l := range lines {
		if l.State != "idle" {
			return fmt.Errorf("line %s is not idle but in state %s: %s", l.Name, l.State, l.Fault)
		}
	}
	return nil
}

// edge notes when a line's relay has opened.
func (r *rig) edge(line string, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !closed {
		r.opened[line] = time.Now()
	}
}

// lastOpened is when a line's relay has opened last.
func (r *rig) lastOpened(line string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened[line]
}

// callAll calls from each line and returns the calls' ids, in the order of the lines, once
// all are connected.
func (r *rig) callAll() ([]string, error) {
	var ids []string
	for i := range r.x.Lines() {
		answer, _, err := r.conn.soap(fmt.Sprintf(playRequest, r.item, number(i)))
		if err != nil {
			return nil, err
		}
		ids = append(ids, between(answer, "<PlayOnPhoneResponse>", "<"))
	}
	for _, id := range ids {
		if err := r.conn.wait(id, string(call.Connected)); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// close ends the program, then the exchange.
func (r *rig) close() error {
	defer func() { _ = os.RemoveAll(r.dir) }()
	if r.conn != nil {
		_ = r.conn.Close()
	}
	if r.cmd != nil && r.cmd.Process != nil {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		_ = r.cmd.Wait()
	}
	return r.x.Close()
}

// freeAddress is an address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
