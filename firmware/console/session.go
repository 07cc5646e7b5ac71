package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/sentence"
	"hookswitch/hal"
)

const (
	// idleLimit is when a technician who has gone is logged out.
	idleLimit = 15 * time.Minute
	columns   = 80
)

var (
	errIdle   = errors.New("console: nobody types")
	errLogout = errors.New("console: logged out")
)

// session is one port, from the moment it is there to the moment it is gone.
type session struct {
	c       *Console
	keys    *keyboard
	out     *printer
	columns int
	editor  *editor // of the line that is being typed
	cr      bool    // the last key was CR: an LF now belongs to it
	history history

	user string                // "" is logged out
	held map[string]*call.Lent // lines that this technician has off-hook
	free map[string]*time.Timer
	mu   sync.Mutex // guards held and free: a timer puts a line back
}

// Serve serves a technician at port until the port is gone or ctx ends, and closes it. All
// lines that the technician had are on-hook when it returns. The error is that of the port.
func (c *Console) Serve(ctx context.Context, port io.ReadWriteCloser) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{
		c: c, keys: newKeyboard(), out: &printer{w: port}, columns: columns,
		held: map[string]*call.Lent{}, free: map[string]*time.Timer{},
	}
	var reader sync.WaitGroup
	reader.Go(func() { s.keys.read(port) })
	defer reader.Wait()
	defer port.Close()
	defer close(s.keys.stop)
	defer s.returnAll()
	for {
		err := s.once(ctx)
		s.returnAll()
		if s.user != "" {
			c.log.Info("console: logged out", "user", s.user)
			s.user = ""
		}
		s.history = history{}
		switch {
		case ctx.Err() != nil:
			s.out.printf("\nThe board is stopping.\n")
			return nil
		case errors.Is(err, errLogout), errors.Is(err, errIdle):
			s.out.printf("Good-bye.\n\n")
		case err != nil:
			return err
		}
		if err := s.out.failed(); err != nil {
			return err
		}
	}
}

// once is one technician, from login to logout.
func (s *session) once(ctx context.Context) error {
	if err := s.login(ctx); err != nil {
		return err
	}
	s.out.printf("%s. Type help for what can be done.\n", s.c.cfg.Version)
	for _, fault := range s.c.faults() {
		s.out.printf("! %s\n", fault)
	}
	for {
		for len(s.c.news) > 0 {
			s.out.printf("! %s\n", <-s.c.news)
		}
		text, err := s.readLine(ctx, line{prompt: s.c.cfg.Board().Host + "> ", history: &s.history, complete: s.complete})
		switch {
		case errors.Is(err, errInterrupted):
			continue
		case errors.Is(err, errLong):
			s.reply(err)
			continue
		case errors.Is(err, io.EOF):
			return errLogout
		case err != nil:
			return err
		}
		if err := s.execute(ctx, text); err != nil {
			return err
		}
	}
}

// execute runs a command line and replies. The error ends the session.
func (s *session) execute(ctx context.Context, text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == words[0] })
	if i < 0 {
		s.reply(fmt.Errorf("there is no command %.40q; help lists them", words[0]))
		return nil
	}
	cmd := commands[i]
	s.c.log.Info("console", "user", s.user, "command", fmt.Sprintf("%.200s", strings.Join(words, " ")))
	err := s.runCommand(ctx, cmd, words[1:])
	switch {
	case errors.Is(err, errLogout), errors.Is(err, errGone), errors.Is(err, errIdle):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	s.reply(err)
	return s.out.failed()
}

// runCommand runs a command; ^C interrupts one that does not read the keyboard itself.
func (s *session) runCommand(ctx context.Context, cmd command, args []string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.c.log.Error("console: panic", "command", cmd.name, "panic", p)
			err = fmt.Errorf("internal error: %v", p)
		}
	}()
	if cmd.types {
		return cmd.run(s, ctx, args)
	}
	ctx, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { s.keys.watch(stop, interrupt) })
	err = cmd.run(s, ctx, args)
	close(stop)
	watching.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, errGone) {
		return cause
	}
	return err
}

