package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/hal/modem"
	"hookswitch/hal/rpi"
)

// lend takes a line out of service for this technician; one that they have already stays theirs.
func (s *session) lend(name string) (lent *call.Lent, done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lent := s.held[name]; lent != nil {
		return lent, func() {}, nil
	}
	lent, err = s.c.cfg.Board().Calls.Lend(name)
	if err != nil {
		return nil, nil, err
	}
	return lent, lent.Return, nil
}

// holdLimit is how long a line stays off-hook that nobody puts on-hook.
const holdLimit = 5 * time.Minute

// hook puts a line off-hook, or on-hook again.
func (s *session) hook(ctx context.Context, args []string) error {
	args = s.theLine(args, 2)
	if len(args) != 2 || !slices.Contains([]string{"on", "off", "flash"}, args[1]) {
		return errUsage("hook")
	}
	name := args[0]
	if args[1] == "flash" {
		return s.flash(ctx, name)
	}
	if args[1] == "on" {
		if !s.giveBack(name) {
			return fmt.Errorf("you have not put %s off-hook", name)
		}
		s.out.printf("%s is on-hook and in service.\n", name)
		return nil
	}
	lent, done, err := s.lend(name)
	if err != nil {
		return err
	}
	if err := lent.OffHook(ctx); err != nil {
		done()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[name] == nil {
		s.held[name] = lent
		s.free[name] = time.AfterFunc(holdLimit, func() { s.giveBack(name) })
	}
	s.out.printf("%s is off-hook, for %v at most; its modem is not: at %s.\n", name, holdLimit, name)
	return nil
}

// flash gives the exchange the signal for a transfer.
func (s *session) flash(ctx context.Context, name string) error {
	s.mu.Lock()
	lent := s.held[name]
	s.mu.Unlock()
	if lent == nil {
		return fmt.Errorf("%s is not off-hook: hook %s off", name, name)
	}
	lines := s.c.cfg.Board().Config.Lines
	i := slices.IndexFunc(lines, func(l config.Line) bool { return l.Name == name })
	if i < 0 {
		return fmt.Errorf("there is no line %s any more", name)
	}
	return lent.Flash(ctx, lines[i].Country)
}

// giveBack puts a line on-hook that this technician has off-hook.
func (s *session) giveBack(name string) bool {
	s.mu.Lock()
	lent, timer := s.held[name], s.free[name]
	delete(s.held, name)
	delete(s.free, name)
	s.mu.Unlock()
	if lent == nil {
		return false
	}
	timer.Stop()
	lent.Return()
	return true
}

func (s *session) returnAll() {
	s.mu.Lock()
	var names []string
	for name := range s.held {
		names = append(names, name)
	}
	s.mu.Unlock()
	for _, name := range names {
		s.giveBack(name)
	}
}

// testLines tests a line, or each in turn.
func (s *session) testLines(ctx context.Context, args []string) error {
	if len(args) == 0 || len(args) > 2 || args[0] != "test" {
		return errUsage("line")
	}
	lines := s.c.cfg.Board().Config.Lines
	if len(args) == 2 {
		lines = slices.DeleteFunc(slices.Clone(lines), func(l config.Line) bool { return l.Name != args[1] })
	}
	if len(lines) == 0 {
		return errors.New("there is no such line; lines lists them")
	}
	wrong := 0
	for _, l := range lines {
		s.out.printf("%s:\n", l.Name)
		if err := s.testLine(ctx, l, &wrong); err != nil {
			s.out.printf("  %v\n", err)
			wrong++
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d findings", wrong)
	}
	return nil
}

func (s *session) testLine(ctx context.Context, l config.Line, wrong *int) error {
	lent, done, err := s.lend(l.Name)
	if err != nil {
		return err
	}
	defer done()
	return lent.Test(ctx, audio.PlanOf(l.Country), func(f call.Finding) {
		verdict := "ok"
		if !f.OK {
			verdict = "WRONG"
			*wrong++
		}
		s.out.printf("  %-6s%-22s%s\n", verdict, f.What, f.Says)
	})
}

// dial plays a message to a telephone and shows what becomes of it; ^C hangs up.
func (s *session) dial(ctx context.Context, args []string) error {
	if len(args) == 0 || len(args) > 2 {
		return errUsage("dial")
	}
	b := s.c.cfg.Board()
	var info call.Info
	var err error
	if len(args) == 2 {
		info, err = b.Play(ctx, s.user, args[1], args[0])
	} else {
		info, err = b.Calls.Start(call.Request{User: s.user, Dial: args[0], Item: "test message", Clip: audio.Prompt(audio.PromptMessage)})
	}
	if err != nil {
		return err
	}
	s.out.printf("%s\n", info.ID)
	shown := call.Info{}
	for {
		changed := b.Calls.Changed()
		if info, err = b.Calls.Call(info.ID); err != nil {
			return err
		}
		if info.State != shown.State || info.Line != shown.Line {
			s.out.printf("%s\n", strings.TrimSpace(fmt.Sprintf("%s line %s %s", info.State, info.Line, info.Answer)))
			shown = info
		}
		if info.State == call.Disconnected || info.Unconfirmed {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if err := b.Calls.Disconnect(context.WithoutCancel(ctx), info.ID); err != nil {
				return err
			}
		}
	}
	if info.Unconfirmed || info.Cause != call.None || info.Answered.IsZero() {
		return errors.New(info.Reason)
	}
	s.out.printf("%s\n", info.Reason)
	return nil
}

// hangUp ends a call, those on a line, or all.
func (s *session) hangUp(ctx context.Context, args []string) error {
	if len(args) > 1 {
		return errUsage("hangup")
	}
	which := append(args, "all")[0]
	b := s.c.cfg.Board()
	ended := 0
	var errs []error
	for _, c := range b.Calls.Calls() {
		if c.State == call.Disconnected || which != "all" && which != c.Line && which != c.ID {
			continue
		}
		ended++
		if err := b.Calls.Disconnect(ctx, c.ID); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Line, err))
		}
	}
	if ended == 0 && which != "all" {
		return errors.New("there is no such call; calls lists them")
	}
	s.out.printf("%d ended\n", ended)
	return errors.Join(errs...)
}

