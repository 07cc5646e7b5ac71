package at_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/hal/at"
)

var update = flag.Bool("update", false, "write what the transcripts come to into testdata/transcripts/*.golden")

// step is one line of a transcript: bytes of the modem or of the host, or a delay.
type step struct {
	host  bool
	delay time.Duration
	data  []byte
}

// readTranscript reads the form "> ATZ\r", "< \r\nOK\r\n", "@1.5".
func readTranscript(t *testing.T, path string) (steps []step) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "@"):
			s, err := strconv.ParseFloat(strings.TrimSpace(line[1:]), 64)
			if err != nil {
				t.Fatalf("%s:%d: %v", path, n+1, err)
			}
			steps = append(steps, step{delay: time.Duration(s * float64(time.Second))})
		case strings.HasPrefix(line, "> "), strings.HasPrefix(line, "< "):
			data, err := strconv.Unquote(`"` + strings.ReplaceAll(line[2:], `"`, `\"`) + `"`)
			if err != nil {
				t.Fatalf("%s:%d: %v", path, n+1, err)
			}
			steps = append(steps, step{host: line[0] == '>', data: []byte(data)})
		default:
			t.Fatalf("%s:%d: %q", path, n+1, line)
		}
	}
	return steps
}

// account is what a Chat made of a transcript, a line for each thing that happened.
type account struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (a *account) add(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(&a.b, format+"\n", args...)
}

// replay plays the modem of a transcript to a Chat, whose commands are the host's lines.
// The modem's bytes come in pieces of n, all at once where n is 0.
func replay(t *testing.T, steps []step, n int) string {
	var acc account
	synctest.Test(t, func(t *testing.T) {
		host, device := net.Pipe()
		chat := at.NewChat(host, at.Config{
			Shield: true,
			URC:    func(line string) { acc.add("unsolicited %q", line) },
			Event:  func(code byte) { acc.add("event %q", code) },
		})
		var modem sync.WaitGroup
		say := func(b []byte) {
			for len(b) > 0 {
				k := len(b)
				if n > 0 {
					k = min(n, k)
				}
				if _, err := device.Write(b[:k]); err != nil {
					return
				}
				b = b[k:]
			}
		}
		for i := 0; i < len(steps); {
			if !steps[i].host {
				time.Sleep(steps[i].delay)
				say(steps[i].data)
				synctest.Wait()
				i++
				continue
			}
			cmd, answer := steps[i].data, i+1
			for i = answer; i < len(steps) && !steps[i].host && !(i > answer && steps[i].delay == 0 && steps[i-1].delay == 0); i++ {
			}
			mine := steps[answer:i]
			modem.Go(func() {
				if _, err := io.ReadFull(device, make([]byte, len(cmd))); err != nil {
					return
				}
				for _, s := range mine {
					time.Sleep(s.delay)
					say(s.data)
				}
			})
			result := acc.command(chat, cmd)
			modem.Wait()
			synctest.Wait() // all that came with the answer stands before its result
			acc.add("%s", result)
		}
		_ = device.Close()
		_ = chat.Close()
	})
	return acc.b.String()
}

// command runs what the host says in a transcript, and says how it ended.
func (a *account) command(chat *at.Chat, raw []byte) string {
	text, isCommand := strings.CutSuffix(string(raw), "\r")
	cmd := at.Cmd{Text: text, Prefix: at.Any}
	switch {
	case !isCommand || !strings.HasPrefix(text, "AT"):
		cmd = at.Cmd{Text: string(raw), Raw: true}
	case strings.HasPrefix(text, "ATD"):
		cmd.Dial = true
	case text == "AT+VTX":
		cmd.Stream = true
	case text == "AT+VRX":
		cmd.Stream = true
		cmd.Sink = func(data []byte) { a.add("voice data %x", data) }
	}
	if _, name, ok := strings.Cut(text, "AT+CLCC"); ok && name == "" {
		cmd.Prefix = "+CLCC:"
	}
	info, err := chat.Command(context.Background(), 20*time.Second, cmd)
	var result *at.ResultError
	switch {
	case err == nil:
		return fmt.Sprintf("%q: OK, information %q", raw, info)
	case errors.As(err, &result):
		return fmt.Sprintf("%q: %s, information %q", raw, result.Result, info)
	}
	return fmt.Sprintf("%q: %v", raw, err)
}

func TestTranscriptsOfRealModems(t *testing.T) {
	paths, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(paths) != 32 {
		t.Fatalf("%d transcripts, %v", len(paths), err)
	}
	for _, path := range paths {
		steps := readTranscript(t, path)
		golden := strings.TrimSuffix(path, ".txt") + ".golden"
		t.Run(filepath.Base(path), func(t *testing.T) {
			whole := replay(t, steps, 0)
			if *update {
				if err := os.WriteFile(golden, []byte(whole), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if joined(whole) != joined(string(want)) {
				t.Errorf("got\n%swant\n%s", whole, want)
			}
			for _, n := range []int{1, 2, 3, 7} {
				if split := joined(replay(t, steps, n)); split != joined(string(want)) {
					t.Errorf("in pieces of %d bytes: got\n%swant\n%s", n, split, want)
				}
			}
		})
	}
}

// joined puts the pieces of voice data together: where they are cut means nothing.
func joined(account string) string {
	return strings.ReplaceAll(account, "\nvoice data ", "")
}
