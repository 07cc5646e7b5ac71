package call

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/hal/modem"
)

// Reasons to interrupt what is played.
var (
	errKey     = errors.New("call: a key was pressed")
	errUnheard = errors.New("call: nobody pressed 1 to hear the message")
	errTone    = fmt.Errorf("%w: its exchange gives a tone", modem.ErrHungUp)
)

const (
	skip       = 5 * time.Second        // one step back or forward
	doubleKey  = time.Second            // for keys of two digits
	sameKey    = 400 * time.Millisecond // one press reported by the modem and heard in the audio
	answerWait = 5 * time.Second        // for a key after a prompt
	pressTries = 3
)

// talk is the conversation with the person who answered: a message to hear, or a greeting
// to record.
type talk struct {
	l    *line
	c    *active
	keys chan byte // pressed and not yet looked at

	item   string       // of the message that plays
	remove func() error // marks it deleted; nil where it can't be

	// These listen where the modem delivers audio.
	hear  audio.Keys
	tones func([]int16) modem.Progress // nil where the modem tells that the far end has hung up

	mu      sync.Mutex // guards what follows: keys come from the AT port and out of the sound
	lastKey byte
	lastAt  time.Time
}

// talk returns when the conversation is over; the caller hangs up.
func (l *line) talk(ctx context.Context, c *active) error {
	t := &talk{l: l, c: c, keys: make(chan byte, 32), item: c.req.Item, remove: c.req.Delete}
	if l.cfg.Tones != nil {
		t.tones = listener(l.cfg.Tones)
	}
	if l.cfg.PressOne {
		if err := t.pressOne(ctx); err != nil {
			return err
		}
	}
	if c.req.Greeting != nil {
		return t.greeting(ctx)
	}
	return t.message(ctx)
}

// far collects keys while something is played or recorded; each cancels what runs.
func (t *talk) far(cancel context.CancelCauseFunc) modem.Far {
	press := func(digit byte) {
		if !t.fresh(digit) {
			return
		}
		select {
		case t.keys <- digit:
		default: // a child plays with the keys: 32 are enough
		}
		cancel(errKey)
	}
	return modem.Far{
		Key: press,
		Hear: func(samples []int16) {
			for _, digit := range t.hear.Hear(samples) {
				press(digit)
			}
			if t.tones != nil {
				switch t.tones(samples) {
				case modem.DialTone, modem.Busy, modem.Unobtainable:
					cancel(errTone)
				}
			}
		},
	}
}

// fresh says whether a key is another press than the last, not the same one told twice.
func (t *talk) fresh(digit byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	same := digit == t.lastKey && time.Since(t.lastAt) < sameKey
	if !same {
		t.lastKey, t.lastAt = digit, time.Now()
	}
	return !same
}

// play plays pcm until its end (key 0), a key or an error. lag is how much had been taken from
// pcm by then but not heard.
func (t *talk) play(ctx context.Context, pcm io.Reader) (key byte, lag time.Duration, err error) {
	select {
	case key = <-t.keys:
		return key, 0, nil
	default:
	}
	pctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	counted := &countReader{r: pcm}
	heard, err := t.l.modem.Play(pctx, counted, t.far(cancel))
	lag = max(0, counted.duration()-heard)
	if errors.Is(err, errKey) && ctx.Err() == nil {
		return <-t.keys, lag, nil
	}
	return 0, lag, err
}

// ask plays a prompt and waits for a key, 0 if none comes.
func (t *talk) ask(ctx context.Context, prompt audio.Clip) (byte, error) {
	key, _, err := t.play(ctx, io.MultiReader(audio.NewPlayer(prompt), audio.NewPlayer(silence(answerWait))))
	return key, err
}

// silence is played where we wait: a modem that plays also tells of keys and hang-ups.
func silence(d time.Duration) audio.Clip { return make(audio.Clip, int(d*audio.Rate/time.Second)) }

// pressOne asks until 1 is pressed: on a line without answer supervision "answered" may be
// an answering machine, or nobody.
func (t *talk) pressOne(ctx context.Context) error {
	for range pressTries {
		key, err := t.ask(ctx, audio.Prompt(audio.PromptPressOne))
		if err != nil {
			return err
		}
		if key == '1' {
			return nil
		}
	}
	return errUnheard
}

