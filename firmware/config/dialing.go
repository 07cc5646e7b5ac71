package config

import (
	"regexp"
	"strings"
	"time"

	"hookswitch/firmware/call"
)

// Calls that one user may make where others on the network could guess a password. Users of
// Exchange play dozens of messages in a morning; a thief wants thousands of calls.
const (
	callsPerHour = 60
	callsPerDay  = 200
	maxCalls     = 100000
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
	if !call.KnownRegion(d.Region) {
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
			if k.c.HTTP.Loopback() {
				*q.n = 0
			}
		}
		if *q.n > maxCalls {
			k.add(at.key(q.key), table, q.key, "at most %d; 0 is no limit", maxCalls)
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
			if err := call.CheckMask(mask); err != nil {
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
		if at.keys["country"] != nil && !call.KnownRegion(code) {
			k.add(at.key("country"), lineTable, "country", `%s is no country; write "us", "uk", "de" or another code of ISO 3166`, quote(l.Country))
		}
	}
}

// Rules are the dialling rules. Each call makes new ones.
func (d Dialing) Rules() *call.Rules {
	return &call.Rules{
		Allow: d.Allow, Deny: d.Deny, Emergency: d.Emergency, Premium: d.Premium,
		Region: d.Region, OutsidePrefix: d.OutsidePrefix, InternationalPrefix: d.InternationalPrefix,
	}
}

// Quota is what one user may call. Each call makes a new one.
func (d Dialing) Quota() *call.Quota {
	return &call.Quota{PerHour: d.CallsPerHour, PerDay: d.CallsPerDay, NumbersPerHour: d.NumbersPerHour}
}
