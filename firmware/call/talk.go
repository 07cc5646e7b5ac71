package call

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/keypad"
	"hookswitch/hal/modem"
)

// Reasons to interrupt what is played.
var (
	errKey     = errors.New("call: a key was pressed")
	errUnheard = errors.New("call: nobody pressed 1 to hear the message")
	errTone    = fmt.Errorf("%w: its exchange gives a tone", modem.ErrHungUp)
)

const (
	skip       = 5 * time.Second // one step back or forward
	doubleKey  = time.Second     // for keys of two digits
	answerWait = 5 * time.Second // for a key after a prompt
	againWait  = 3 * time.Second // for the second press that deletes
	pressTries = 3
)

// talk is the conversation with the person who answered: a message to hear, or a greeting
// to record.
type talk struct {
	l       *line
	c       *active
	keys    chan byte // pressed and not yet looked at
	presses presses

	item   string       // of the message that plays
	remove func() error // marks it deleted; nil where it can't be

	tones func([]int16) modem.Progress // hears the far end hang up; nil where the modem tells that
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
		select {
		case t.keys <- digit:
		default: // a child plays with the keys: 32 are enough
		}
		cancel(errKey)
	}
	return modem.Far{
		Key: func(digit byte) {
			if t.presses.take(digit, byModem) {
				press(digit)
			}
		},
		Hear: func(samples []int16) {
			for _, digit := range t.presses.listen(samples) {
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
	sent := &sentReader{r: pcm, echo: &t.presses.echo}
	heard, err := t.l.modem.Play(pctx, sent, t.far(cancel))
	lag = max(0, sent.duration()-heard)
	if errors.Is(err, errKey) && ctx.Err() == nil {
		return <-t.keys, lag, nil
	}
	return 0, lag, err
}

// ask plays a prompt and waits for a key, 0 if none comes.
func (t *talk) ask(ctx context.Context, prompt audio.Clip, wait time.Duration) (byte, error) {
	key, _, err := t.play(ctx, io.MultiReader(audio.NewPlayer(prompt), audio.NewPlayer(silence(wait))))
	return key, err
}

// silence is played where we wait: a modem that plays also tells of keys and hang-ups.
func silence(d time.Duration) audio.Clip { return make(audio.Clip, int(d*audio.Rate/time.Second)) }

// pressOne asks until 1 is pressed: on a line without answer supervision "answered" may be
// an answering machine, or nobody.
func (t *talk) pressOne(ctx context.Context) error {
	for range pressTries {
		key, err := t.ask(ctx, audio.Prompt(audio.PromptPressOne), answerWait)
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
		if err := t.say(ctx, help(t.l.x.opt.Keys, audio.PromptKeys)); err != nil {
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
			if key, err = t.ask(ctx, help(t.l.x.opt.Keys, audio.PromptMenu), answerWait); err != nil || key == 0 {
				return err
			}
			player.Seek(-player.Position()) // back from the end is the message again
		}
		touched = true
		a := keys.press(key, t.l.x.opt.Keys)
		if a == keypad.Delete && t.remove != nil {
			if a, err = t.again(ctx, &keys); err != nil {
				return err
			}
		}
		done, err := t.act(ctx, player, a)
		if err != nil || done {
			return err
		}
	}
}

// act does what a key means; done says that the call is over.
func (t *talk) act(ctx context.Context, player *audio.Player, a keypad.Action) (done bool, err error) {
	if a != keypad.Pause {
		player.Resume()
	}
	switch a {
	case keypad.Back:
		player.Seek(-skip)
	case keypad.On:
		player.Seek(skip)
	case keypad.ToEnd:
		player.ToEnd()
	case keypad.Pause:
		if player.Paused() {
			player.Resume()
		} else {
			player.Pause()
		}
	case keypad.Slower:
		player.Slower()
	case keypad.Faster:
		player.Faster()
	case keypad.Next:
		return t.nextMessage(player)
	case keypad.Delete:
		return t.delete(ctx)
	case keypad.Menu:
		return false, t.say(ctx, help(t.l.x.opt.Keys, audio.PromptMenu))
	case keypad.Help:
		return false, t.say(ctx, help(t.l.x.opt.Keys, audio.PromptKeys))
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

// again asks for a second press of the key that deletes, which somebody may have touched by
// mistake. It returns Delete, or the action of another key, "" where none came.
func (t *talk) again(ctx context.Context, keys *keySequence) (keypad.Action, error) {
	prompt := audio.Prompt(audio.PromptDeleteAgain)
	for {
		key, err := t.ask(ctx, prompt, againWait)
		if err != nil || key == 0 {
			return "", err
		}
		if a := keys.press(key, t.l.x.opt.Keys); a != "" {
			return a, nil
		}
		prompt = nil // it may have been the first digit of a key of two
	}
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

// keySequence turns presses into keys of one or two digits, and those into actions.
type keySequence struct {
	last byte
	at   time.Time
}

// press is what a press of key does, "" for nothing.
func (s *keySequence) press(key byte, keys keypad.Keys) keypad.Action {
	pair := [2]byte{s.last, key}
	quick := time.Since(s.at) < doubleKey
	s.last, s.at = key, time.Now()
	if a, ok := keys[string(pair[:])]; ok && quick {
		s.last = 0
		return a
	}
	return keys[string(key)]
}
