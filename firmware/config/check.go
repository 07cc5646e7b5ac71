package config

import (
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"hookswitch/firmware/keypad"
	"hookswitch/firmware/username"
)

// Bounds of numbers and times that are nobody's intention.
const (
	maxConnections = 1 << 16
	maxCall        = 30 * time.Minute // no call is longer, from its answer on, whatever was asked for
	maxQueue       = 1000
	maxRedial      = 10
	maxWait        = time.Hour
)

// checker tells what is wrong with the values, and fills in the defaults that depend on others.
type checker struct {
	*report
	c       *Config
	root    *place
	damaged bool // a line was taken out: what is missing may have been on it
}

func (k *checker) check() {
	if k.c.Version < 1 {
		k.add(k.root.key("version"), "", "version", "there is no version %d; write %d", k.c.Version, Version)
	}
	if k.c.Data == "" {
		k.add(k.root.key("data"), "", "data", "name a directory")
	}
	k.users()
	k.http()
	k.lines()
	k.dialing()
	k.policy()
	k.keys()
	k.mail()
	k.console()
}

// oneOf tells a value that is not among those there are.
func (k *checker) oneOf(at *place, table, key, value string, known ...string) {
	if !slices.Contains(known, value) {
		k.add(at, table, key, "%s is not one of %s%s", quote(value), strings.Join(known, ", "), hint(value, known))
	}
}

// missing tells that a value is needed: the key is not there, or it is empty.
func (k *checker) missing(at *place, table, key, format string, args ...any) {
	if at.keys[key] != nil || !k.damaged {
		k.add(at.key(key), table, key, format, args...)
	}
}

