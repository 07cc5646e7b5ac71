package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"time"

	"hookswitch/hal/at"
	"hookswitch/hal/modem/dialect"
)

// slowSound is how long a SIM7600 may refuse +CPCMREG after it has started, and slowSoundAgain
// when it is asked again.
const (
	slowSound      = 12 * time.Second
	slowSoundAgain = 2 * time.Second
)

// soundUnknown is the fault of a module none of whose answers allows for sound.
const soundUnknown = "no way is known to bring this module's sound to a port (%s): use a SIM7600, a Quectel EC25 " +
	"or a voice modem"

// canSpeak reports why a call could not be heard: the audio port can't be opened, the module
// refuses every way to bring its sound there, or has done so in a call and tells nothing else.
func (s *session) canSpeak(ctx context.Context) error {
	if err := s.portOpens(); err != nil {
		return err
	}
	var refusals []string
	why := ""
	for _, test := range s.dialect.Sound {
		got, err := s.testSound(ctx, test)
		switch {
		case err != nil:
			return err
		case got.off:
			return faultf(ErrSound, "no voice: %s (%s)", test.Why, got.refusal)
		case got.refusal == "" && !got.proven:
			return s.unheard
		case got.refusal == "":
			return nil
		}
		refusals, why = append(refusals, got.refusal), s.whyRefused(ctx, test)
		if test.Busy != "" && why == test.BusyWhy {
			return faultf(ErrSound, "no sound: %s (%s)", why, got.refusal)
		}
	}
	switch {
	case len(refusals) == 0:
		return s.unheard
	case len(refusals) == 1:
		return faultf(ErrSound, "no sound: %s (%s)", why, refusals[0])
	}
	return faultf(ErrSound, soundUnknown, strings.Join(refusals, ", "))
}

// portOpens reports why the audio port can't be opened.
func (s *session) portOpens() error {
	if s.probing {
		return nil
	}
	return TrySoundPort(s.cfg.OpenPCM)
}

// TrySoundPort opens a GSM modem's audio port and closes it again. The error is a sentence
// for a person.
func TrySoundPort(open func() (io.ReadWriteCloser, error)) error {
	port, err := open()
	if err != nil {
		return noSoundPort(err)
	}
	_ = port.Close()
	return nil
}

func noSoundPort(err error) error {
	return faultf(ErrSound, "the modem's sound port %s", notOpened(err))
}

// notOpened is why a port can't be opened and what to do, as the end of a sentence.
func notOpened(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		return fmt.Sprintf("is not there: check the modem's cable and power, and the port's name (%v)", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("may not be opened by this user: add the user to the group of the device (%v)", err)
	case errors.Is(err, syscall.EBUSY), errors.Is(err, syscall.EAGAIN):
		return fmt.Sprintf("is in use by another program: stop that, GPS or ModemManager say (%v)", err)
	}
	return fmt.Sprintf("can't be opened: %v: check its cable and power", err)
}

// soundVerdict is what a test has found.
type soundVerdict struct {
	refusal string // what was refused, "" where nothing was
	off     bool   // the module has told that its voice is switched off
	proven  bool   // it has told more than OK, or taken a setting
}

// testSound makes one test.
func (s *session) testSound(ctx context.Context, t dialect.SoundTest) (v soundVerdict, err error) {
	cmd := t.Ask
	if t.Set != "" {
		cmd = t.Set
		s.tell(ctx, t.Undo)
		defer s.tell(ctx, t.Undo)
	}
	name := strings.TrimRight(strings.TrimPrefix(cmd, "AT"), "=?0123456789,")
	info, err := s.ask(ctx, cmd, name+":")
	if errors.Is(err, at.ErrTimeout) && ctx.Err() == nil { // one lost reply proves nothing
		info, err = s.ask(ctx, cmd, name+":")
	}
	var e *at.Error
	switch {
	case errors.As(err, &e):
		return soundVerdict{refusal: cmd + " answered " + e.Result}, nil
	case errors.Is(err, at.ErrGone) || ctx.Err() != nil:
		return v, s.unreachable(err)
	case err != nil && t.Set != "": // nor will it be when somebody's telephone is to ring
		return soundVerdict{refusal: cmd + " was not answered"}, nil
	case err != nil: // not told
		return v, nil
	}
	if t.Set != "" {
		v.proven = true
		cmd = "AT" + name + "?"
		info, _ = s.ask(ctx, cmd, name+":")
	}
	for _, line := range info {
		value, marked := strings.CutPrefix(line, name+":")
		value = strings.TrimSpace(value)
		v.proven = v.proven || marked
		switch {
		case t.No != "" && strings.HasPrefix(value, t.No):
			return soundVerdict{refusal: cmd + " answered " + line, off: true}, nil
		case t.Set != "" && strings.HasPrefix(value, "0,"): // one field alone is an unsolicited line
			return soundVerdict{refusal: cmd + " answered " + line + " after " + t.Set}, nil
		}
	}
	return v, nil
}

