package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hookswitch/firmware/audio"
)

// speech is what all messages of the benchmark are made of, and its multiple.
const (
	speech = "firmware/audio/testdata/speech.wav"
	spoken = 224 // 12 minutes
	turns  = 3   // of each side; the best counts
)

// floorOfTranscode is how much of the floor's speed is wanted.
const floorOfTranscode = 0.5

// formats are made by shell commands from long.wav, 44100 Hz stereo, and spoken.wav, 22050 Hz mono.
var formats = []struct{ name, make, floor string }{
	{"WAV 16-bit 44100 Hz stereo", "cp long.wav in", "sox -t wav"},
	{"WAV 8-bit 8000 Hz", "sox spoken.wav -r 8000 -b 8 -t wav in", "sox -t wav"},
	{"WAV 24-bit 48000 Hz", "sox spoken.wav -r 48000 -b 24 -t wav in", "sox -t wav"},
	{"WAV G.711 µ-law", "sox spoken.wav -r 8000 -e u-law -t wav in", "sox -t wav"},
	{"WAV G.711 A-law", "sox spoken.wav -r 8000 -e a-law -t wav in", "sox -t wav"},
	{"WAV GSM 6.10", "sox spoken.wav -r 8000 -e gsm-full-rate -t wav in", "sox -t wav"},
	{"GSM 6.10, bare", "sox spoken.wav -r 8000 -t gsm in", "sox -t gsm"},
	{"WAV IMA ADPCM 8000 Hz", "sox spoken.wav -r 8000 -e ima-adpcm -t wav in", "sox -t wav"},
	{"WAV IMA ADPCM 22050 Hz", "sox spoken.wav -e ima-adpcm -t wav in", "sox -t wav"},
	{"WAV MS ADPCM 8000 Hz", "sox spoken.wav -r 8000 -e ms-adpcm -t wav in", "sox -t wav"},
	{"AU G.711 µ-law", "sox spoken.wav -r 8000 -e u-law -t au in", "sox -t au"},
	{"MP3 8000 Hz (MPEG 2.5)", "lame --quiet --resample 8 -m m -b 16 spoken.wav in", "sox -t mp3"},
	{"MP3 16000 Hz (MPEG 2)", "lame --quiet --resample 16 -m m -b 16 spoken.wav in", "sox -t mp3"},
	{"MP3 44100 Hz stereo (MPEG 1)", "lame --quiet -b 64 long.wav in", "sox -t mp3"},
	{"FLAC 44100 Hz stereo", "flac --totally-silent long.wav -o in", "sox -t flac"},
	{"FLAC 8000 Hz", "sox spoken.wav -r 8000 -t flac in", "sox -t flac"},
	{"Ogg Opus 24 kbit/s", "opusenc --quiet --bitrate 24 spoken.wav in", "opusdec"},
}

// transcode measures how many seconds of a message a second of processor time brings to a
// line's 8000 Hz mono, written as a WAV file, for each format. The floor is what sox makes
// of the same file in turn with it (opusdec where sox reads no Opus).
func transcode() ([]Result, error) {
	dir := scratch()
	defer func() { _ = os.RemoveAll(dir) }()
	from, err := filepath.Abs(speech)
	if err != nil {
		return nil, err
	}
	if err := shell(dir, fmt.Sprintf("sox %s spoken.wav repeat %d && sox spoken.wav -r 44100 -c 2 long.wav", from, spoken-1)); err != nil {
		return nil, err
	}
	var results []Result
	for _, f := range formats {
		if err := shell(dir, "rm -f in && "+f.make); err != nil {
			return results, err
		}
		clip, err := ours(dir)
		if err != nil {
			return results, fmt.Errorf("%s: %w", f.name, err)
		}
		length := float64(len(clip)) / audio.Rate
		value, floor := 0.0, 0.0
		for range turns {
			before := cpuTime()
			if _, err := ours(dir); err != nil {
				return results, err
			}
			value = max(value, length/(cpuTime()-before).Seconds())
			took, err := theirs(dir, f.floor)
			if err != nil {
				return results, err
			}
			floor = max(floor, length/took.Seconds())
		}
		by, _, _ := strings.Cut(f.floor, " ")
		r := atLeast(f.name, "× real time ("+by+")", value, floor, floorOfTranscode)
		results = append(results, r)
	}
	return results, nil
}

// ours reads a message as the daemon does, and keeps it as a file, as sox does.
func ours(dir string) (audio.Clip, error) {
	file, err := os.ReadFile(filepath.Join(dir, "in"))
	if err != nil {
		return nil, err
	}
	clip, err := audio.Decode(bytes.NewReader(file), time.Hour)
	if err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(dir, "ours.wav"))
	if err != nil {
		return nil, err
	}
	if err := audio.WriteWAV(out, clip); err != nil {
		_ = out.Close()
		return nil, err
	}
	return clip, out.Close()
}

// theirs is the processor time of the other program for the same.
func theirs(dir, program string) (time.Duration, error) {
	args := strings.Fields(program)
	if args[0] == "opusdec" {
		args = append(args, "--quiet", "--rate", "8000", "in", "theirs.wav")
	} else {
		args = append(args, "in", "-r", "8000", "-c", "1", "-e", "signed", "-b", "16", "theirs.wav")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", program, err, out)
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

func shell(dir, command string) error {
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s (sox with its MP3 format, lame, flac and opus-tools are wanted): %w: %s", command, err, out)
	}
	return nil
}
