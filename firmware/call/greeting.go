package call

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"hookswitch/firmware/audio"
)

// Exchange's limits for a greeting (MaxGreetingDuration and RecordingIdleTimeout, at their defaults).
const (
	maxGreeting = 5 * time.Minute
	maxSilence  = 5 * time.Second
	menuTries   = 3
)

var (
	errSilence = errors.New("call: silence ends the recording")
	errLength  = errors.New("call: longest recording reached")
)

// greeting is Exchange's play-and-record menu: 1 play, 2 record, 3 keep, 7 delete, * done.
// What was recorded replaces the greeting only when it is kept.
func (t *talk) greeting(ctx context.Context) error {
	current, recorded := t.c.req.Clip, audio.Clip(nil)
	if err := t.sayGreeting(ctx, current); err != nil {
		return err
	}
	for tries := 0; tries < menuTries; tries++ {
		key, err := t.ask(ctx, audio.Prompt(audio.PromptGreetingMenu), answerWait)
		if err != nil {
			return err
		}
		if key != 0 {
			tries = 0
		}
		switch key {
		case '1':
			if recorded != nil {
				err = t.sayGreeting(ctx, recorded)
			} else {
				err = t.sayGreeting(ctx, current)
			}
		case '2':
			recorded, err = t.record(ctx)
		case '3':
			if recorded != nil {
				if err = t.store(ctx, recorded); err == nil {
					current, recorded = recorded, nil
				}
			}
		case '7':
			current, recorded, err = t.drop(ctx, current, recorded)
		case '*', '#':
			return t.say(ctx, audio.Prompt(audio.PromptGoodbye))
		}
		if err != nil {
			return err
		}
	}
	return t.say(ctx, audio.Prompt(audio.PromptGoodbye))
}

// sayGreeting plays the greeting, or says that there is none.
func (t *talk) sayGreeting(ctx context.Context, clip audio.Clip) error {
	if len(clip) == 0 {
		return t.say(ctx, audio.Prompt(audio.PromptNoGreeting))
	}
	key, _, err := t.play(ctx, audio.NewPlayer(clip))
	if key != 0 {
		t.keys <- key
	}
	return err
}

// record takes what the person says after the tone, until a key, silence or the limit.
func (t *talk) record(ctx context.Context) (audio.Clip, error) {
	if err := t.say(ctx, audio.Prompt(audio.PromptTone)); err != nil {
		return nil, err
	}
	rctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rec := &recording{stop: cancel}
	err := t.l.modem.Record(rctx, rec, t.far(cancel))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, stop := range []error{errKey, errSilence, errLength} {
		if errors.Is(err, stop) {
			err = nil
		}
	}
	for len(t.keys) > 0 { // the key that ended it is no choice from the menu
		<-t.keys
	}
	return audio.Trim(rec.clip), err
}

// store replaces the greeting and says so.
func (t *talk) store(ctx context.Context, clip audio.Clip) error {
	if err := t.c.req.Greeting.Keep(clip); err != nil {
		t.l.x.log.Error("greeting not stored", "call", t.c.info.ID, "user", t.c.info.User, "error", err)
		return t.say(ctx, audio.Prompt(audio.PromptFailed))
	}
	t.l.x.log.Info("greeting stored", "call", t.c.info.ID, "user", t.c.info.User, "length", clip.Duration())
	return t.say(ctx, audio.Prompt(audio.PromptSaved))
}

// drop throws away what was recorded and not kept, else the greeting itself, which can't be
// restored: that takes a second press.
func (t *talk) drop(ctx context.Context, current, recorded audio.Clip) (cur, rec audio.Clip, err error) {
	if recorded == nil {
		key, err := t.ask(ctx, audio.Prompt(audio.PromptDeleteAgain), againWait)
		if err != nil || key != '7' {
			if key != 0 {
				t.keys <- key
			}
			return current, nil, err
		}
		if err := t.c.req.Greeting.Delete(); err != nil {
			t.l.x.log.Error("greeting not deleted", "call", t.c.info.ID, "user", t.c.info.User, "error", err)
			return current, nil, t.say(ctx, audio.Prompt(audio.PromptFailed))
		}
		current = nil
	}
	return current, nil, t.say(ctx, audio.Prompt(audio.PromptDeleted))
}

// recording collects samples and notices silence and length.
type recording struct {
	clip  audio.Clip
	odd   []byte // a byte left of a sample split between two writes
	quiet audio.Silence
	stop  context.CancelCauseFunc
}

func (r *recording) Write(p []byte) (int, error) {
	r.odd = append(r.odd, p...)
	whole := len(r.odd) / 2
	start := len(r.clip)
	for i := range whole {
		r.clip = append(r.clip, int16(binary.LittleEndian.Uint16(r.odd[2*i:])))
	}
	r.odd = append(r.odd[:0], r.odd[2*whole:]...)
	if r.quiet.Hear(r.clip[start:]) >= maxSilence {
		r.stop(errSilence)
	}
	if r.clip.Duration() >= maxGreeting {
		r.stop(errLength)
	}
	return len(p), nil
}
