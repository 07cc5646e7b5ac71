package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
	"hookswitch/hal/rpi"
	"hookswitch/hal/sim"
)

const playedLines = 16

// playback plays a message on 16 simulated lines at once, in real time, over pseudo
// terminals, and counts the underruns that the modems report.
func playback() ([]Result, error) {
	var mu sync.Mutex
	underruns := 0
	x := sim.New(sim.Options{Trace: func(_ string, sent bool, b []byte) {
		if !sent && bytes.Contains(b, []byte("\x10u")) {
			mu.Lock()
			underruns++
			mu.Unlock()
		}
	}})
	defer x.Close()
	opt := call.Options{Rules: &call.Rules{Allow: []string{"55501xx"}}, PerUser: -1}
	for i := range playedLines {
		name := fmt.Sprintf("fxo%d", i+1)
		l := x.Voice(name)
		port, err := l.PTY()
		if err != nil {
			return nil, err
		}
		opt.Lines = append(opt.Lines, call.LineConfig{
			Name: name, Hook: hook.Config{Relay: l.Relay(), Loop: l.Loop()},
			Modem: modem.Config{Name: name, Dialect: "voice", Open: func() (io.ReadWriteCloser, error) { return rpi.OpenSerial(port, 115200) }},
		})
	}
	lines, err := call.New(opt)
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	clip := audio.Prompt(audio.PromptMessage)
	var ids []string
	for i := range playedLines {
		info, err := lines.Start(call.Request{User: fmt.Sprint(i), Dial: "5550106", Item: fmt.Sprint(i), Clip: clip})
		if err != nil {
			return nil, err
		}
		ids = append(ids, info.ID)
	}
	for _, id := range ids {
		if err := reach(lines, id, call.Connected); err != nil {
			return nil, err
		}
	}
	before, begin := cpuTime(), time.Now()
	for _, id := range ids {
		if err := reach(lines, id, call.Disconnected); err != nil {
			return nil, err
		}
	}
	cpu, wall := cpuTime()-before, time.Since(begin)
	mu.Lock()
	defer mu.Unlock()
	return []Result{
		{Name: "16 lines playing: underruns", Value: float64(underruns), Unit: "", OK: underruns == 0},
		bound("16 lines playing: CPU, line and simulator", "s per line-minute", cpu.Seconds()/(wall.Minutes()*playedLines), 0),
	}, nil
}

func reach(x *call.Exchange, id string, want call.State) error {
	for {
		changed := x.Changed()
		info, err := x.Call(id)
		if err != nil || info.State == want {
			return err
		}
		if info.State == call.Disconnected {
			return fmt.Errorf("call ended: %s", info.Reason)
		}
		<-changed
	}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
