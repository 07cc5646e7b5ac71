package call

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrQuota is that of a user who has made as many calls as one may.
var ErrQuota = errors.New("call: too many calls")

// Quota bounds what a stolen password is worth: how many calls one user may make within an
// hour and a day. Zero is no limit. It counts calls that were begun, and forgets them when
// the program restarts.
type Quota struct {
	PerHour        int // calls
	PerDay         int // calls
	NumbersPerHour int // different numbers

	mu    sync.Mutex // guards taken
	taken map[string][]taken
}

// taken is a call that was begun. The clock is the monotonic one: a board's date may jump
// by decades when it learns the time.
type taken struct {
	at     time.Time
	number string
}

const day = 24 * time.Hour

// Check returns the error that Take would, and counts nothing.
func (q *Quota) Check(user, number string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, err := q.roomLocked(time.Now(), user, number)
	return err
}

// Take counts a call of user's, or refuses it with an error that wraps ErrQuota.
func (q *Quota) Take(user, number string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	calls, err := q.roomLocked(now, user, number)
	if err != nil {
		return err
	}
	if q.taken == nil {
		q.taken = map[string][]taken{}
	}
	if q.PerDay > 0 || q.PerHour > 0 || q.NumbersPerHour > 0 {
		q.taken[user] = append(calls, taken{now, number})
	}
	return nil
}

// roomLocked gives the calls of user's that count, or refuses one more.
func (q *Quota) roomLocked(now time.Time, user, number string) (calls []taken, err error) {
	calls = q.taken[user]
	for len(calls) > 0 && now.Sub(calls[0].at) >= day {
		calls = calls[1:]
	}
	hour := calls
	for len(hour) > 0 && now.Sub(hour[0].at) >= time.Hour {
		hour = hour[1:]
	}
	switch {
	case q.PerDay > 0 && len(calls) >= q.PerDay:
		return nil, refused(now, calls[len(calls)-q.PerDay].at.Add(day), "%d calls within a day", q.PerDay)
	case q.PerHour > 0 && len(hour) >= q.PerHour:
		return nil, refused(now, hour[len(hour)-q.PerHour].at.Add(time.Hour), "%d calls within an hour", q.PerHour)
	case q.NumbersPerHour > 0 && different(hour, number) >= q.NumbersPerHour:
		return nil, refused(now, hour[0].at.Add(time.Hour), "%d different numbers within an hour", q.NumbersPerHour)
	}
	if q.PerDay == 0 { // older ones count for nothing
		calls = hour
	}
	return calls, nil
}

func refused(now, next time.Time, format string, n int) error {
	return fmt.Errorf("%w: "+format+"; the next is possible in %v", ErrQuota, n, next.Sub(now).Round(time.Second))
}

// different counts the numbers called, without number itself.
func different(calls []taken, number string) int {
	seen := map[string]bool{}
	for _, c := range calls {
		if c.number == number {
			return 0
		}
		seen[c.number] = true
	}
	return len(seen)
}
