package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"hookswitch/firmware/config"
)

const (
	remember  = 5 * time.Minute // a verified password is not hashed again for so long
	firstWait = time.Second     // after the third failure in a row; doubled at each further one
	lastWait  = 5 * time.Minute
	freeTries = 3
	maxBody   = 64 << 10 // drained before a 401, so that the connection can be used again
)

// User is who asks.
type User struct {
	Name  string
	Admin bool
}

type userKey struct{}

// UserOf is the user that a request was authenticated as.
func UserOf(r *http.Request) User {
	u, _ := r.Context().Value(userKey{}).(User)
	return u
}

// Auth authenticates requests: Basic over TLS (or from this machine), bearer tokens, and
// NTLMv2 where it is switched on.
type Auth struct {
	Users  []config.User
	Realm  string
	NTLM   bool
	Public func(*http.Request) bool // these need no authentication
	Log    *slog.Logger

	mu     sync.Mutex // guards what follows
	key    []byte
	known  map[[32]byte]time.Time // HMACs of verified credentials, until when
	misses map[string]*miss       // by user and by address
}

// miss counts failures in a row.
type miss struct {
	n     int
	until time.Time // no attempt is looked at before
}

// Local is the user of every request where no user is configured: whoever reaches the
// loopback address of the board is its administrator.
var Local = User{Name: "local", Admin: true}

// Wrap returns next behind authentication.
func (a *Auth) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := a.authenticate(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	})
}

// refusal is why a request was not let in.
type refusal struct {
	status    int
	wait      time.Duration
	text      string
	challenge string // NTLM's next word
}

func (r *refusal) Error() string { return r.text }

func (a *Auth) authenticate(r *http.Request) (User, error) {
	if len(a.Users) == 0 {
		if !loopbackHost(r.Host) {
			return User{}, &refusal{status: http.StatusForbidden, text: "without users only this machine may ask, by a loopback address"}
		}
		return Local, nil
	}
	if a.Public != nil && a.Public(r) {
		return User{}, nil
	}
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		return a.basic(r)
	case "bearer":
		return a.bearer(r, strings.TrimSpace(credentials))
	case "ntlm":
		if a.NTLM {
			return a.ntlm(r, strings.TrimSpace(credentials))
		}
	}
	if h, _ := r.Context().Value(connKey{}).(*handshake); a.NTLM && h != nil && scheme == "" {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.user != nil { // the connection was authenticated before
			return *h.user, nil
		}
	}
	return User{}, &refusal{status: http.StatusUnauthorized, text: "log in with a user of this board"}
}

// loopbackHost keeps a web page elsewhere from reaching a board without users through a
// name of its own that resolves to this machine.
func loopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.Trim(name, "[]")
	return name == "" || name == "localhost" || net.ParseIP(name).IsLoopback()
}

func (a *Auth) basic(r *http.Request) (User, error) {
	addr := remote(r)
	if r.TLS == nil && !net.ParseIP(addr).IsLoopback() {
		return User{}, &refusal{status: http.StatusForbidden, text: "passwords are taken over TLS only"}
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return User{}, &refusal{status: http.StatusUnauthorized, text: "the Authorization header is damaged"}
	}
	user := a.find(name)
	sum := a.sum(name, password)
	if a.remembers(sum) && user != nil {
		return User{user.Name, user.Admin}, nil
	}
	if err := a.waits(addr, name); err != nil {
		return User{}, err
	}
	hash := "" // takes as long to compare as a user's
	if user != nil {
		hash = user.PasswordHash
	}
	if !config.CheckPassword(hash, password) || user == nil {
		return User{}, a.failed(addr, name)
	}
	a.succeeded(addr, name, sum)
	return User{user.Name, user.Admin}, nil
}

func (a *Auth) bearer(r *http.Request, token string) (User, error) {
	addr := remote(r)
	if err := a.waits(addr, ""); err != nil {
		return User{}, err
	}
	for _, u := range a.Users {
		for _, hash := range u.TokenHash {
			if config.CheckToken(hash, token) {
				return User{u.Name, u.Admin}, nil
			}
		}
	}
	return User{}, a.failed(addr, "")
}