// whyRefused is why a module has refused a test.
func (s *session) whyRefused(ctx context.Context, t dialect.SoundTest) string {
	if t.Busy == "" {
		return t.Why
	}
	info, _ := s.ask(ctx, t.Busy, strings.TrimPrefix(t.Busy[:strings.Index(t.Busy, "=")], "AT")+":")
	if slices.ContainsFunc(info, func(line string) bool { return strings.Contains(strings.ToUpper(line), t.BusyIf) }) {
		return t.BusyWhy
	}
	return t.Why
}

// prepareGSM makes sure, before a telephone rings, that the call will be heard.
func (o *operation) prepareGSM() (err error) {
	if o.call.pcm, err = openPCM(o.s.cfg.OpenPCM, o.call.hear); err != nil {
		o.s.doubtSound()
		return err
	}
	for _, cmd := range o.s.dialect.Before {
		switch err := o.command(cmd); {
		case err == nil:
			o.call.audio = true
		case errors.Is(err, ErrTimeout):
			o.s.doubtSound()
			return faultf(ErrSound, "no sound: the module does not answer %s: switch it off for 5 s", cmd)
		case !errors.Is(err, ErrRefused):
			return err
		case !o.s.dialect.Guess:
			o.s.doubtSound()
			return o.s.soundRefused(o.ctx, cmd, err)
		}
	}
	return nil
}

// doubtSound makes the keeper look into a module's sound again, which it has found before.
func (s *session) doubtSound() {
	s.sound = false
	s.wake()
}

// soundRefused is the fault of a module that refuses cmd.
func (s *session) soundRefused(ctx context.Context, cmd string, err error) error {
	why := "the module refuses to bring its sound to the port"
	for _, t := range s.dialect.Sound {
		if cmd != "" && t.Set == cmd {
			why = s.whyRefused(ctx, t)
		}
	}
	return faultf(ErrSound, "no sound: %s (%s)", why, strings.TrimPrefix(err.Error(), refusedCommand))
}

// switchAudio brings a GSM call's sound to the audio port. A SIM7600 whose sound is in a
// wrong state after an earlier call refuses at first: off and on again mostly helps this
// call, only a restart of the module helps the next.
func (o *operation) switchAudio() error {
	prepared := o.call.audio // by a command before the call
	o.call.audio = true
	err := o.switchOn()
	if errors.Is(err, ErrTimeout) {
		none := faultf(ErrSound, "no sound: the module does not answer %s: switch it off for 5 s",
			strings.Join(o.s.dialect.On, ", "))
		return fmt.Errorf("%w: %w", none, err)
	}
	if !errors.Is(err, ErrRefused) {
		return err
	}
	if prepared {
		return nil
	}
	o.s.mu.Lock()
	o.s.restart = true
	o.s.mu.Unlock()
	for _, off := range o.s.dialect.Off {
		if err := o.command(off); err != nil && !errors.Is(err, ErrRefused) {
			return err
		}
	}
	if err = o.switchOn(); !errors.Is(err, ErrRefused) {
		return err
	}
	err = o.s.soundRefused(o.ctx, "", err)
	if o.s.dialect.Reset == "" { // nothing is known to cure it
		o.s.unheard = err
	}
	o.s.doubtSound()
	return err
}

// switchOn sends the dialect's commands; where they are guesses, one must be accepted.
func (o *operation) switchOn() (err error) {
	for _, cmd := range o.s.dialect.On {
		if err = o.command(cmd); (err == nil) == o.s.dialect.Guess || err != nil && !errors.Is(err, ErrRefused) {
			return err
		}
	}
	return err
}

// silenceLimit is how many calls in a row may have no sound before the line rings nobody.
const silenceLimit = 2

// noteSound counts answered calls that had no sound, and takes the line out of service after
// two in a row.
func (m *Modem) noteSound(err error, heard time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !errors.Is(err, ErrSound) {
		m.spoke = m.spoke || heard >= time.Second
		return
	}
	m.spoke = false
	if m.mute++; m.mute < silenceLimit {
		return
	}
	m.silenced = faultf(ErrSound, "out of service: %d calls in a row were answered and had no sound; "+
		"mend it, then test the line on the console, or start the daemon anew (%v)", m.mute, err)
	m.setFaultLocked(m.silenced)
}

// newSound begins the count anew after a call that was heard.
func (m *Modem) newSound() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spoke {
		m.mute, m.spoke = 0, false
	}
}
