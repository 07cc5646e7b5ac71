package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"hookswitch/firmware/config"
)

// trialLimit is how long a configuration works that nobody confirms.
const trialLimit = 5 * time.Minute

// trial wakes keepTrial.
type trial struct{ changed chan struct{} }

func (t *trial) wake() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// keepTrial rolls a configuration back that nobody has confirmed in time.
func (c *Console) keepTrial(ctx context.Context) {
	var limit <-chan time.Time
	for {
		select {
		case <-c.trial.changed:
			if limit = nil; config.OnTrial(c.cfg.Path) {
				limit = time.After(trialLimit)
			}
		case <-limit:
			c.log.Warn("console: nobody has confirmed the configuration: the one of before is back")
			if err := c.rollBack(ctx); err != nil {
				c.log.Error("console: roll-back", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// rollBack puts the configuration of before the trial in force.
func (c *Console) rollBack(ctx context.Context) error {
	defer c.trial.wake()
	was, err := config.RollBack(c.cfg.Path)
	if err != nil {
		return err
	}
	if !was {
		return errors.New("the configuration is not on trial")
	}
	return c.cfg.Reload(ctx)
}

// try puts text in force, on trial.
func (s *session) try(ctx context.Context, text string) error {
	path := s.c.cfg.Path
	if _, err := config.Parse(path, []byte(text)); err != nil {
		return err
	}
	s.returnAll()
	if err := config.Try(path, []byte(text)); err != nil {
		return fmt.Errorf("%w; nothing has changed", err)
	}
	if err := s.c.cfg.Reload(ctx); err != nil {
		if _, back := config.RollBack(path); back != nil {
			err = errors.Join(err, back)
		}
		return fmt.Errorf("%w; the configuration of before is in force", err)
	}
	s.c.trial.wake()
	s.out.printf("It is in force, on trial: config confirm keeps it. Without that the one of before\n")
	s.out.printf("is back in %v, and after a restart.\n", trialLimit)
	return nil
}

// config shows and changes the configuration.
func (s *session) config(ctx context.Context, args []string) error {
	path := s.c.cfg.Path
	if len(args) != 1 {
		return errUsage("config")
	}
	if path == "" {
		return errors.New("this is the simulated board: it has no configuration file")
	}
	draft := path + ".draft"
	switch args[0] {
	case "show":
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.show(mask(string(text)))
		return nil
	case "edit":
		text, err := s.draft()
		if err != nil {
			return err
		}
		changed, err := s.edit(ctx, text)
		if err != nil {
			return err
		}
		if err := config.Replace(draft, []byte(changed)); err != nil {
			return err
		}
		s.out.printf("Kept as a draft: config check, config apply.\n")
		return nil
	case "check":
		text, err := s.draft()
		if err != nil {
			return err
		}
		_, err = config.Parse(path, []byte(text))
		return err
	case "apply":
		text, err := os.ReadFile(draft)
		if errors.Is(err, os.ErrNotExist) {
			return errors.New("there is no draft: config edit makes one")
		}
		if err != nil {
			return err
		}
		if err := s.try(ctx, string(text)); err != nil {
			return err
		}
		return os.Remove(draft)
	case "confirm":
		if !config.OnTrial(path) {
			return errors.New("the configuration is not on trial")
		}
		defer s.c.trial.wake()
		return config.Confirm(path)
	case "rollback":
		s.returnAll()
		return s.c.rollBack(ctx)
	}
	return errUsage("config")
}

// draft is the configuration that is being edited, or the one in force.
func (s *session) draft() (string, error) {
	text, err := os.ReadFile(s.c.cfg.Path + ".draft")
	if errors.Is(err, os.ErrNotExist) {
		text, err = os.ReadFile(s.c.cfg.Path)
	}
	return string(text), err
}

func (s *session) show(text string) {
	n := 0
	for l := range strings.Lines(text) {
		n++
		s.out.printf("%3d  %s\n", n, strings.TrimRight(l, "\r\n"))
	}
}

const editHelp = `  list             the file
  N TEXT           replaces line N by TEXT
  +N TEXT          puts TEXT after line N; +0 is the beginning
  -N               removes line N
  paste            replaces the whole file; a line with a dot alone ends it
  done             keeps the draft
  cancel           throws it away
`

// edit is a line editor for a file, on a terminal that can't place its cursor.
func (s *session) edit(ctx context.Context, text string) (string, error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	s.show(mask(text))
	s.out.printf("list, N TEXT, +N TEXT, -N, paste, done, cancel; help tells more.\n")
	for {
		said, err := s.readLine(ctx, line{prompt: "edit> ", history: &s.history})
		switch {
		case errors.Is(err, errLong):
			s.out.printf("ERROR %v\n", err)
			continue
		case errors.Is(err, errInterrupted), errors.Is(err, io.EOF):
			return "", errors.New("nothing was changed")
		case err != nil:
			return "", err
		}
		word, rest, _ := strings.Cut(said, " ")
		switch word {
		case "":
		case "help":
			s.out.printf("%s", editHelp)
		case "list":
			s.show(mask(strings.Join(lines, "\n")))
		case "done":
			return strings.Join(lines, "\n") + "\n", nil
		case "cancel":
			return "", errors.New("nothing was changed")
		case "paste":
			pasted, err := s.paste(ctx, ".")
			if err != nil {
				return "", err
			}
			lines = strings.Split(strings.TrimRight(unmask(pasted, lines), "\n"), "\n")
		default:
			if lines, err = change(lines, word, unmask(rest, lines)); err != nil {
				s.out.printf("ERROR %v\n", err)
			}
		}
	}
}

// change does N TEXT, +N TEXT and -N.
func change(lines []string, word, text string) ([]string, error) {
	n, err := strconv.Atoi(strings.TrimLeft(word, "+-"))
	least := 1
	if strings.HasPrefix(word, "+") {
		least = 0
	}
	if err != nil || n < least || n > len(lines) {
		return lines, fmt.Errorf("%.20q is none of list, N TEXT, +N TEXT, -N, paste, done, cancel (1 to %d)", word, len(lines))
	}
	switch word[0] {
	case '+':
		return append(lines[:n:n], append([]string{text}, lines[n:]...)...), nil
	case '-':
		return append(lines[:n-1:n-1], lines[n:]...), nil
	}
	changed := append([]string(nil), lines...)
	changed[n-1] = text
	return changed, nil
}

// paste reads the lines of a configuration up to one that is end.
func (s *session) paste(ctx context.Context, end string) (string, error) {
	return s.pasteUpTo(ctx, end, config.MaxSize)
}

// pasteUpTo reads at most so many bytes of lines up to one that is end. What is too much is
// read to its end all the same: it must not be taken for commands.
func (s *session) pasteUpTo(ctx context.Context, end string, most int) (string, error) {
	s.out.printf("Paste it; %q on a line of its own ends it, ^C gives up.\n", end)
	var text strings.Builder
	for tooMuch := false; ; {
		l, err := s.readLine(ctx, line{paste: true})
		switch {
		case errors.Is(err, errInterrupted), errors.Is(err, io.EOF):
			return "", errors.New("nothing was changed")
		case errors.Is(err, errLong):
			tooMuch = true
		case err != nil:
			return "", err
		case strings.TrimSpace(l) == end && tooMuch:
			return "", fmt.Errorf("that is more than %d kB, or has a line of more than %d; nothing was changed", most>>10, maxPasted>>10)
		case strings.TrimSpace(l) == end:
			return text.String(), nil
		case text.Len()+len(l) > most:
			tooMuch = true
		case !tooMuch:
			text.WriteString(l + "\n")
		}
	}
}

// passwd turns a password that is typed twice into what the configuration keeps of it.
func (s *session) passwd(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return errUsage("passwd")
	}
	var typed [2]string
	for i, prompt := range []string{"New password: ", "Once more: "} {
		text, err := s.readLine(ctx, line{prompt: prompt, secret: true})
		if errors.Is(err, errInterrupted) || errors.Is(err, io.EOF) {
			return errors.New("no password was given")
		}
		if err != nil {
			return err
		}
		typed[i] = text
	}
	if typed[0] != typed[1] {
		return errors.New("the two are not the same")
	}
	hash, err := config.HashPassword(typed[0])
	if err != nil {
		return err
	}
	s.out.printf("password_hash = %q\n", hash)
	return nil
}