// message plays the call's message under the control of the keys. Where nobody touches a
// key the call ends with the message; else with a menu that nobody answers.
func (t *talk) message(ctx context.Context) error {
	if t.l.cfg.SayKeys {
		if err := t.say(ctx, t.l.x.opt.Keys.help(audio.PromptKeys)); err != nil {
			return err
		}
	}
	t.l.x.within(t.c, t.l.x.opt.MaxCall+t.l.cfg.LeadIn) // for one that is as long as a call may be
	player := t.c.message.Player()
	next := io.MultiReader(audio.NewPlayer(silence(t.l.cfg.LeadIn)), player)
	var keys keySequence
	touched := false
	for {
		from := player.Position()
		key, lag, err := t.play(ctx, next)
		if key != 0 || lag > 0 {
			player.Unheard(lag)
		}
		t.c.heard.add(from, player.Position())
		if err != nil {
			return err
		}
		next = player
		if key == 0 {
			if !touched {
				return nil
			}
			if key, err = t.ask(ctx, t.l.x.opt.Keys.help(audio.PromptMenu)); err != nil || key == 0 {
				return err
			}
			player.Seek(-player.Position()) // back from the end is the message again
		}
		touched = true
		done, err := t.act(ctx, player, t.l.x.opt.Keys[keys.press(key, t.l.x.opt.Keys)])
		if err != nil || done {
			return err
		}
	}
}

// act does what a key means; done says that the call is over.
func (t *talk) act(ctx context.Context, player *audio.Player, a Action) (done bool, err error) {
	if a != Pause {
		player.Resume()
	}
	switch a {
	case Back:
		player.Seek(-skip)
	case On:
		player.Seek(skip)
	case ToEnd:
		player.ToEnd()
	case Pause:
		if player.Paused() {
			player.Resume()
		} else {
			player.Pause()
		}
	case Slower:
		player.Slower()
	case Faster:
		player.Faster()
	case Next:
		return t.nextMessage(player)
	case Delete:
		return t.delete(ctx)
	case Menu:
		return false, t.say(ctx, t.l.x.opt.Keys.help(audio.PromptMenu))
	case Help:
		return false, t.say(ctx, t.l.x.opt.Keys.help(audio.PromptKeys))
	}
	return false, nil
}

// say plays a prompt; a key cuts it short and is looked at next.
func (t *talk) say(ctx context.Context, prompt audio.Clip) error {
	key, _, err := t.play(ctx, audio.NewPlayer(prompt))
	if key != 0 {
		t.keys <- key
	}
	return err
}

// delete marks the message deleted, says so and ends the call.
func (t *talk) delete(ctx context.Context) (bool, error) {
	if t.remove == nil {
		return false, nil
	}
	if err := t.remove(); err != nil {
		t.l.x.log.Error("message not deleted", "call", t.c.info.ID, "item", t.item, "error", err)
		return false, t.say(ctx, audio.Prompt(audio.PromptFailed))
	}
	t.l.x.log.Info("message deleted", "call", t.c.info.ID, "item", t.item)
	return true, t.say(ctx, audio.Prompt(audio.PromptDeleted))
}

// nextMessage goes on with the user's next message; without one the call is over.
func (t *talk) nextMessage(player *audio.Player) (done bool, err error) {
	if t.c.req.Next == nil {
		return true, nil
	}
	next, ok := t.c.req.Next()
	if !ok {
		return true, nil
	}
	t.c.heard.begin(next.Message)
	t.c.message.Close()
	t.c.message, t.item, t.remove = next.Message, next.Item, next.Delete
	player.Load(next.Message)
	return false, nil
}

// keySequence turns presses into keys of one or two digits.
type keySequence struct {
	last byte
	at   time.Time
}

func (s *keySequence) press(key byte, keys Keys) string {
	pair := string([]byte{s.last, key})
	quick := time.Since(s.at) < doubleKey
	s.last, s.at = key, time.Now()
	if _, ok := keys[pair]; ok && quick {
		s.last = 0
		return pair
	}
	return string(key)
}

// countReader knows how much sound was taken from it.
type countReader struct {
	r io.Reader
	n int
}

func (c *countReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func (c *countReader) duration() time.Duration {
	return time.Duration(c.n/2) * time.Second / audio.Rate
}
