package call

import (
	"fmt"
	"time"

	"hookswitch/firmware/dialing"
)

// Uses returns how much of the bounds of the whole board is used; empty without a quota.
func (x *Exchange) Uses() []dialing.Use {
	if x.opt.Quota == nil {
		return []dialing.Use{}
	}
	return x.opt.Quota.Uses()
}

// quotaFaults are the bounds that are nearly reached. The words stay the same while the
// figures change: a fault is logged when it is new.
func (x *Exchange) quotaFaults() (list []string) {
	for _, use := range x.Uses() {
		if use.Near() {
			list = append(list, fmt.Sprintf("four fifths of %s = %d in [dialing] are used; when all is, calls are refused "+
				"until others are a day old: see hookswitch calls for who makes them", use.Name, use.Limit))
		}
	}
	return list
}

// warnOfQuota logs bounds that the last call has brought near.
func (x *Exchange) warnOfQuota() {
	if x.opt.Quota == nil {
		return
	}
	for _, use := range x.opt.Quota.NewlyNear() {
		x.log.Warn("quota nearly used", "bound", use.Name, "used", use.Used, "limit", use.Limit)
	}
}

// rememberQuota counts the calls of the last day, which are those of before a restart.
func (x *Exchange) rememberQuota(records []Info) {
	if x.opt.Quota == nil {
		return
	}
	now := time.Now()
	for _, info := range records {
		age, lasted := now.Sub(info.Started), time.Duration(0)
		if age >= 24*time.Hour {
			continue
		}
		switch {
		case info.Answered.IsZero():
		case info.Ended.IsZero(): // cut off with the daemon
			lasted = x.lastedAtMost(info) - info.Answered.Sub(info.Started)
		default:
			lasted = info.Ended.Sub(info.Answered)
		}
		number, _ := x.opt.Rules.Check(info.Number)
		x.opt.Quota.Remember(info.User, info.Number, number.Abroad(), age, lasted)
	}
}

// endSpent settles what a call has used of the quota.
func (c *active) endSpent(info Info) {
	switch {
	case c.spent == nil:
	case info.Answered.IsZero():
		c.spent.End(0)
	default:
		c.spent.End(info.Ended.Sub(info.Answered))
	}
}
