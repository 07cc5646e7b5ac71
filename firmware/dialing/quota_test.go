package dialing_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/dialing"
)

func take(t *testing.T, q *dialing.Quota, user, number string, want error) {
	t.Helper()
	if _, err := q.Take(user, number, false); !errors.Is(err, want) {
		t.Errorf("Take(%s, %s) = %v, want %v", user, number, err, want)
	}
}

func TestQuotaOfAnHourSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{PerHour: 3}
		for range 3 {
			take(t, q, "anna", "5550100", nil)
			time.Sleep(10 * time.Minute)
		}
		take(t, q, "anna", "5550100", dialing.ErrQuota)
		take(t, q, "bert", "5550100", nil)
		_, err := q.Take("anna", "5550100", false)
		if want := "30m0s"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Take = %v, want it to say %s", err, want)
		}
		time.Sleep(30*time.Minute - time.Second)
		take(t, q, "anna", "5550100", dialing.ErrQuota)
		time.Sleep(time.Second)
		take(t, q, "anna", "5550100", nil)
		take(t, q, "anna", "5550100", dialing.ErrQuota)
	})
}

func TestQuotaOfADayCountsWhatTheHourHasForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{PerHour: 2, PerDay: 5}
		for range 5 {
			take(t, q, "anna", "5550100", nil)
			time.Sleep(time.Hour)
		}
		take(t, q, "anna", "5550100", dialing.ErrQuota)
		time.Sleep(19*time.Hour - time.Second)
		take(t, q, "anna", "5550100", dialing.ErrQuota)
		time.Sleep(time.Second)
		take(t, q, "anna", "5550100", nil)
		take(t, q, "anna", "5550100", dialing.ErrQuota)
	})
}

func TestQuotaOfDifferentNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{NumbersPerHour: 2}
		take(t, q, "anna", "5550100", nil)
		take(t, q, "anna", "5550101", nil)
		take(t, q, "anna", "5550102", dialing.ErrQuota)
		take(t, q, "anna", "5550101", nil)
		time.Sleep(time.Hour)
		take(t, q, "anna", "5550102", nil)
	})
}

func TestARefusedCallCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{PerHour: 1}
		take(t, q, "anna", "5550100", nil)
		for range 100 {
			time.Sleep(30 * time.Second)
			take(t, q, "anna", "5550100", dialing.ErrQuota)
		}
		time.Sleep(10 * time.Minute)
		take(t, q, "anna", "5550100", nil)
	})
}

func TestTheZeroQuotaIsNoLimit(t *testing.T) {
	q := &dialing.Quota{}
	for n := range 1000 {
		take(t, q, "anna", fmt.Sprint(n), nil)
	}
}

func TestTheBoardsCallsOfADayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{BoardPerDay: 5}
		for n := range 5 {
			take(t, q, fmt.Sprint("user", n), "5550100", nil)
			time.Sleep(time.Hour)
		}
		take(t, q, "another", "5550100", dialing.ErrQuota)
		if err := q.Check("another", "5550100", false); !errors.Is(err, dialing.ErrQuota) || !strings.Contains(err.Error(), "board_calls_per_day = 5") {
			t.Errorf("Check = %v, want it to name the bound", err)
		}
		time.Sleep(19 * time.Hour)
		take(t, q, "another", "5550100", nil)
		take(t, q, "another", "5550100", dialing.ErrQuota)
	})
}

func TestACallCountsForAsLongAsItMayLastUntilItHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{BoardTime: 25 * time.Minute, LongestOfCall: 10 * time.Minute}
		first, err := q.Take("anna", "5550100", false)
		if err != nil {
			t.Fatal(err)
		}
		take(t, q, "bert", "5550101", nil)
		take(t, q, "carl", "5550102", dialing.ErrQuota) // both could still last for ten minutes
		first.End(90 * time.Second)
		take(t, q, "carl", "5550102", nil)
		take(t, q, "dora", "5550103", dialing.ErrQuota)
	})
}

func TestCallsAbroadHaveABoundOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{BoardTime: 100 * time.Minute, AbroadTime: 15 * time.Minute, LongestOfCall: 10 * time.Minute}
		if _, err := q.Take("anna", "+442079460000", true); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Take("anna", "+442079460000", true); !errors.Is(err, dialing.ErrQuota) {
			t.Errorf("a second call abroad: %v, want ErrQuota", err)
		}
		take(t, q, "anna", "5550100", nil)
	})
}

func TestABoundThatIsNearIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &dialing.Quota{BoardPerDay: 10}
		near := func() bool { return slices.ContainsFunc(q.Uses(), dialing.Use.Near) }
		for n := range 10 {
			if got, want := near(), n >= 8; got != want {
				t.Errorf("after %d of 10 calls: near %t, want %t", n, got, want)
			}
			take(t, q, "anna", fmt.Sprint(n), nil)
		}
		time.Sleep(24 * time.Hour)
		if near() {
			t.Error("near a day later")
		}
	})
}

func TestCallsAtTheSameTimeDoNotExceedABoundTogether(t *testing.T) {
	q := &dialing.Quota{BoardPerDay: 50, BoardTime: 300 * time.Minute, LongestOfCall: 10 * time.Minute}
	var admitted atomic.Int64
	var users sync.WaitGroup
	for n := range 20 {
		users.Go(func() {
			for range 20 {
				if s, err := q.Take(fmt.Sprint(n), "5550100", false); err == nil {
					admitted.Add(1)
					defer s.End(10 * time.Minute)
				}
				q.Uses()
			}
		})
	}
	users.Wait()
	if n := admitted.Load(); n != 30 {
		t.Errorf("%d calls of ten minutes within 300, want 30", n)
	}
}