// reply ends the answer to a command.
func (s *session) reply(err error) {
	if err == nil {
		s.out.printf("OK\n")
		return
	}
	lines := strings.Split(sentence.Of(err), "\n")
	for _, l := range lines[:len(lines)-1] {
		s.out.printf("%s\n", l)
	}
	s.out.printf("ERROR %s\n", lines[len(lines)-1])
}

// nextByte waits for a key.
func (s *session) nextByte(ctx context.Context) (byte, error) {
	if len(s.keys.buf) == 0 {
		idle := time.NewTimer(idleLimit)
		defer idle.Stop()
		select {
		case b, ok := <-s.keys.chunks:
			if !ok {
				return 0, s.keys.gone()
			}
			s.keys.buf = b
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-idle.C:
			return 0, errIdle
		}
	}
	b := s.keys.buf[0]
	s.keys.buf = s.keys.buf[1:]
	return b, nil
}

// door keeps those out who guess.
type door struct {
	mu     sync.Mutex
	failed int
}

const (
	freeGuesses = 3
	longestWait = time.Minute
)

// wait is how long the next attempt has to wait.
func (d *door) wait() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed < freeGuesses {
		return 0
	}
	return min(longestWait, time.Second<<min(d.failed-freeGuesses, 10))
}

func (d *door) tried(ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed++; ok {
		d.failed = 0
	}
}

// login returns when somebody has shown to be an administrator. A board that has no users,
// the simulated one, asks nobody.
func (s *session) login(ctx context.Context) error {
	for {
		board := s.c.cfg.Board()
		users := board.Config.Users
		if len(users) == 0 {
			s.user = "local"
			return nil
		}
		name, err := s.readLine(ctx, line{prompt: board.Host + " login: "})
		if err == nil && strings.TrimSpace(name) == "" || errors.Is(err, errInterrupted) || errors.Is(err, io.EOF) || errors.Is(err, errLong) || errors.Is(err, errIdle) {
			continue
		}
		if err != nil {
			return err
		}
		password, err := s.readLine(ctx, line{prompt: "Password: ", secret: true})
		if errors.Is(err, errInterrupted) || errors.Is(err, io.EOF) || errors.Is(err, errLong) || errors.Is(err, errIdle) {
			continue
		}
		if err != nil {
			return err
		}
		if err := hal.Sleep(ctx, s.c.door.wait()); err != nil {
			return err
		}
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(users, func(u config.User) bool { return u.Name == name && u.Admin })
		hash := ""
		if i >= 0 {
			hash = users[i].PasswordHash
		}
		ok := config.CheckPassword(hash, password)
		s.c.door.tried(ok)
		if ok {
			s.user = name
			s.c.log.Info("console: logged in", "user", name)
			return nil
		}
		s.c.log.Warn("console: login refused")
		s.out.printf("ERROR wrong name or password, or no administrator\n")
	}
}

// printer writes for a terminal: LF becomes CR LF, what is not printable a question mark.
// The first error stays.
type printer struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, fmt.Sprintf(format, args...))
	_, _ = p.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
}

// Write writes b as it is.
func (p *printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.w.Write(b)
	p.err = err
	return n, err
}

func (p *printer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// printColumns prints words in columns.
func (s *session) printColumns(words []string) {
	width := 2
	for _, w := range words {
		width = max(width, len(w)+2)
	}
	perLine := max(1, s.columns/width)
	for row := range slices.Chunk(words, perLine) {
		text := ""
		for _, w := range row {
			text += fmt.Sprintf("%-*s", width, w)
		}
		s.out.printf("%s\n", strings.TrimRight(text, " "))
	}
}

// table prints rows under a head.
func (s *session) table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		text := ""
		for i, cell := range row {
			text += cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+2)
		}
		s.out.printf("%s\n", strings.TrimRight(text, " "))
	}
}
