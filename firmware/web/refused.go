package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// maxStrangers is how many requests and connections that nobody has logged in on are logged a
// minute. They are worth a line each to a person who looks for why a client gets nothing, and
// whoever scans the network must not fill the log with them.
const maxStrangers = 20

// strangerLog logs what strangers are refused.
type strangerLog struct {
	mu     sync.Mutex // guards what follows
	minute time.Time  // when counting began
	count  int
}

// warn logs an event unless there were too many within the minute; how many it has left out
// is in the first line after that.
func (l *strangerLog) warn(log *slog.Logger, text string, args ...any) {
	l.mu.Lock()
	left := 0
	if now := time.Now(); now.Sub(l.minute) >= time.Minute {
		left, l.minute, l.count = l.count-maxStrangers, now, 0
	}
	l.count++
	tell := l.count <= maxStrangers
	l.mu.Unlock()
	if left > 0 {
		args = append(args, "not logged before this", left)
	}
	if tell {
		log.Warn(text, args...)
	}
}

// maxLogged is the most bytes of what a client sent that go into a line of the log.
const maxLogged = 200

// asked is what a request asks for.
func asked(r *http.Request) string { return clip(r.Method + " " + r.URL.Path) }

func clip(text string) string {
	if len(text) > maxLogged {
		return text[:maxLogged] + "…"
	}
	return text
}

// serverLog is where net/http tells of connections that it gives up.
type serverLog struct {
	log       *slog.Logger
	strangers strangerLog
}

// Write implements io.Writer for a line of http.Server.ErrorLog. A client that refuses our
// certificate, or speaks no TLS that we do, is one that somebody wonders about; one that only
// goes away is a scanner, or has a broken link.
func (l *serverLog) Write(line []byte) (int, error) {
	const handshake = "http: TLS handshake error from "
	about, is := bytes.CutPrefix(bytes.TrimSpace(line), []byte(handshake))
	from, reason, ok := bytes.Cut(about, []byte(": "))
	gone := bytes.HasSuffix(reason, []byte("EOF"))
	for _, text := range []string{"reset by peer", "timeout", "closed"} {
		gone = gone || bytes.Contains(reason, []byte(text))
	}
	switch {
	case !is || !ok || gone:
		l.log.Debug(string(bytes.TrimSpace(line)))
	default:
		l.strangers.warn(l.log, "TLS handshake refused", "from", string(from), "reason", clip(string(reason)))
	}
	return len(line), nil
}
