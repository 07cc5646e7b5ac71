package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	remember    = 24 * time.Hour // since its last use a verified password is not hashed again: longer than any call
	maxKnown    = 1000
	freeTries   = 3
	firstWait   = time.Second      // after freeTries failures; doubled by each further one
	lastWait    = 5 * time.Minute  // longest for a user from an address
	otherWait   = 15 * time.Second // longest for failures of others there, or elsewhere: guessing must not lock a user out
	forget      = 3 * lastWait     // a failure so long ago counts no more
	maxFailures = 4096             // entries: made-up names must not fill the memory
	maxProbes   = 100              // logins a minute of one user from one address that come too early
	maxHashing  = 2                // passwords hashed at once, each a core for a tenth of a second
	maxWaiting  = 64               // more requests that wait for that are turned away,
	maxOfOne    = maxWaiting / 2   // and those of one network (see networkOf)
)

// identity is whose login it is, and from where, as far as failures are counted.
type identity struct {
	addr             netip.Addr
	user, from, both [16]byte
}

// identify treats names alike whether they are a user's or not, so that a wait tells nobody
// which there are.
func identify(addr netip.Addr, name string) identity {
	if _, after, ok := strings.Cut(name, `\`); ok {
		name = after
	}
	name, _, _ = strings.Cut(name, "@")
	name = strings.ToLower(strings.ToUpper(name)) // the same for all that strings.EqualFold, by which users are found, takes for the same
	from := addr.String()
	return identity{addr, digest("user", name), digest("from", from), digest("both", name, from)}
}

func digest(parts ...string) (d [16]byte) {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	copy(d[:], sum[:])
	return d
}

// loginLimit delays logins after failed ones, which it counts: of a user, from an address, and
// of a user from an address. One who has logged in from an address before is not kept out
// there by what others try elsewhere, or as somebody else. An IPv6 network is many people:
// each address counts for itself, and somebody who has a whole network's addresses is bounded
// by the user's count, and by the verifier.
type loginLimit struct {
	mu       sync.Mutex // guards what follows
	by       map[[16]byte]*failures
	loggedIn map[[16]byte]bool // "both" of logins that succeeded
}

// failures are failed logins in a row.
type failures struct {
	n      int
	last   time.Time
	until  time.Time // no attempt is looked at before
	probes int       // attempts that came too early all the same,
	minute time.Time // since then
}

// keysLocked are the counts that hold for a login.
func (m *loginLimit) keysLocked(who identity) [][16]byte {
	if m.loggedIn[who.both] {
		return [][16]byte{who.both}
	}
	return [][16]byte{who.both, who.from, who.user}
}

// check refuses a login that comes too early after failures, without a look at it.
func (m *loginLimit) check(who identity) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var wait time.Duration
	for _, key := range m.keysLocked(who) {
		if f := m.by[key]; f != nil {
			wait = max(wait, time.Until(f.until))
		}
	}
	if wait <= 0 {
		return nil
	}
	if f := m.by[who.both]; f != nil {
		if now := time.Now(); now.Sub(f.minute) > time.Minute {
			f.probes, f.minute = 0, now
		}
		f.probes++
	}
	return &refusal{status: http.StatusTooManyRequests, wait: wait, text: "too many failed logins: wait as long as Retry-After says"}
}

// attacked reports whether somebody tries passwords of this user from this address over and
// over. A verified one is recognised at no cost, which serves a guesser at the same address
// too: such a guesser has to make a connection for each try.
func (m *loginLimit) attacked(who identity) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.by[who.both]
	return f != nil && f.probes > maxProbes && time.Since(f.minute) < time.Minute
}

// knows reports whether who has logged in from the address before.
func (m *loginLimit) knows(who identity) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.loggedIn[who.both]
}

// add counts a failed login.
func (m *loginLimit) add(who identity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.pruneLocked(now)
	for _, key := range [][16]byte{who.both, who.from, who.user} {
		f := m.by[key]
		if f == nil || now.Sub(f.last) > forget {
			f = &failures{}
			m.by[key] = f
		}
		f.last = now
		if f.n++; f.n >= freeTries {
			longest := otherWait
			if key == who.both {
				longest = lastWait
			}
			f.until = now.Add(min(longest, firstWait<<min(f.n-freeTries, 10)))
		}
	}
}

// forgive forgets the failures before a login that succeeded.
func (m *loginLimit) forgive(who identity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range [][16]byte{who.both, who.from, who.user} {
		delete(m.by, key)
	}
	if m.loggedIn == nil || len(m.loggedIn) >= maxFailures {
		m.loggedIn = map[[16]byte]bool{}
	}
	m.loggedIn[who.both] = true
}

// pruneLocked keeps the map small: it drops what counts no more, and if that is not enough
// some of what does.
func (m *loginLimit) pruneLocked(now time.Time) {
	if m.by == nil {
		m.by = map[[16]byte]*failures{}
	}
	if len(m.by) < maxFailures {
		return
	}
	for key, f := range m.by {
		if now.Sub(f.last) > forget || len(m.by) > maxFailures*3/4 && now.After(f.until) {
			delete(m.by, key)
		}
	}
	for key := range m.by {
		if len(m.by) <= maxFailures*3/4 {
			break
		}
		delete(m.by, key)
	}
}

// known remembers verified logins by a HMAC with a key of this process, so that they cost
// microseconds instead of a password hash. One holds only for the client that made it.
type known struct {
	mu   sync.Mutex // guards what follows
	key  []byte
	hits map[[sha256.Size]byte]*hit
}

type hit struct {
	user  User
	who   identity
	until time.Time
}

// sum is the HMAC of an Authorization header from an address.
func (k *known) sum(from netip.Addr, authorization string) (sum [sha256.Size]byte) {
	k.mu.Lock()
	if k.key == nil {
		k.key = make([]byte, sha256.BlockSize)
		rand.Read(k.key)
	}
	mac := hmac.New(sha256.New, k.key)
	k.mu.Unlock()
	addr := from.As16()
	mac.Write(addr[:])
	mac.Write([]byte(authorization))
	mac.Sum(sum[:0])
	return sum
}

// find returns nil for a login that is not known.
func (k *known) find(sum [sha256.Size]byte) *hit {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := k.hits[sum]
	now := time.Now()
	if h == nil || now.After(h.until) {
		return nil
	}
	h.until = now.Add(remember)
	return h
}

func (k *known) add(sum [sha256.Size]byte, u User, who identity) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hits == nil {
		k.hits = map[[sha256.Size]byte]*hit{}
	}
	if len(k.hits) >= maxKnown { // the one that was not used for the longest time
		var oldest [sha256.Size]byte
		var until time.Time
		for sum, h := range k.hits {
			if until.IsZero() || h.until.Before(until) {
				oldest, until = sum, h.until
			}
		}
		delete(k.hits, oldest)
	}
	k.hits[sum] = &hit{u, who, time.Now().Add(remember)}
}

// verifier limits how many passwords are hashed at once: calls in progress need the processor.
type verifier struct {
	mu      sync.Mutex // guards what follows
	slots   chan struct{}
	waiting int
	from    map[netip.Prefix]int      // those that wait, by network
	at      map[[sha256.Size]byte]int // logins that wait or are at work
}

// enter waits for a turn; done gives it back. The same login as one that waits already is
// never turned away: it will cost no hash of its own, and after a restart a crowd of clients
// comes with it at once.
func (v *verifier) enter(ctx context.Context, network netip.Prefix, sum [sha256.Size]byte) (done func(), err error) {
	v.mu.Lock()
	if v.slots == nil {
		cores := max(1, runtime.GOMAXPROCS(0)/2) // the others are for calls
		v.slots, v.at, v.from = make(chan struct{}, min(cores, maxHashing)), map[[sha256.Size]byte]int{}, map[netip.Prefix]int{}
	}
	full := v.at[sum] == 0 && (v.waiting >= maxWaiting || v.from[network] >= maxOfOne)
	if !full {
		v.waiting++
		v.from[network]++
		v.at[sum]++
	}
	v.mu.Unlock()
	if full {
		return nil, &refusal{status: http.StatusServiceUnavailable, wait: time.Second, text: "too many logins at once: try again"}
	}
	defer func() {
		v.mu.Lock()
		v.waiting--
		if v.from[network]--; v.from[network] == 0 {
			delete(v.from, network)
		}
		v.mu.Unlock()
	}()
	leave := func() {
		v.mu.Lock()
		if v.at[sum]--; v.at[sum] == 0 {
			delete(v.at, sum)
		}
		v.mu.Unlock()
	}
	select {
	case v.slots <- struct{}{}:
		return func() { leave(); <-v.slots }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