// find looks a user up by any of the forms that clients send: anna, anna@example.com,
// EXAMPLE\anna.
func (a *Auth) find(name string) *config.User {
	if _, after, ok := strings.Cut(name, `\`); ok {
		name = after
	}
	bare, _, _ := strings.Cut(name, "@")
	for i := range a.Users {
		u := &a.Users[i]
		if strings.EqualFold(u.Name, name) || strings.EqualFold(u.Name, bare) || u.Email != "" && strings.EqualFold(u.Email, name) {
			return u
		}
	}
	return nil
}

func (a *Auth) sum(name, password string) (sum [32]byte) {
	a.mu.Lock()
	if a.key == nil {
		a.key = make([]byte, 32)
		rand.Read(a.key)
	}
	mac := hmac.New(sha256.New, a.key)
	a.mu.Unlock()
	fmt.Fprintf(mac, "%d:%s%s", len(name), name, password)
	mac.Sum(sum[:0])
	return sum
}

func (a *Auth) remembers(sum [32]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	until, ok := a.known[sum]
	return ok && time.Now().Before(until)
}

// waits refuses an attempt that comes too soon after failures, without a look at it.
func (a *Auth) waits(addr, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range missKeys(addr, name) {
		if m := a.misses[key]; m != nil && time.Now().Before(m.until) {
			return &refusal{status: http.StatusTooManyRequests, wait: time.Until(m.until), text: "too many failed logins: wait"}
		}
	}
	return nil
}

func missKeys(addr, name string) []string {
	keys := []string{"from " + addr}
	if name != "" {
		keys = append(keys, "user "+strings.ToLower(name))
	}
	return keys
}

func (a *Auth) failed(addr, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.misses == nil || len(a.misses) > 10_000 { // a flood of made-up names must not fill the memory
		a.misses = map[string]*miss{}
	}
	for _, key := range missKeys(addr, name) {
		m := a.misses[key]
		if m == nil {
			m = &miss{}
			a.misses[key] = m
		}
		if m.n++; m.n >= freeTries {
			m.until = time.Now().Add(min(lastWait, firstWait<<min(m.n-freeTries, 10)))
		}
	}
	a.Log.Warn("login failed", "user", printable(name), "from", addr)
	return &refusal{status: http.StatusUnauthorized, text: "user or password is wrong"}
}

func (a *Auth) succeeded(addr, name string, sum [32]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range missKeys(addr, name) {
		delete(a.misses, key)
	}
	if a.known == nil || len(a.known) > 1000 {
		a.known = map[[32]byte]time.Time{}
	}
	a.known[sum] = time.Now().Add(remember)
}

// refuse answers a request that was not let in. Its small body is read first: clients send
// it without credentials and use the same connection for the next try.
func (a *Auth) refuse(w http.ResponseWriter, r *http.Request, err error) {
	why, ok := err.(*refusal)
	if !ok {
		why = &refusal{status: http.StatusUnauthorized, text: "not let in"}
	}
	_, _ = io.CopyN(io.Discard, r.Body, maxBody)
	if why.status == http.StatusUnauthorized {
		switch {
		case why.challenge != "":
			w.Header().Add("WWW-Authenticate", "NTLM "+why.challenge)
		default:
			if a.NTLM && r.ProtoMajor == 1 {
				w.Header().Add("WWW-Authenticate", "NTLM")
			}
			w.Header().Add("WWW-Authenticate", fmt.Sprintf(`Basic realm=%q, charset="UTF-8"`, a.Realm))
			w.Header().Add("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q`, a.Realm))
		}
	}
	if why.wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(why.wait/time.Second)+1))
	}
	http.Error(w, why.text, why.status)
}

func remote(r *http.Request) string {
	addr, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return addr
}

// printable keeps what a client made up from writing to a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 64)]
}
