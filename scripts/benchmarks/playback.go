package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/hal/sim"
)

const (
	playingFXO = 16 // lines
	playingGSM = 16
	playingFor = 25 * time.Second

	lineCPULimit    = 2 // percent of a processor: 32 lines are two thirds of one
	lineMemoryLimit = 4 // MB
)

// playback plays a message of a minute on 32 lines at once, in real time, by the program as
// a process of its own on two processors, which the simulated modems share with it. The
// modems count what runs dry; processor and memory are the program's alone, memory with the
// decoded messages.
func playback() ([]Result, error) {
	const lines = playingFXO + playingGSM
	r, err := newRig(playingFXO, playingGSM, 0, spokenMinute(), sim.FarEnd{Rings: 1})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.close() }()
	process := r.cmd.Process.Pid
	idle, err := resident(process)
	if err != nil {
		return nil, err
	}
	if _, err := r.callAll(); err != nil {
		return nil, err
	}
	before, err := processorTime(process)
	if err != nil {
		return nil, err
	}
	simulator, begin := cpuTime(), time.Now()
	time.Sleep(playingFor)
	after, err := processorTime(process)
	if err != nil {
		return nil, err
	}
	wall := time.Since(begin)
	simulator = cpuTime() - simulator
	playing, err := resident(process)
	if err != nil {
		return nil, err
	}
	underruns, silent := [2]int{}, 0
	for i, l := range r.x.Lines() {
		if i < playingFXO {
			underruns[0] += l.Underruns()
		} else {
			underruns[1] += l.Underruns()
		}
		if !plays(l.Heard()) {
			silent++
		}
	}
	perLine := func(d time.Duration) float64 { return 100 * d.Seconds() / wall.Seconds() / lines }
	return []Result{
		none(fmt.Sprintf("%d lines playing: underruns, analogue", lines), underruns[0]),
		none(fmt.Sprintf("%d lines playing: underruns, GSM", lines), underruns[1]),
		none(fmt.Sprintf("%d lines playing: lines not heard", lines), silent),
		bound(fmt.Sprintf("%d lines playing: CPU, program", lines), "% of a CPU, per line", perLine(after-before), lineCPULimit),
		bound(fmt.Sprintf("%d lines playing: CPU, simulated modems", lines), "% of a CPU, per line", perLine(simulator), 0),
		bound(fmt.Sprintf("%d lines playing: memory, program", lines), "MB per line", (playing-idle)/lines, lineMemoryLimit),
		bound("Memory with 32 idle lines", "MB", idle, 0),
	}, nil
}

// none is a count whose limit is 0.
func none(name string, n int) Result {
	return Result{Name: name, Value: float64(n), Unit: "(none allowed)", OK: n == 0}
}

// spokenMinute is a message of a minute.
func spokenMinute() (message audio.Clip) {
	for message.Duration() < time.Minute {
		message = append(message, audio.Prompt(audio.PromptMessage)...)
	}
	return message
}

// plays says whether the last two seconds that a far end heard are not silent.
func plays(heard []int16) bool {
	for _, s := range heard[max(0, len(heard)-2*audio.Rate):] {
		if s > 1000 {
			return true
		}
	}
	return false
}

// processorTime is what a process has used (proc(5): stat, fields 14 and 15).
func processorTime(process int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // from field 3 on
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / 100, err // USER_HZ
}

// resident is how much memory a process has, in MB.
func resident(process int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return 0, err
	}
	kB, err := strconv.ParseFloat(strings.Fields(between(string(b), "VmRSS:", "kB"))[0], 64)
	return kB / 1024, err
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
