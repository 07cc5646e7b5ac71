package dialing

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrQuota is that of a user, or a board, that has made as many calls as it may.
var ErrQuota = errors.New("dialing: too many calls")

// Quota bounds what a stolen password is worth: how many calls one user may make within an
// hour and a day, and what all users together may within a day. Zero is no limit. A call
// counts from its beginning; while it lasts it counts for as long as it may last, so that
// calls made at the same time don't exceed a bound together.
type Quota struct {
	PerHour        int // calls of a user
	PerDay         int // calls of a user
	NumbersPerHour int // different numbers of a user

	BoardPerDay   int           // calls
	BoardTime     time.Duration // within a day, from answer to hang-up
	AbroadTime    time.Duration // within a day, of calls abroad
	LongestOfCall time.Duration // how long a call may last

	mu    sync.Mutex // guards what follows
	taken map[string][]taken
	board []*Spent
	told  [3]bool // bounds of the board that are nearly reached
}

// taken is a call that was begun. The clock is the monotonic one: a board's date may jump
// by decades when it learns the time.
type taken struct {
	at     time.Time
	number string
}

// Spent is a call that a Quota counts.
type Spent struct {
	quota    *Quota
	at       time.Time
	abroad   bool
	duration time.Duration
}

// End tells how long the call lasted, from answer to hang-up.
func (s *Spent) End(d time.Duration) {
	s.quota.mu.Lock()
	defer s.quota.mu.Unlock()
	s.duration = max(0, d)
}

const day = 24 * time.Hour

// Check returns the error that Take would, and counts nothing.
func (q *Quota) Check(user, number string, abroad bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, err := q.roomLocked(time.Now(), user, number, abroad)
	return err
}

// Take counts a call of user's, or refuses it with an error that wraps ErrQuota.
func (q *Quota) Take(user, number string, abroad bool) (*Spent, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	calls, err := q.roomLocked(now, user, number, abroad)
	if err != nil {
		return nil, err
	}
	return q.countLocked(calls, user, taken{now, number}, abroad), nil
}

func (q *Quota) countLocked(calls []taken, user string, c taken, abroad bool) *Spent {
	if q.taken == nil {
		q.taken = map[string][]taken{}
	}
	if q.PerDay > 0 || q.PerHour > 0 || q.NumbersPerHour > 0 {
		q.taken[user] = append(calls, c)
	}
	s := &Spent{quota: q, at: c.at, abroad: abroad, duration: q.LongestOfCall}
	if q.BoardPerDay > 0 || q.BoardTime > 0 || q.AbroadTime > 0 {
		q.board = append(q.board, s)
	}
	return s
}

// Remember counts a call of before the start, which began age ago and lasted that long from
// its answer on. The oldest one is told first.
func (q *Quota) Remember(user, number string, abroad bool, age, lasted time.Duration) {
	if age < 0 || age >= day {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.countLocked(q.taken[user], user, taken{time.Now().Add(-age), number}, abroad)
	s.duration = min(max(0, lasted), q.LongestOfCall)
}

// roomLocked gives the calls of user's that count, or refuses one more.
func (q *Quota) roomLocked(now time.Time, user, number string, abroad bool) (calls []taken, err error) {
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
	for _, use := range q.usesLocked(now) {
		next := 1
		if use.Unit == minutes {
			next = inMinutes(q.LongestOfCall)
		}
		if use.Limit > 0 && use.Used+next > use.Limit && (abroad || use.Name != abroadMinutes) {
			return nil, fmt.Errorf("%w of the whole board: %s = %d, and %d are used within a day",
				ErrQuota, use.Name, use.Limit, use.Used)
		}
	}
	return calls, nil
}

// Keys of the board's bounds, as they are configured.
const (
	boardCalls    = "board_calls_per_day"
	boardMinutes  = "board_minutes_per_day"
	abroadMinutes = "abroad_minutes_per_day"
	minutes       = "minutes"
)

// Use is how much of a bound of the whole board is used. A call that lasts counts for as long
// as it may last.
type Use struct {
	Name  string `json:"name"`  // the key in [dialing]
	Used  int    `json:"used"`  // within the last 24 hours
	Limit int    `json:"limit"` // 0 is none
	Unit  string `json:"unit"`  // "calls" or "minutes"
}

// Near reports whether four fifths of the bound are used.
func (u Use) Near() bool { return u.Limit > 0 && u.Used*5 >= u.Limit*4 }

// Uses returns the use of each bound of the whole board.
func (q *Quota) Uses() []Use {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.usesLocked(time.Now())
}

func (q *Quota) usesLocked(now time.Time) []Use {
	for len(q.board) > 0 && now.Sub(q.board[0].at) >= day {
		q.board = q.board[1:]
	}
	var all, abroad time.Duration
	for _, s := range q.board {
		all += s.duration
		if s.abroad {
			abroad += s.duration
		}
	}
	return []Use{
		{boardCalls, len(q.board), q.BoardPerDay, "calls"},
		{boardMinutes, inMinutes(all), inMinutes(q.BoardTime), minutes},
		{abroadMinutes, inMinutes(abroad), inMinutes(q.AbroadTime), minutes},
	}
}

// inMinutes counts minutes, a part of one as a whole, as bills do.
func inMinutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// NewlyNear returns the bounds of the board that are nearly reached, each once.
func (q *Quota) NewlyNear() (list []Use) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, use := range q.usesLocked(time.Now()) {
		if use.Near() && !q.told[i] {
			list = append(list, use)
		}
		q.told[i] = use.Near()
	}
	return list
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
