package call

import (
	"errors"
	"fmt"
	"slices"
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

// Take counts a call of user's, or refuses it with an error that wraps ErrQuota.
func (q *Quota) Take(user, number string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	calls := slices.DeleteFunc(q.taken[user], func(c taken) bool { return now.Sub(c.at) >= day })
	if q.taken == nil {
		q.taken = map[string][]taken{}
	}
	q.taken[user] = calls
	hour := calls
	for len(hour) > 0 && now.Sub(hour[0].at) >= time.Hour {
		hour = hour[1:]
	}
	switch {
	case q.PerDay > 0 && len(calls) >= q.PerDay:
		return refused(now, calls[len(calls)-q.PerDay].at.Add(day), "%d calls within a day", q.PerDay)
	case q.PerHour > 0 && len(hour) >= q.PerHour:
		return refused(now, hour[len(hour)-q.PerHour].at.Add(time.Hour), "%d calls within an hour", q.PerHour)
	case q.NumbersPerHour > 0 && different(hour, number) >= q.NumbersPerHour:
		return refused(now, hour[0].at.Add(time.Hour), "%d different numbers within an hour", q.NumbersPerHour)
	}
	if q.PerDay == 0 { // older ones count for nothing
		calls = hour
	}
	if q.PerDay > 0 || q.PerHour > 0 || q.NumbersPerHour > 0 {
		q.taken[user] = append(calls, taken{now, number})
	}
	return nil
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
