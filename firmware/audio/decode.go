package audio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	minRate = 4000   // Hz, of a file
	maxRate = 192000 // Hz
	most    = 8      // channels
	longest = 2 * time.Hour

	// shortest is what must be there of a file that claims to hold more.
	shortest = 100 * time.Millisecond

	// mostJoined bounds the files that follow each other in one.
	mostJoined = 1000
)

// source is sound of one rate in a file.
type source struct {
	rate   int
	length int64 // in samples of rate, of what is there; -1 where only reading it tells
	// read fills p with samples, mixed to mono, full scale at 32768. What it returns with an
	// error is good. io.EOF ends the sound; another error is damage, which ends it too.
	read func(p []float32) (n int, err error)
	// count goes through the file as read does, without decoding it, and returns the number
	// of samples. nil where length tells.
	count func() int64
	// next opens what follows in the file; nil where nothing can. io.EOF: nothing does.
	next func() (*source, error)
	// close lets go of what reads the file; nil where nothing has to.
	close func()

	// At the end of the sound:
	missing int64 // samples that the file says it holds and are not there
	damaged bool  // something was skipped that should have been sound
}

// stream is a message at Rate, piece by piece.
type stream struct {
	file  *file
	s     *source
	files int // opened so far

	rs        *resampler
	in, out   []float32
	taken     int // samples taken from s, and given of it
	given     int
	there     time.Duration // of the sources before s
	missing   time.Duration
	damaged   bool
	exhausted bool
}

func openStream(ctx context.Context, r io.ReadSeeker, name string) (*stream, error) {
	f := &file{ReadSeeker: r, ctx: ctx}
	s, err := open(ctx, f, name)
	if err != nil {
		return nil, f.explain(err)
	}
	return &stream{file: f, s: s, files: 1, rs: newResampler(s.rate), in: make([]float32, 4096)}, nil
}

// read returns the next samples, which are good until the next call. At the end of the
// sound it is io.EOF, or why the file could not be read any more. One without any sound is
// ErrBroken.
func (d *stream) read() ([]float32, error) {
	for !d.exhausted {
		n, err := d.s.read(d.in)
		d.taken += n
		out := d.in[:n]
		if d.s.rate != Rate {
			d.out = d.rs.write(d.out[:0], out)
			if err != nil && d.taken > 0 {
				d.out = d.rs.flush(d.out)
				d.out = d.out[:min(len(d.out), max(0, d.rs.length(d.taken)-d.given))]
			}
			out = d.out
		}
		d.given += len(out)
		if err != nil {
			if err := d.advance(err); err != nil {
				return nil, err
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	return nil, d.file.explain(io.EOF)
}

// advance goes on, at the end of a source, to what follows in the file.
func (d *stream) advance(end error) error {
	d.there += duration(int64(d.taken), d.s.rate)
	d.missing += duration(d.s.missing, d.s.rate)
	d.damaged = d.damaged || d.s.damaged || end != io.EOF
	next := (*source)(nil)
	if d.s.next != nil && d.files < mostJoined && d.file.err == nil {
		var err error
		if next, err = d.s.next(); err != nil && err != io.EOF {
			d.damaged = true
		}
	}
	d.files++
	d.taken, d.given = 0, 0
	if next == nil {
		if d.exhausted = true; d.there == 0 {
			return d.file.explain(noSound(end))
		}
		return nil
	}
	d.s, d.rs = next, newResampler(next.rate)
	return nil
}

// close ends the stream before its end.
func (d *stream) close() {
	if d.s.close != nil {
		d.s.close()
	}
}

// description is of what was read so far.
func (d *stream) description() Description {
	return Description{
		Duration: d.there + duration(int64(d.taken), d.s.rate), Missing: told(d.missing), Damaged: d.damaged,
	}
}

// told is a missing time that is worth telling: less is an encoder's padding.
func told(missing time.Duration) time.Duration {
	if missing < 250*time.Millisecond {
		return 0
	}
	return missing
}

// Decode reads a whole message of whatever supported format, resampled to Rate without
// aliasing. limit bounds the length of the result: a longer message is ErrLimit. A message
// that was cut short, or is damaged in the middle, is as long as what is there; one without
// a whole header or any sound is ErrBroken.
func Decode(r io.ReadSeeker, limit time.Duration) (Clip, error) {
	d, err := openStream(context.Background(), r, "")
	if err != nil {
		return nil, err
	}
	defer d.close()
	limit = min(limit, longest)
	if n := d.s.length; n > 0 && duration(n, d.s.rate) > limit {
		return nil, TooLong{duration(n, d.s.rate), limit}
	}
	clip := make(Clip, 0, int64(max(0, d.s.length))*Rate/int64(d.s.rate)+1)
	for {
		piece, err := d.read()
		if err == io.EOF {
			return clip, nil
		}
		if err != nil {
			return nil, err
		}
		clip = appendRounded(clip, piece)
		if clip.Duration() > limit {
			return nil, fmt.Errorf("%w: longer than %v", ErrLimit, limit)
		}
	}
}

// Description is what can be told of a message before it is played.
type Description struct {
	Duration time.Duration // of what is there
	Missing  time.Duration // that the file says it holds besides, and does not
	Damaged  bool          // there are gaps in it, of a length that nobody knows
}

// Incomplete says what is missing, "" where nothing is.
func (d Description) Incomplete() string {
	switch {
	case d.Missing > 0:
		return "incomplete: " + Portion(d.Duration, d.Duration+d.Missing)
	case d.Damaged:
		return "damaged: parts of it are missing"
	}
	return ""
}

// Describe tells a message's length and what is missing of it, without decoding more than it
// has to. name may tell formats that the bytes do not. Errors: ErrFormat, ErrBroken, ErrLimit;
// any other is of reading the file, and may pass.
func Describe(r io.ReadSeeker, name string) (Description, error) {
	return describe(context.Background(), r, name)
}

func describe(ctx context.Context, r io.ReadSeeker, name string) (Description, error) {
	d, err := openStream(ctx, r, name)
	if err != nil {
		return Description{}, err
	}
	defer d.close()
	for {
		n, end := d.s.length, io.EOF
		switch {
		case d.s.count != nil:
			n = d.s.count()
		case n < 0:
			n, end = d.listen()
		}
		d.taken = int(n)
		if err := d.advance(end); err != nil {
			return Description{}, err
		}
		if d.there > longest {
			return Description{}, TooLong{d.there, longest}
		}
		if d.exhausted {
			return d.description(), d.file.err
		}
	}
}

// listen counts samples by decoding them.
func (d *stream) listen() (total int64, err error) {
	for n := 0; err == nil && total <= int64(longest.Seconds())*int64(d.s.rate); total += int64(n) {
		n, err = d.s.read(d.in)
	}
	if err == nil {
		err = io.EOF
	}
	return total, err
}

func duration(samples int64, rate int) time.Duration {
	return time.Duration(float64(samples) / float64(rate) * float64(time.Second))
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
