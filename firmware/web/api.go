package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/dialing"
	"hookswitch/firmware/mailbox"
	"hookswitch/firmware/sentence"
	"hookswitch/soap"
)

const maxRequest = 64 << 10 // bytes of a request's body

// API is the JSON interface of the command line, and the page. A user sees only their own
// calls and messages, an administrator all.
//
//	GET    /api/lines         array of call.LineInfo
//	GET    /api/faults        array of strings: what a person must put right on the board
//	GET    /api/quota         array of dialing.Use: what is used of the board's bounds
//	GET    /api/calls         array of call.Info, newest first
//	POST   /api/calls         {"item": …, "number": …} starts a call: its call.Info
//	GET    /api/calls/{id}    call.Info; in a path the id's / + = are escaped
//	DELETE /api/calls/{id}    hangs up; the call.Info once the line is on-hook
//	GET    /api/messages      array of mailbox.Message, newest first; ?offset=, ?limit=, ?deleted=1
//	POST   /api/messages/{id}/restore  brings a deleted one back: its mailbox.Message
//	GET    /api/events        server-sent events: see events.go
//	GET    /api/version       BuildInfo
//	GET    /                  the page
//
// An answer that is not a success has a Problem for its body.
type API struct {
	Calls *call.Exchange
	Store *mailbox.Store
	Play  func(ctx context.Context, user, item, dial string) (call.Info, error)
	Log   *slog.Logger

	Updates bool            // the page offers to update the software, at /api/update
	Faults  func() []string // what is wrong with the board, besides its lines; may be nil

	streams streams
}

// Handler serves the interface and the page. It belongs behind Auth.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/lines", a.lines)
	mux.HandleFunc("GET /api/faults", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, a.faults()) })
	mux.HandleFunc("GET /api/quota", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, a.Calls.Uses()) })
	mux.HandleFunc("GET /api/calls", a.list)
	mux.HandleFunc("POST /api/calls", a.play)
	mux.HandleFunc("GET /api/calls/{id}", a.call)
	mux.HandleFunc("DELETE /api/calls/{id}", a.disconnect)
	mux.HandleFunc("GET /api/messages", a.messages)
	mux.HandleFunc("POST /api/messages/{id}/restore", a.restore)
	mux.HandleFunc("GET /api/events", a.events)
	mux.HandleFunc("GET /api/version", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, Build()) })
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, Problem{"there is nothing at this address, or it takes another method"})
	})
	mux.HandleFunc("GET /{$}", a.page)
	mux.HandleFunc("GET /page.js", script)
	return mux
}

func reply(w http.ResponseWriter, status int, v any) {
	header(w, status)
	_ = json.NewEncoder(w).Encode(v)
}

// header begins an answer in JSON.
func header(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
}

// Problem says in a sentence what is wrong and what to do next.
type Problem struct {
	Error string `json:"error"`
}

// advice is the status of each error, and what to do next; the first match holds. What is
// not here is an internal error, shown to nobody.
var advice = []struct {
	err    error
	status int
	next   string
}{
	{dialing.ErrNumber, http.StatusBadRequest, ""},
	{dialing.ErrDenied, http.StatusForbidden, "; see allow and deny in [dialing]"},
	{dialing.ErrQuota, http.StatusTooManyRequests, ""},
	{call.ErrUserBusy, http.StatusConflict, "; hang it up first"},
	{call.ErrNoLine, http.StatusServiceUnavailable, "; try again when a call has ended"},
	{call.ErrRinging, http.StatusServiceUnavailable, "; try again when it has stopped"},
	{call.ErrFault, http.StatusServiceUnavailable, "; see hookswitch lines"},
	{call.ErrUnknown, http.StatusNotFound, "; see hookswitch calls"},
	{call.ErrOnHook, http.StatusInternalServerError, "; see hookswitch lines, and look at the modem"},
	{mailbox.ErrItem, http.StatusNotFound, "; see hookswitch messages"},
	{mailbox.ErrItemID, http.StatusBadRequest, "; see hookswitch messages"},
	{mailbox.ErrUnfinished, http.StatusUnprocessableEntity, ""},
	{mailbox.ErrUnreadable, http.StatusUnprocessableEntity, ""},
	{mailbox.ErrMailbox, http.StatusServiceUnavailable, "; see the faults on the page of the board"},
	{audio.ErrFormat, http.StatusUnprocessableEntity, ""},
	{audio.ErrBroken, http.StatusUnprocessableEntity, ""},
	{audio.ErrLimit, http.StatusUnprocessableEntity, ""},
	{soap.ErrNotEnabled, http.StatusForbidden, "; see um of the [[user]]"},
}

