package audio_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

func TestWhatFFmpegConverts(t *testing.T) {
	for _, test := range []struct{ name, make string }{
		{"in.m4a", "-c:a aac"},
		{"in.3gp", "-c:a aac -f 3gp"},
		{"in.aac", "-c:a aac -f adts"},
		{"in.wma", "-c:a wmav2"},
		{"in.webm", "-c:a libopus"},
		{"in.ogg", "-c:a libvorbis"},
		{"in.oga", "-c:a flac -f ogg"},
		{"in.aiff", ""},
		{"in.w64", ""},
		{"in.caf", ""},
		{"in.g722", "-ar 16000 -f g722"},
		{"g726.wav", "-ar 8000 -c:a g726"},
		{"msg0000.g726-32", "-ar 8000 -c:a g726le -code_size 4 -f g726le"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := workDir(t)
			sh(t, dir, "ffmpeg -v error -i speech.wav "+test.make+" "+test.name)
			b, err := os.ReadFile(filepath.Join(dir, test.name))
			if err != nil {
				t.Fatal(err)
			}
			f := plain(b)
			m, err := audio.Load(t.Context(), f, test.name, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			m.Wait()
			defer m.Close()
			got, want := read(t, m.Player(), time.Minute), decodeFile(t, filepath.Join(dir, "speech.wav"))
			if d := got.Duration() - want.Duration(); d.Abs() > 200*time.Millisecond || m.Description().Incomplete() != "" {
				t.Errorf("%v of sound, want %v; %s", got.Duration(), want.Duration(), m.Description().Incomplete())
			}
			if !endsLike(got[:min(len(got), len(want))], want) {
				t.Error("it sounds otherwise")
			}
		})
	}
}

// What names other files, or is nothing that the name says, is not given to ffmpeg to guess.
func TestNothingIsLeftToFFmpegToGuess(t *testing.T) {
	noise := noisy(silence(2*time.Second), -10)
	for name, b := range map[string][]byte{
		"list.wav":  []byte("ffconcat version 1.0\nfile /etc/hostname\n"),
		"live.m3u8": []byte("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n"),
		"text.g722": bytes.Repeat([]byte("Dear Anna, here is your voice message.\n"), 200),
		"text.sln":  bytes.Repeat([]byte("Dear Anna, here is your voice message.\n"), 200),
		"noise.raw": pcm(noise), "noise.ulaw": pcm(noise), "no.pcm": pcm(noise), "noise": pcm(noise),
	} {
		if d, err := audio.Describe(bytes.NewReader(b), name); !errors.Is(err, audio.ErrFormat) {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
}

func TestAConverterThatHangsIsKilledWithItsChildren(t *testing.T) {
	bin := t.TempDir()
	fifo := filepath.Join(bin, "child")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	writeFile(t, bin, "ffmpeg", []byte("#!/bin/sh\nsleep 1000 &\necho $! >"+fifo+"\nwait\n"))
	if err := os.Chmod(filepath.Join(bin, "ffmpeg"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	child := make(chan string, 1)
	go func() {
		b, _ := os.ReadFile(fifo)
		cancel()
		child <- strings.TrimSpace(string(b))
	}()
	f := plain(append([]byte("#!AMR\n"), make([]byte, 500)...))
	if _, err := audio.Load(ctx, f, "", time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	stat := filepath.Join("/proc", <-child, "stat")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if b, err := os.ReadFile(stat); err != nil || bytes.Contains(b, []byte(") Z ")) {
			return
		}
	}
	t.Error("its child is still there")
}

func TestRawSoundIsToldByItsName(t *testing.T) {
	dir := workDir(t)
	sh(t, dir, "for f in al ul; do sox speech.wav -r 8000 -t $f a.$f; done; sox speech.wav -r 8000 -t raw -e signed -b 16 a.sln; sox speech.wav -r 16000 -t raw -e signed -b 16 a.sln16")
	want := decodeFile(t, filepath.Join(dir, "speech.wav"))
	for name, from := range map[string]string{
		"msg0000.alaw": "a.al", "msg.AL": "a.al", "msg.ulaw": "a.ul", "msg.ul": "a.ul", "msg.pcm": "a.ul",
		"msg.sln": "a.sln", "linear.pcm": "a.sln", "msg.raw": "a.sln", "msg.sln16": "a.sln16",
	} {
		b, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			t.Fatal(err)
		}
		for what, b := range map[string][]byte{"": b, " behind silence": append(bytes.Repeat([]byte{b[0]}, 4800), b...)} {
			if what != "" && strings.HasSuffix(from, "ln16") {
				continue
			}
			m, err := audio.Load(t.Context(), plain(b), name, time.Minute)
			if err != nil {
				t.Errorf("%s%s: %v", name, what, err)
				continue
			}
			m.Wait()
			if got := read(t, m.Player(), time.Minute); !endsLike(got, audio.Level(want)) {
				t.Errorf("%s%s sounds otherwise", name, what)
			}
			m.Close()
		}
	}
}
