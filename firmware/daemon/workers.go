package daemon

import (
	"context"
	"errors"
	"sync"
)

// workers bounds work that takes the processor, memory or the network for long: so much of
// it at once, and for each user one piece after the other, so that a user who asks for
// fifty keeps nobody else waiting.
type workers struct {
	slots chan struct{}

	mu    sync.Mutex // guards users
	users map[string]*userTurn
}

// userTurn is held by the one piece of a user's work that is being done.
type userTurn struct {
	held chan struct{}
	want int // pieces that hold it or wait
}

func newWorkers(n int) *workers {
	return &workers{slots: make(chan struct{}, n), users: map[string]*userTurn{}}
}

// enter waits until a piece of user's work may begin; leave ends it. The error is ctx's cause:
// who asked has gone.
func (w *workers) enter(ctx context.Context, user string) (leave func(), err error) {
	w.mu.Lock()
	turn := w.users[user]
	if turn == nil {
		turn = &userTurn{held: make(chan struct{}, 1)}
		w.users[user] = turn
	}
	turn.want++
	w.mu.Unlock()
	forget := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if turn.want--; turn.want == 0 {
			delete(w.users, user)
		}
	}
	select {
	case turn.held <- struct{}{}:
	case <-ctx.Done():
		forget()
		return nil, context.Cause(ctx)
	}
	select {
	case w.slots <- struct{}{}:
		return func() { <-w.slots; <-turn.held; forget() }, nil
	case <-ctx.Done():
		<-turn.held
		forget()
		return nil, context.Cause(ctx)
	}
}

// shared is work of a user's that is done once for all who ask for it meanwhile.
type shared struct {
	mu   sync.Mutex // guards runs
	runs map[string]*sharedRun
}

type sharedRun struct {
	done chan struct{}
	err  error // once done is closed
}

// errUnfinished is what those who share work are told where it ended in a panic.
var errUnfinished = errors.New("daemon: the work that was waited for was not done")

// do runs work, or waits for that of the same user which is under way, and returns its error.
func (s *shared) do(ctx context.Context, user string, work func() error) error {
	s.mu.Lock()
	run := s.runs[user]
	if run != nil {
		s.mu.Unlock()
		select {
		case <-run.done:
			return run.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	run = &sharedRun{done: make(chan struct{}), err: errUnfinished}
	if s.runs == nil {
		s.runs = map[string]*sharedRun{}
	}
	s.runs[user] = run
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.runs, user)
		s.mu.Unlock()
		close(run.done)
	}()
	run.err = work()
	return run.err
}