// fail answers a request that is refused, or has failed, and logs it.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	log := a.Log.With("user", UserOf(r).Name, "operation", asked(r))
	if errors.Is(err, context.Canceled) {
		log.Info("the client has gone, nothing was done")
		return
	}
	for _, row := range advice {
		if errors.Is(err, row.err) {
			log.Warn("request refused", "reason", clip(err.Error()))
			reply(w, row.status, Problem{sentence.Of(err) + row.next})
			return
		}
	}
	var own interface {
		error
		Sentence() string
	}
	if errors.As(err, &own) { // a card that can't be read, and the like
		log.Warn("request refused", "reason", clip(err.Error()))
		reply(w, http.StatusUnprocessableEntity, Problem{own.Sentence()})
		return
	}
	log.Error("request failed", "error", err)
	reply(w, http.StatusInternalServerError, Problem{"internal error; the daemon's log says which"})
}

func (a *API) lines(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, a.shown(UserOf(r)))
}

// shown are the lines as a user may see them: somebody else's call has no id.
func (a *API) shown(u User) []call.LineInfo {
	lines := a.Calls.Lines()
	for i := range lines {
		if _, err := a.find(u, lines[i].Call); err != nil {
			lines[i].Call = ""
		}
	}
	return lines
}

// faults is never nil.
func (a *API) faults() []string {
	if a.Faults == nil {
		return []string{}
	}
	return a.Faults()
}

func (a *API) list(w http.ResponseWriter, r *http.Request) {
	replyList(w, a.visible(UserOf(r)))
}

// sees says whether a user may see a call.
func (u User) sees(c call.Info) bool { return u.Admin || c.User == u.Name }

// visible are the calls that a user may see; never nil.
func (a *API) visible(u User) []call.Info {
	calls := []call.Info{}
	for _, c := range a.Calls.Calls() {
		if u.sees(c) {
			calls = append(calls, c)
		}
	}
	return calls
}

// find is a call that a user may see: somebody else's is as unknown as one that never was.
func (a *API) find(u User, id string) (call.Info, error) {
	c, err := a.Calls.Call(id)
	if err == nil && !u.sees(c) {
		err = call.ErrUnknown
	}
	return c, err
}

func (a *API) call(w http.ResponseWriter, r *http.Request) {
	c, err := a.find(UserOf(r), r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, c)
}

func (a *API) play(w http.ResponseWriter, r *http.Request) {
	var req struct{ Item, Number string }
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	body.DisallowUnknownFields()
	if err := body.Decode(&req); err != nil || body.More() {
		a.Log.Warn("request refused", "user", UserOf(r).Name, "operation", asked(r), "reason", clip(fmt.Sprint(err)))
		reply(w, http.StatusBadRequest, Problem{`the body is to be {"item": …, "number": …}`})
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // it would pass for a client that has gone
	c, err := a.Play(r.Context(), UserOf(r).Name, req.Item, req.Number)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	reply(w, http.StatusCreated, c)
}

// disconnect hangs up, whether the client waits for it or not.
func (a *API) disconnect(w http.ResponseWriter, r *http.Request) {
	user, id := UserOf(r), r.PathValue("id")
	c, err := a.find(user, id)
	if err == nil {
		err = a.Calls.Disconnect(context.WithoutCancel(r.Context()), id)
	}
	if err == nil {
		c, err = a.find(user, id)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, c)
}

// box is the mailbox whose messages a user sees; "" is all of them.
func (u User) box() string {
	if u.Admin {
		return ""
	}
	return u.Name
}
