package audio

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Message is a recording as a Player reads it: whole in memory, or on its way there from a file,
// which a goroutine of its own decodes and levels as fast as it can. Its methods may be
// called from any goroutine.
type Message struct {
	about Description
	stop  context.CancelFunc
	done  chan struct{} // closed when the goroutine has ended
	ready chan struct{} // closed when the beginning is there, or all

	mu     sync.Mutex // guards what follows
	blocks [][]int16  // of messageBlock samples, but for the last
	length int        // in samples
	whole  bool       // no more comes
	err    error      // why
}

// messageBlock is how many samples stand together: two seconds.
const messageBlock = 2 * Rate

// NewMessage is the message of a clip, which must not be changed any more.
func NewMessage(c Clip) *Message {
	s := &Message{length: len(c), whole: true, about: Description{Duration: c.Duration()}}
	for len(c) > 0 {
		n := min(len(c), messageBlock)
		s.blocks = append(s.blocks, c[:n])
		c = c[n:]
	}
	return s
}

// Load returns a message, which is levelled, when its beginning is there; the
// rest comes while it plays. f is closed when it is no longer needed. name may tell formats
// that the bytes do not. Errors: those of Describe; TooLong where it is longer than limit;
// the cause of ctx.
func Load(ctx context.Context, f io.ReadSeekCloser, name string, limit time.Duration) (*Message, error) {
	about, err := describe(ctx, f, name)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil && about.Duration > limit {
		err = TooLong{about.Duration, limit}
	}
	dctx, stop := context.WithCancel(context.Background()) // it goes on when Load has returned
	var d *stream
	if err == nil {
		d, err = openStream(dctx, f, name)
	}
	if err != nil {
		stop()
		_ = f.Close()
		return nil, err
	}
	s := &Message{about: about, stop: stop, done: make(chan struct{}), ready: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer f.Close()
		defer d.close()
		s.decode(dctx, d, limit)
	}()
	select {
	case <-s.ready:
	case <-ctx.Done():
		s.Close()
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	n, err := s.length, s.err
	s.mu.Unlock()
	if n == 0 {
		s.Close()
		return nil, noSound(err)
	}
	return s, nil
}

// Close stops decoding and waits until the file is closed. What is there can still be played.
func (s *Message) Close() {
	if s.stop != nil {
		s.stop()
		<-s.done
	}
}

// Duration is how long the message is, as its file tells it, what is missing not counted.
func (s *Message) Duration() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there := time.Duration(s.length) * time.Second / Rate; s.whole || there > s.about.Duration {
		return there
	}
	return s.about.Duration
}

// Description is of the message as far as it is known: more is missing, perhaps, once it is
// decoded.
func (s *Message) Description() Description {
	d := s.Duration()
	s.mu.Lock()
	defer s.mu.Unlock()
	about := s.about
	about.Duration = d
	return about
}

// Err is why the sound ends before the file does, nil where it does not.
func (s *Message) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// decode fills s until the end of the message, or ctx's.
func (s *Message) decode(ctx context.Context, d *stream, limit time.Duration) {
	var l leveller
	var err error
	begun := sync.OnceFunc(func() { close(s.ready) })
	defer begun()
	for err == nil {
		var in []float32
		if in, err = d.read(); err == nil {
			l.write(in)
		}
		for {
			piece := l.next(err != nil)
			if piece == nil {
				break
			}
			s.append(piece)
			begun()
		}
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case s.there() > limit+time.Second:
			err = TooLong{s.there(), limit}
		}
	}
	about := d.description()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole = true
	if !errors.Is(err, io.EOF) {
		s.err = err
		about.Damaged = true
	}
	if s.length > 0 && ctx.Err() == nil {
		s.about = about
	}
}

func (s *Message) there() time.Duration {
	n, _ := s.size()
	return time.Duration(n) * time.Second / Rate
}

func (s *Message) append(piece []int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(piece) > 0 {
		last := len(s.blocks) - 1
		if last < 0 || len(s.blocks[last]) == messageBlock {
			s.blocks = append(s.blocks, make([]int16, 0, messageBlock))
			last++
		}
		n := min(len(piece), messageBlock-len(s.blocks[last]))
		s.blocks[last] = append(s.blocks[last], piece[:n]...)
		s.length += n
		piece = piece[n:]
	}
}

// size is how many samples are there; whole reports whether that is all.
func (s *Message) size() (n int, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.length, s.whole
}

// at copies what is there from pos on, and returns how much that was.
func (s *Message) at(to []int16, pos int) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(to) && pos+n < s.length {
		at := pos + n
		k := copy(to[n:], s.blocks[at/messageBlock][at%messageBlock:])
		n += k
	}
	return n
}
