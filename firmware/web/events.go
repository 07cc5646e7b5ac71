package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"hookswitch/firmware/call"
)

const (
	maxStreams = 32               // open at once,
	maxOfUser  = 8                // of one user
	heartbeat  = 15 * time.Second // so that a client that has gone is noticed
)

// streams counts the open event streams: each holds a connection that is always at work.
type streams struct {
	mu   sync.Mutex // guards what follows
	open int
	of   map[string]int // by user
}

func (s *streams) enter(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxStreams || s.of[user] >= maxOfUser {
		return false
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.open++
	s.of[user]++
	return true
}

func (s *streams) leave(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.of[user]--
}

// events streams what changes as server-sent events: first every line and every call that
// has not ended, then each that changes, as events "line" and "call" with the JSON of
// call.LineInfo and call.Info. What changes twice quickly may be sent once.
//
// With ?call=ID it is that call alone, first as it is, until it is Disconnected.
func (a *API) events(w http.ResponseWriter, r *http.Request) {
	user, id := UserOf(r), r.URL.Query().Get("call")
	if id != "" {
		if _, err := a.find(user, id); err != nil {
			a.fail(w, r, err)
			return
		}
	}
	if !a.streams.enter(user.Name) {
		w.Header().Set("Retry-After", "5")
		reply(w, http.StatusServiceUnavailable, Problem{"too many open event streams; close one"})
		return
	}
	defer a.streams.leave(user.Name)
	s := &stream{w: w, out: http.NewResponseController(w)}
	_ = s.out.SetReadDeadline(time.Time{}) // the limit of a request is not one of its answer
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	if id != "" {
		s.run(r.Context(), a.Calls, func() bool { return a.tellCall(s, id) })
		return
	}
	s.lines, s.calls = map[string]call.LineInfo{}, map[string]call.Info{}
	s.run(r.Context(), a.Calls, func() bool { return a.tellAll(s, user) })
}

// stream is one open event stream and what its client was told.
type stream struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	last  call.Info
	lines map[string]call.LineInfo
	calls map[string]call.Info
	err   error
}

// run calls tell, now and after each change, until it returns false or the client has gone.
func (s *stream) run(ctx context.Context, calls *call.Exchange, tell func() (more bool)) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		changed := calls.Changed() // before tell looks: no change is missed
		if more := tell(); !more || s.out.Flush() != nil || s.err != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			_, s.err = s.w.Write([]byte(": still here\n\n"))
		case <-ctx.Done():
			return
		}
	}
}

func (s *stream) send(event string, v any) {
	data, err := json.Marshal(v)
	if err == nil {
		_, err = s.w.Write([]byte("event: " + event + "\ndata: " + string(data) + "\n\n"))
	}
	if err != nil {
		s.err = err
	}
}

func (a *API) tellCall(s *stream, id string) (more bool) {
	c, err := a.Calls.Call(id)
	if err != nil {
		return false
	}
	if c != s.last {
		s.send("call", c)
		s.last = c
	}
	return c.State != call.Disconnected
}

func (a *API) tellAll(s *stream, u User) (more bool) {
	for _, l := range a.shown(u) {
		if s.lines[l.Name] != l {
			s.send("line", l)
			s.lines[l.Name] = l
		}
	}
	for _, c := range a.visible(u) {
		before, told := s.calls[c.ID]
		switch {
		case told && before != c, !told && c.State != call.Disconnected:
			s.send("call", c)
			s.calls[c.ID] = c
		}
	}
	return true
}
