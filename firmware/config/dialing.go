package config

import (
	"regexp"
	"strings"
	"time"

	"hookswitch/firmware/dialing"
)

// Calls that one user may make where others could guess a password. Users of
// Exchange play dozens of messages in a morning; a thief wants thousands of calls.
const (
	callsPerHour = 60
	callsPerDay  = 200
	maxCalls     = 100000
)

// What the whole board may call within a day, whoever asks.
const (
	boardCallsPerDay    = 500
	boardMinutesPerDay  = 600
	abroadMinutesPerDay = 120
)

const dialingTable = "[dialing]"

var digitsOnly = regexp.MustCompile(`^[0-9]{1,15}$`)

// dialing checks and completes [dialing], and what of the lines depends on it.
func (k *checker) dialing() {
	const table = dialingTable
	d, at := &k.c.Dialing, k.root.key("dialing")
	d.Region = strings.ToUpper(d.Region)
	if d.Region == "UK" {
		d.Region = "GB"
	}
	if !dialing.KnownRegion(d.Region) {
		k.add(at.key("region"), table, "region", `%s is no country; write its ISO 3166 code, such as "US", "GB" or "DE"`, quote(d.Region))
	}
	k.country()
	k.numbers(at)
	k.within(at.key("max_call"), table, "max_call", d.MaxCall, 100*time.Millisecond, maxCall)
	for _, q := range []struct {
		key      string
		n        *int
		standard int
	}{{"calls_per_hour", &d.CallsPerHour, callsPerHour}, {"calls_per_day", &d.CallsPerDay, callsPerDay}, {"numbers_per_hour", &d.NumbersPerHour, 0}} {
		if *q.n == unset {
			*q.n = q.standard
			if k.c.HTTP.Loopback() && len(k.c.Users) == 0 {
				*q.n = 0 // a person at the board itself
			}
		}
		if *q.n > maxCalls {
			k.add(at.key(q.key), table, q.key, "at most %d; 0 is no limit", maxCalls)
		}
	}
	k.boardQuota(at)
}

// boardQuota checks the bounds of the whole board. A call counts for max_call while it lasts.
func (k *checker) boardQuota(at *place) {
	d := &k.c.Dialing
	for _, q := range []struct {
		key     string
		n       *int
		minutes bool
	}{
		{"board_calls_per_day", &d.BoardCallsPerDay, false}, {"board_minutes_per_day", &d.BoardMinutesPerDay, true},
		{"abroad_minutes_per_day", &d.AbroadMinutesPerDay, true},
	} {
		switch {
		case *q.n > maxCalls:
			k.add(at.key(q.key), dialingTable, q.key, "at most %d; 0 is no limit", maxCalls)
		case q.minutes && *q.n > 0 && time.Duration(*q.n)*time.Minute < d.MaxCall && d.MaxCall <= maxCall:
			k.add(at.key(q.key), dialingTable, q.key, "less than one call of max_call = %v; no call could be made", d.MaxCall)
		}
	}
}

// numbers checks the masks and numbers of [dialing].
func (k *checker) numbers(at *place) {
	d, table := k.c.Dialing, dialingTable
	for _, list := range []struct {
		key   string
		masks []string
	}{{"allow", d.Allow}, {"deny", d.Deny}} {
		for i, mask := range list.masks {
			if err := dialing.CheckMask(mask); err != nil {
				k.add(at.key(list.key).item(i), table, list.key, "mask %s: %v", quote(mask), err)
			}
		}
	}
	for _, list := range []struct {
		key     string
		numbers []string
	}{{"emergency", d.Emergency}, {"outside_prefix", d.OutsidePrefix}} {
		for i, n := range list.numbers {
			if !digitsOnly.MatchString(n) {
				k.add(at.key(list.key).item(i), table, list.key, "%s is no number; write digits only", quote(n))
			}
		}
	}
	if d.InternationalPrefix != "" && !digitsOnly.MatchString(d.InternationalPrefix) {
		k.add(at.key("international_prefix"), table, "international_prefix", `%s is no number; write digits only, such as "011" or "00"`, quote(d.InternationalPrefix))
	}
}

// country checks and completes the country of each line: by default the region's.
func (k *checker) country() {
	for i := range k.c.Lines {
		l, at := &k.c.Lines[i], k.root.key("line").item(i)
		if l.Country == "" && at.keys["country"] == nil {
			l.Country = k.c.Dialing.Region
		}
		code := strings.ToUpper(l.Country)
		if code == "UK" {
			code = "GB"
		}
		if l.Country = strings.ToLower(code); code == "GB" {
			l.Country = "uk"
		}
		if at.keys["country"] != nil && !dialing.KnownRegion(code) {
			k.add(at.key("country"), lineTable, "country", `%s is no country; write "us", "uk", "de" or another code of ISO 3166`, quote(l.Country))
		}
	}
}

// Rules are the dialling rules. Each call makes new ones.
func (d Dialing) Rules() *dialing.Rules {
	return &dialing.Rules{
		Allow: d.Allow, Deny: d.Deny, Emergency: d.Emergency, Premium: d.Premium,
		Region: d.Region, OutsidePrefix: d.OutsidePrefix, InternationalPrefix: d.InternationalPrefix,
	}
}

// Quota is what one user, and all together, may call. Each call makes a new one.
func (d Dialing) Quota() *dialing.Quota {
	return &dialing.Quota{
		PerHour: d.CallsPerHour, PerDay: d.CallsPerDay, NumbersPerHour: d.NumbersPerHour,
		BoardPerDay: d.BoardCallsPerDay, LongestOfCall: d.MaxCall,
		BoardTime:  time.Duration(d.BoardMinutesPerDay) * time.Minute,
		AbroadTime: time.Duration(d.AbroadMinutesPerDay) * time.Minute,
	}
}