func portNames(*session) []string { return rpi.Ports() }

// probe tells what is on a port, or on each that no line uses.
func (s *session) probe(ctx context.Context, args []string) error {
	used := map[string]string{}
	for _, l := range s.c.cfg.Board().Config.Lines {
		for _, port := range []string{l.Port, l.PCM} {
			if device, err := filepath.EvalSymlinks(port); err == nil {
				used[device] = l.Name
			}
		}
	}
	ports := rpi.Ports()
	if len(args) > 1 {
		return errUsage("probe")
	} else if len(args) == 1 {
		ports = args
	}
	if len(ports) == 0 {
		return errors.New("there is no serial port: plug the modem in")
	}
	for _, port := range ports {
		s.out.printf("%s\n", port)
		device, _ := filepath.EvalSymlinks(port)
		if name := used[device]; name != "" {
			s.out.printf("  line %s uses it: at %s speaks with it\n", name, name)
			continue
		}
		text, err := probePort(ctx, port)
		for l := range strings.Lines(text) {
			s.out.printf("  %s\n", strings.TrimSpace(l))
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && len(args) == 1:
			return err
		case err != nil:
			s.out.printf("  %v\n", err)
		}
	}
	return nil
}

func probePort(ctx context.Context, path string) (string, error) {
	port, err := rpi.OpenSerial(path, ttyBaud)
	if err != nil {
		return "", err
	}
	report, err := modem.Probe(ctx, port)
	if err != nil {
		return "", err
	}
	return report.String(), nil
}

const (
	leaveAT = 0x1d // ^]
)

// at joins the technician to a line's modem, byte for byte, until ^], or ~. at the beginning
// of a line. Then the modem is hung up and set up anew.
func (s *session) at(ctx context.Context, args []string) error {
	args = s.theLine(args, 1)
	if len(args) != 1 {
		return errUsage("at")
	}
	lent, done, err := s.lend(args[0])
	if err != nil {
		return err
	}
	defer done()
	port, err := lent.Port(ctx)
	if err != nil {
		return err
	}
	var listening sync.WaitGroup
	listening.Go(func() { _, _ = io.Copy(&escaper{s.out}, port) })
	defer listening.Wait()
	defer port.Close()
	s.out.printf("You speak with the modem of %s; ^], or ~. at the beginning of a line, ends it.\n", args[0])
	defer s.out.printf("\n%s is hung up and set up anew.\n", args[0])
	return s.talk(ctx, port)
}

// talk sends what is typed, and shows it: the modem's echo is off.
func (s *session) talk(ctx context.Context, port io.Writer) error {
	typed := ""
	for {
		b, err := s.nextByte(ctx)
		if err != nil {
			return err
		}
		if b == '\n' && s.cr {
			s.cr = false
			continue
		}
		s.cr = b == '\r'
		shown := []byte{b}
		switch {
		case b == leaveAT, b == '.' && typed == "~":
			return nil
		case b == '\r' || b == '\n':
			b, typed, shown = '\r', "", []byte("\r\n")
		case b == ctrlH || b == del:
			b, shown = '\b', []byte("\b \b")
			if typed == "" {
				shown = nil
			}
			typed = typed[:max(0, len(typed)-1)]
		case b >= ' ' && b < del:
			if len(typed) < maxLine {
				typed += string(rune(b))
			}
		default:
			shown = nil
		}
		_, _ = s.out.Write(shown)
		if strings.HasPrefix(typed, "~") { // it may become ~.
			continue
		}
		if _, err := port.Write([]byte{b}); err != nil {
			return fmt.Errorf("the modem is gone: %w", err)
		}
	}
}

// escaper shows what a modem sends on a terminal: what is not text as \x1b.
type escaper struct{ w io.Writer }

func (e *escaper) Write(b []byte) (int, error) {
	var text bytes.Buffer
	for _, c := range b {
		if c >= ' ' && c < del || c == '\r' || c == '\n' {
			text.WriteByte(c)
		} else {
			fmt.Fprintf(&text, `\x%02x`, c)
		}
	}
	if _, err := e.w.Write(text.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}
