package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const starts = 7

// size measures the stripped binary, the idle daemon's memory with two lines, and the time
// from exec to its first answer.
func size() ([]Result, error) {
	arm, err := os.Stat("bin/hookswitch-arm64")
	if err != nil {
		return nil, err
	}
	var first []float64
	var rss float64
	for i := range starts {
		ms, kb, err := oneStart(i == starts-1)
		if err != nil {
			return nil, err
		}
		first = append(first, ms)
		rss = max(rss, kb)
	}
	return []Result{
		bound("binary, linux/arm64, stripped", "MB", float64(arm.Size())/1e6, 15),
		bound("resident memory, idle, 2 lines", "MB", rss/1000, 25),
		bound("exec to first answer, median", "ms", percentile(first, 0.5), 200),
	}, nil
}

// oneStart runs the daemon until it answers; idle lets it rest before its memory is read.
func oneStart(idle bool) (ms, kb float64, err error) {
	const addr = "127.0.0.1:18089"
	dir := scratch()
	begin := time.Now()
	cmd := exec.Command("bin/hookswitch", "serve", "--data", dir, "--listen", addr)
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	for {
		resp, err := http.Get("http://" + addr + "/api/lines")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(begin) > 10*time.Second {
			return 0, 0, fmt.Errorf("the daemon does not answer: %w", err)
		}
		time.Sleep(time.Millisecond)
	}
	ms = float64(time.Since(begin).Microseconds()) / 1000
	if idle {
		time.Sleep(3 * time.Second)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	_, err = fmt.Sscanf(after, "%f", &kb)
	return ms, kb, err
}
