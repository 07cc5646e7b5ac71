package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hookswitch/firmware/config"
)

// maxDrain is what is read of a body before a refusal, so that the connection can be used
// again: clients send their request without credentials first, and NTLM needs it.
const maxDrain = 64 << 10

// User is who asks.
type User struct {
	Name  string
	Admin bool
}

type userKey struct{}

// UserOf is the user that a request was authenticated as; the zero User for one that needs
// no authentication.
func UserOf(r *http.Request) User {
	if c := connOf(r); c != nil && r.ProtoMajor == 1 {
		return c.user
	}
	u, _ := r.Context().Value(userKey{}).(User)
	return u
}

// Local is the user of every request where no user is configured: whoever reaches the
// loopback address of the board is its administrator.
var Local = User{Name: "local", Admin: true}

// Auth authenticates requests: Basic (RFC 7617) over TLS or from this machine, bearer tokens
// (RFC 6750), and NTLMv2 ([MS-NTHT]) where it is switched on. Failed logins make their
// client, and their user, wait. Without Users every request from this machine is Local's.
type Auth struct {
	Users  []config.User
	Realm  string
	NTLM   bool
	Leaf   []byte                   // the server's certificate (DER), which NTLM clients may bind their answer to
	Host   string                   // the board's name
	Public func(*http.Request) bool // these need no authentication; nil is none
	Log    *slog.Logger

	known    known
	logins   loginLimit
	verifier verifier
	refused  strangerLog
}

// sameOrigin refuses what a browser sends for another site's page: with the browser's login,
// or from this machine, it would be let in.
var sameOrigin http.CrossOriginProtection

// Wrap returns next behind authentication.
func (a *Auth) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sameOrigin.Check(r) != nil {
			a.refuse(w, r, forbidden("another site's page may not ask"))
			return
		}
		if a.Public != nil && a.Public(r) && !a.handshakes(r) {
			next.ServeHTTP(w, r)
			return
		}
		user, err := a.authenticate(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		c := connOf(r)
		c.prove()
		if c != nil && r.ProtoMajor == 1 { // one request at a time
			c.user = user
			defer func() { c.user = User{} }()
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	})
}

// refusal is why a request was not let in.
type refusal struct {
	status    int
	text      string
	wait      time.Duration // before the next try
	challenge string        // NTLM's next word
	part      bool          // the connection ends
}

func (r *refusal) Error() string { return r.text }

func unauthorized(text string) error {
	return &refusal{status: http.StatusUnauthorized, text: text}
}

func forbidden(text string) error { return &refusal{status: http.StatusForbidden, text: text} }

func (a *Auth) authenticate(r *http.Request) (User, error) {
	addr := remoteAddr(r)
	if len(a.Users) == 0 {
		switch {
		case !addr.IsLoopback():
			return User{}, forbidden("no user is configured: only this machine may ask")
		case a.rebound(r):
			return User{}, forbidden("no user is configured: ask at a loopback address, not at this name")
		}
		return Local, nil
	}
	if r.TLS == nil && !addr.IsLoopback() {
		return User{}, forbidden("credentials are taken over TLS only")
	}
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	credentials = strings.TrimSpace(credentials)
	switch strings.ToLower(scheme) {
	case "":
		if user, ok := a.ntlmUser(r); ok {
			return user, nil
		}
	case "basic":
		return a.basic(r, addr)
	case "bearer":
		return a.bearer(addr, credentials)
	case "ntlm":
		if a.NTLM {
			return a.ntlm(r, addr, credentials)
		}
	}
	return User{}, unauthorized("log in as a user of this board")
}