func (k *checker) http() {
	const table = "[http]"
	h, at := &k.c.HTTP, k.root.key("http")
	k.oneOf(at.key("tls"), table, "tls", h.TLS, TLSOff, TLSSelfSigned, TLSFiles)
	if !validHostPort(h.Listen) {
		k.add(at.key("listen"), table, "listen", `%s is no address; write "127.0.0.1:8080", or ":443" for every network`, quote(h.Listen))
	} else if !h.Loopback() {
		if h.TLS == TLSOff {
			k.add(at.key("listen"), table, "listen", `%s is reached from the network, which takes tls = "self-signed" or "files"; without TLS listen on "127.0.0.1:8080"`, quote(h.Listen))
		}
		if len(k.c.Users) == 0 && k.root.keys["user"] == nil && !k.damaged {
			k.add(at.key("listen"), table, "listen", "%s is reached from the network, which takes at least one [[user]]", quote(h.Listen))
		}
	}
	if h.TLS == TLSFiles {
		for _, f := range []struct{ key, value string }{{"cert", h.Cert}, {"key", h.Key}} {
			if f.value == "" {
				k.add(at.key("tls"), table, "tls", `"files" needs %s = "…", a PEM file`, f.key)
			}
		}
	} else if h.Cert != "" || h.Key != "" {
		k.add(at.key("tls"), table, "tls", `cert and key are used only with tls = "files"`)
	}
	if h.Name != "" && !hostName.MatchString(h.Name) {
		k.add(at.key("name"), table, "name", "%s is no host name", quote(h.Name))
	}
	if h.MaxConnections < 1 || h.MaxConnections > maxConnections {
		k.add(at.key("max_connections"), table, "max_connections", "write a number from 1 to %d", maxConnections)
	}
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

func validHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !hostName.MatchString(host) {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == port
}

// Loopback reports whether only programs on the board itself reach it.
func (h HTTP) Loopback() bool {
	host, _, err := net.SplitHostPort(h.Listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

var (
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
	md4Hex    = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
)

func (k *checker) users() {
	const table = "[[user]]"
	names, emails := map[string]int{}, map[string]int{}
	for i, u := range k.c.Users {
		at := k.root.key("user").item(i)
		k.unique(names, strings.ToLower(u.Name), at, table, "name", "the user")
		k.unique(emails, strings.ToLower(u.Email), at, table, "email", "the address")
		switch err := username.Check(u.Name); {
		case u.Name == "" && at.keys["name"] == nil:
			k.missing(at, table, "name", `a user needs a name, such as name = "anna"`)
		case err != nil:
			k.add(at.key("name"), table, "name", "%s", err.Error())
		}
		if a, err := mail.ParseAddress(u.Email); u.Email != "" && (err != nil || a.Address != u.Email) {
			k.add(at.key("email"), table, "email", `%s is no mail address; write "anna@example.com"`, quote(u.Email))
		}
		k.credentials(u, at, table)
	}
}

func (k *checker) credentials(u User, at *place, table string) {
	if u.PasswordHash == "" && u.NTHash == "" && len(u.TokenHash) == 0 && !k.damaged {
		k.add(at.key("password_hash"), table, "password_hash", "nobody can log in as this user; `hookswitch passwd` makes a hash")
	}
	if _, err := bcrypt.Cost([]byte(u.PasswordHash)); u.PasswordHash != "" && err != nil {
		k.add(at.key("password_hash"), table, "password_hash", "this is not what `hookswitch passwd` printed; a password itself has no place here")
	}
	switch {
	case u.NTHash != "" && !md4Hex.MatchString(u.NTHash):
		k.add(at.key("nt_hash"), table, "nt_hash", "this is not what `hookswitch passwd --nt` printed: 32 digits 0-9 a-f")
	case u.NTHash != "" && !k.c.Auth.NTLM:
		k.add(at.key("nt_hash"), table, "nt_hash", "an NT hash is as good as the password and is not used: remove it, or set ntlm = true in [auth]")
	}
	for i, h := range u.TokenHash {
		if !sha256Hex.MatchString(h) {
			k.add(at.key("token_hash").item(i), table, "token_hash", "this is not what `hookswitch token` printed: 64 digits 0-9 a-f")
		}
	}
}

// unique tells a value that was there before. The empty one may be there often.
func (k *checker) unique(seen map[string]int, value string, at *place, table, key, what string) {
	if value == "" {
		return
	}
	line := at.key(key).line
	if first, ok := seen[value]; ok {
		k.add(at.key(key), table, key, "%s %s is already on line %d", what, quote(value), first)
		return
	}
	seen[value] = line
}

// policy checks what happens when no line is idle or nobody answers, and the SOAP services.
func (k *checker) policy() {
	c, at := k.c, k.root
	k.within(at.key("soap").key("retry_window"), "[soap]", "retry_window", c.SOAP.RetryWindow, 0, time.Minute)
	k.oneOf(at.key("lines").key("choose"), "[lines]", "choose", c.Choice.Choose, "first", "round-robin", "least-used")
	if c.Choice.Queue > maxQueue {
		k.add(at.key("lines").key("queue"), "[lines]", "queue", "at most %d", maxQueue)
	}
	k.within(at.key("lines").key("queue_wait"), "[lines]", "queue_wait", c.Choice.QueueWait, time.Second, maxWait)
	if c.Redial.Attempts > maxRedial {
		k.add(at.key("redial").key("attempts"), "[redial]", "attempts", "at most %d", maxRedial)
	}
	k.within(at.key("redial").key("interval"), "[redial]", "interval", c.Redial.Interval, time.Second, maxWait)
	k.oneOf(at.key("log").key("level"), "[log]", "level", c.Log.Level, "debug", "info", "warn", "error")
}

func (k *checker) within(at *place, table, key string, d, least, most time.Duration) {
	if d < least || d > most {
		k.add(at, table, key, "%v is not between %v and %v", d, least, most)
	}
}

var playKey = regexp.MustCompile(`^[0-9*#]{1,2}$`)

// none takes an action off a key.
const none = "none"

// keys checks [keys], and completes it with Exchange's keys where it changes any.
func (k *checker) keys() {
	const table = "[keys]"
	if k.c.Keys == nil {
		return
	}
	actions := []string{none}
	for _, a := range keypad.Actions {
		actions = append(actions, string(a))
	}
	keys := map[string]string{}
	for key, action := range keypad.Exchange {
		keys[key] = string(action)
	}
	for key, action := range k.c.Keys {
		at := k.root.key("keys").key(key)
		if !playKey.MatchString(key) {
			k.add(at, table, key, `there is no such key; write one of 0-9 * #, or two of them, in quotes: "33"`)
		}
		k.oneOf(at, table, key, action, actions...)
		keys[key] = action
	}
	maps.DeleteFunc(keys, func(_, action string) bool { return action == none })
	k.c.Keys = keys
}

func (k *checker) mail() {
	const table = "[mail]"
	m, at := k.c.Mail, k.root.key("mail")
	if m.SMTP == "" {
		if m.From != "" || m.User != "" || m.PasswordFile != "" {
			k.missing(at, table, "smtp", `name the server, such as smtp = "mail.example.com:587"`)
		}
		return
	}
	if host, _, _ := net.SplitHostPort(m.SMTP); !validHostPort(m.SMTP) || host == "" {
		k.add(at.key("smtp"), table, "smtp", `%s is no server; write "mail.example.com:587"`, quote(m.SMTP))
	}
	if m.From == "" {
		k.missing(at, table, "from", `name the sender, such as from = "hookswitch@example.com"`)
	} else if a, err := mail.ParseAddress(m.From); err != nil || a.Address != m.From {
		k.add(at.key("from"), table, "from", `%s is no mail address; write "hookswitch@example.com"`, quote(m.From))
	}
	if m.User != "" && m.PasswordFile == "" {
		k.missing(at, table, "password_file", "user needs the file that holds its password")
	}
}
