package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// qmp is QEMU's monitor (QEMU Machine Protocol).
type qmp struct {
	conn net.Conn
	in   *json.Decoder
}

// dialQMP waits for the monitor of a machine that is just starting.
func dialQMP(path string, exited <-chan struct{}) (*qmp, error) {
	for {
		conn, err := net.Dial("unix", path)
		if err == nil {
			q := &qmp{conn, json.NewDecoder(conn)}
			var greeting any
			if err := q.in.Decode(&greeting); err != nil {
				return nil, err
			}
			_, err = q.run("qmp_capabilities", nil)
			return q, err
		}
		select {
		case <-exited:
			return nil, errors.New("QEMU did not start")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// run runs a command; what else the monitor says meanwhile is skipped.
func (q *qmp) run(command string, args map[string]any) (any, error) {
	message := map[string]any{"execute": command}
	if args != nil {
		message["arguments"] = args
	}
	request, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	if err := q.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := q.conn.Write(append(request, '\n')); err != nil {
		return nil, fmt.Errorf("emulator: monitor: %w", err)
	}
	for {
		var reply struct {
			Return any
			Error  *struct{ Desc string }
			Event  string
		}
		if err := q.in.Decode(&reply); err != nil {
			return nil, fmt.Errorf("emulator: monitor: %w", err)
		}
		switch {
		case reply.Error != nil:
			return nil, fmt.Errorf("emulator: %s: %s", command, reply.Error.Desc)
		case reply.Event == "":
			return reply.Return, nil
		}
	}
}

// human runs a command of the monitor for people, and returns what it prints.
func (q *qmp) human(command string) (string, error) {
	out, err := q.run("human-monitor-command", map[string]any{"command-line": command})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(out), nil
}