// rebound says whether a browser may have been lured here: a page of another site whose name
// was made to resolve to this machine. Its Host is then neither an address nor our name. A
// browser says Origin with whatever may change something; programs that don't may call the
// board what they like.
func (a *Auth) rebound(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("Origin") == "" {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	_, err := netip.ParseAddr(host)
	return err != nil && host != "" && !slices.Contains(names(a.Host), host)
}

func (a *Auth) basic(r *http.Request, addr netip.Addr) (User, error) {
	sum := a.known.sum(addr, r.Header.Get("Authorization"))
	if h := a.known.find(sum); h != nil { // nobody else's guesses keep it out
		return h.user, nil
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return User{}, unauthorized("the Authorization header is damaged")
	}
	name, password = toUTF8(name), toUTF8(password)
	who := identify(addr, name)
	if err := a.logins.check(who); err != nil {
		return User{}, a.parting(who, err)
	}
	done, err := a.verifier.enter(r.Context(), networkOf(addr), sum)
	if err != nil {
		return User{}, err
	}
	defer done()
	if h := a.known.find(sum); h != nil { // verified while this one waited
		return h.user, nil
	}
	if err := a.logins.check(who); err != nil {
		return User{}, err
	}
	account, hash := a.find(name), "" // "" takes as long to compare as a user's
	if account != nil {
		hash = account.PasswordHash
	}
	if !config.CheckPassword(hash, password) || account == nil {
		return User{}, a.failed(who, account)
	}
	user := User{account.Name, account.Admin}
	a.logins.forgive(who)
	a.known.add(sum, user, who)
	return user, nil
}

// bearer lets a token in even from where logins have failed: 256 random bits are not guessed.
func (a *Auth) bearer(addr netip.Addr, token string) (User, error) {
	for _, u := range a.Users {
		for _, hash := range u.TokenHash {
			if config.CheckToken(hash, token) {
				return User{u.Name, u.Admin}, nil
			}
		}
	}
	who := identify(addr, "")
	if err := a.logins.check(who); err != nil {
		return User{}, err
	}
	return User{}, a.failed(who, nil)
}

// parting is a refusal that costs a guesser the connection.
func (a *Auth) parting(who identity, err error) error {
	var why *refusal
	if errors.As(err, &why) && a.logins.attacked(who) {
		why.part = true
	}
	return err
}

// failed notes a failed login. The name is logged only if it is a user's: people type
// passwords where the name belongs.
func (a *Auth) failed(who identity, account *config.User) error {
	a.logins.add(who)
	name := "unknown"
	if account != nil {
		name = account.Name
	}
	a.Log.Warn("login failed", "user", name, "from", who.addr.String())
	return a.parting(who, unauthorized("user or password is wrong"))
}

// find looks a user up by what clients send: anna, anna@example.com, EXAMPLE\anna.
func (a *Auth) find(name string) *config.User {
	if _, after, ok := strings.Cut(name, `\`); ok {
		name = after
	}
	bare, _, _ := strings.Cut(name, "@")
	for _, is := range []func(u *config.User) bool{
		func(u *config.User) bool { return strings.EqualFold(u.Name, name) },
		func(u *config.User) bool { return u.Email != "" && strings.EqualFold(u.Email, name) },
		func(u *config.User) bool { return strings.EqualFold(u.Name, bare) },
	} {
		for i := range a.Users {
			if u := &a.Users[i]; is(u) {
				return u
			}
		}
	}
	return nil
}

// toUTF8 reads what is not UTF-8 as ISO 8859-1, which older clients encode credentials in.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// refuse answers a request that was not let in.
func (a *Auth) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var why *refusal
	if !errors.As(err, &why) {
		why = &refusal{status: http.StatusServiceUnavailable, text: "ask again"}
	}
	_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
	if why.status != http.StatusUnauthorized { // a client that has not logged in yet; one that failed to is logged
		a.refused.warn(a.Log, "request refused", "from", remoteAddr(r).String(), "operation", asked(r), "reason", why.text)
	}
	if why.status == http.StatusUnauthorized {
		for _, challenge := range a.challenges(r, why.challenge) {
			w.Header().Add("WWW-Authenticate", challenge)
		}
	}
	if why.wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(why.wait/time.Second)+1))
	}
	if why.part {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why.text, why.status)
}

// challenges are the ways to log in that work here and now: a client that is offered one
// takes the first that it knows, and never another.
func (a *Auth) challenges(r *http.Request, ntlm string) (list []string) {
	if ntlm != "" {
		return []string{"NTLM " + ntlm}
	}
	var password, token, hash bool
	for _, u := range a.Users {
		password = password || u.PasswordHash != ""
		token = token || len(u.TokenHash) > 0
		hash = hash || u.NTHash != ""
	}
	if a.NTLM && hash && r.ProtoMajor == 1 {
		list = append(list, "NTLM")
	}
	if password {
		list = append(list, fmt.Sprintf(`Basic realm=%q, charset="UTF-8"`, a.Realm))
	}
	if token {
		list = append(list, fmt.Sprintf(`Bearer realm=%q`, a.Realm))
	}
	return list
}
