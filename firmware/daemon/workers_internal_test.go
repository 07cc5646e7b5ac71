package daemon

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestFiftyPiecesOfOneUsersWorkKeepNobodyElseWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkers(2)
		var atWork, most atomic.Int32
		piece := func(user string) {
			leave, err := w.enter(t.Context(), user)
			if err != nil {
				t.Error(err)
				return
			}
			defer leave()
			most.Store(max(most.Load(), atWork.Add(1)))
			time.Sleep(time.Second)
			atWork.Add(-1)
		}
		var anna sync.WaitGroup
		for range 50 {
			anna.Go(func() { piece("anna") })
		}
		synctest.Wait()
		began := time.Now()
		piece("bert")
		if took := time.Since(began); took != time.Second {
			t.Errorf("another user's took %v", took)
		}
		anna.Wait()
		if most.Load() != 2 {
			t.Errorf("%d pieces at once, want 2: one of each user", most.Load())
		}
		if len(w.users) != 0 {
			t.Errorf("%d users are still known", len(w.users))
		}
	})
}

func TestWhoGoesAwayWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkers(1)
		leave, err := w.enter(t.Context(), "anna")
		if err != nil {
			t.Fatal(err)
		}
		gone := errors.New("gone")
		for _, user := range []string{"anna", "bert"} { // one waits for anna's turn, one for the slot
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(gone) })
			if _, err := w.enter(ctx, user); !errors.Is(err, gone) {
				t.Errorf("%s: got %v, want %v", user, err, gone)
			}
		}
		leave()
		if leave, err = w.enter(t.Context(), "bert"); err != nil {
			t.Fatal(err)
		}
		leave()
		if len(w.users) != 0 {
			t.Errorf("%d users are still known", len(w.users))
		}
	})
}

func TestFiftyRequestsForANewPINMakeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared
		var done atomic.Int32
		failed := errors.New("the mail server is away")
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				err := s.do(t.Context(), "anna", func() error {
					time.Sleep(10 * time.Second)
					done.Add(1)
					return failed
				})
				if !errors.Is(err, failed) {
					t.Errorf("got %v, want %v", err, failed)
				}
			})
		}
		all.Wait()
		if done.Load() != 1 {
			t.Errorf("it was done %d times", done.Load())
		}
		if err := s.do(t.Context(), "anna", func() error { return nil }); err != nil {
			t.Errorf("the next: %v", err)
		}
	})
}
