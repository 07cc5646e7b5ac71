package audio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"hookswitch/firmware/audio/mp3"
)

const (
	minRate = 4000   // Hz, of a file
	maxRate = 192000 // Hz
	most    = 8      // channels
	longest = 2 * time.Hour

	// shortest is what must be there of a file that claims to hold more.
	shortest = 100 * time.Millisecond
)

// source is a message being decoded.
type source struct {
	rate   int
	length int64 // in samples of rate, -1 where the file does not tell
	// read fills p with samples, mixed to mono, full scale at 32768. What it returns with an
	// error is good. io.EOF ends the message; another error is damage, which ends it too.
	read func(p []float32) (n int, err error)
}

// Decode reads a whole message of whatever supported format (told by its bytes, not by its
// name), resampled to Rate without aliasing. limit bounds the length of the result: a longer
// message is ErrLimit. A message that was cut short, or is damaged in the middle, is as long
// as what is there; one without a whole header or any sound is ErrBroken.
func Decode(r io.ReadSeeker, limit time.Duration) (Clip, error) {
	s, err := open(r)
	if err != nil {
		return nil, err
	}
	limit = min(limit, longest)
	if s.length > int64(limit.Seconds()*float64(s.rate)) {
		return nil, tooLong(s.length, s.rate)
	}
	var clip Clip
	if s.length > 0 {
		clip = make(Clip, 0, min(s.length*Rate/int64(s.rate), 600*Rate)+1)
	}
	rs := newResampler(s.rate)
	in, out := make([]float32, 4096), []float32(nil)
	for total := 0; ; {
		n, err := s.read(in)
		total += n
		out = rs.write(out[:0], in[:n])
		clip = appendRounded(clip, out)
		if clip.Duration() > limit {
			return nil, fmt.Errorf("%w: longer than %v", ErrLimit, limit)
		}
		if err != nil {
			if total == 0 {
				return nil, noSound(err)
			}
			clip = appendRounded(clip, rs.flush(out[:0]))
			return clip[:min(len(clip), rs.length(total))], nil
		}
	}
}

// Probe reads only as much as it needs to tell a message's duration.
func Probe(r io.ReadSeeker) (time.Duration, error) {
	s, err := open(r)
	if err != nil {
		return 0, err
	}
	in := make([]float32, 4096)
	n, err := s.read(in)
	if n == 0 {
		return 0, noSound(err)
	}
	total := int64(n)
	for s.length < 0 && err == nil {
		n, err = s.read(in)
		total += int64(n)
		if total > int64(longest.Seconds())*int64(s.rate) {
			return 0, tooLong(total, s.rate)
		}
	}
	return duration(max(total, s.length), s.rate), nil
}

func duration(samples int64, rate int) time.Duration {
	return time.Duration(float64(samples) / float64(rate) * float64(time.Second))
}

func tooLong(samples int64, rate int) error {
	return fmt.Errorf("%w: %v of sound", ErrLimit, duration(samples, rate).Round(time.Second))
}

func noSound(err error) error {
	if errors.Is(err, ErrFormat) || errors.Is(err, ErrBroken) {
		return err
	}
	return fmt.Errorf("%w: there is no sound in it", ErrBroken)
}

func appendRounded(c Clip, in []float32) Clip {
	n := len(c)
	c = slices.Grow(c, len(in))[:n+len(in)]
	out := c[n:]
	for i, s := range in {
		out[i] = round16(s)
	}
	return c
}

// open finds out what r is by its first bytes.
func open(r io.ReadSeeker) (*source, error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	head := make([]byte, min(size, sniffed))
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("audio: %w", err)
	}
	s, err := sniff(r, head, size)
	if err != nil {
		return nil, err
	}
	if s.rate < minRate || s.rate > maxRate {
		return nil, fmt.Errorf("%w: %d samples a second", ErrBroken, s.rate)
	}
	return s, nil
}

// sniffed is how much of a file is looked at to tell what it is.
const sniffed = 4096

func sniff(r io.ReadSeeker, head []byte, size int64) (*source, error) {
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("%w: empty file", ErrBroken)
	case begins(head, "RIFF"):
		return openWAV(r, size)
	case begins(head, ".snd"):
		return openAU(r, size)
	case begins(head, "fLaC"):
		return openFLAC(r)
	case begins(head, "OggS"):
		return openOgg(r, head)
	case begins(head, "ID3"), mp3.Sniff(head):
		return openMP3(r)
	case isGSM(head):
		return openGSM(r, size), nil
	}
	for _, f := range strangers {
		if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return nil, fmt.Errorf("%w: %s", ErrFormat, f.what)
		}
	}
	return nil, fmt.Errorf("%w: neither WAV nor MP3, GSM, AU, FLAC or Opus", ErrFormat)
}

func begins(head []byte, magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }

// strangers are formats that somebody may well try, and what to do about them.
var strangers = []struct {
	at          int
	magic, what string
}{
	{0, "#!AMR-WB\n", "AMR-WB; convert it first, with ffmpeg -i FILE -ar 16000 FILE.wav"},
	{0, "#!AMR\n", "AMR; convert it first, with ffmpeg -i FILE FILE.wav"},
	{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA; convert it first, with ffmpeg -i FILE FILE.wav"},
	{4, "ftyp", "MPEG-4 (AAC); convert it first, with ffmpeg -i FILE FILE.wav"},
	{0, "FORM", "AIFF; convert it first, with sox FILE FILE.wav"},
	{0, "RIFX", "big-endian WAV; convert it first, with sox FILE FILE.wav"},
	{0, "RF64", "64-bit WAV; convert it first, with ffmpeg -i FILE FILE.wav"},
	{0, "\xff\xf1", "AAC; convert it first, with ffmpeg -i FILE FILE.wav"},
	{0, "\xff\xf9", "AAC; convert it first, with ffmpeg -i FILE FILE.wav"},
}
