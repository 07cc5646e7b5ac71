package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/mailbox"
)

// API is the JSON interface of the command line and of the page. A user sees only their own
// calls and messages, an administrator all.
type API struct {
	Calls *call.Exchange
	Store *mailbox.Store
	Play  func(user, item, dial string) (call.Info, error)
	Log   *slog.Logger
}

// Handler serves /api/ and the page.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/lines", a.lines)
	mux.HandleFunc("GET /api/calls", a.list)
	mux.HandleFunc("POST /api/calls", a.play)
	mux.HandleFunc("GET /api/calls/{id}", a.call)
	mux.HandleFunc("DELETE /api/calls/{id}", a.disconnect)
	mux.HandleFunc("GET /api/messages", a.messages)
	mux.HandleFunc("GET /api/version", a.version)
	mux.HandleFunc("GET /{$}", a.page)
	return http.NewCrossOriginProtection().Handler(mux)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Problem is the body of every answer that is not a success.
type Problem struct {
	Error string `json:"error"`
}

// advice maps errors to a status and to one sentence with what to do next.
var advice = []struct {
	err    error
	status int
	text   string
}{
	{call.ErrUnknown, http.StatusNotFound, "no such call; see hookswitch calls"},
	{call.ErrNumber, http.StatusBadRequest, ""},
	{call.ErrDenied, http.StatusForbidden, ""},
	{call.ErrUserBusy, http.StatusConflict, "you already have a call; hang it up first"},
	{call.ErrNoLine, http.StatusServiceUnavailable, "every line is busy; try again when a call has ended"},
	{call.ErrFault, http.StatusServiceUnavailable, ""},
	{call.ErrOnHook, http.StatusInternalServerError, "the line is not confirmed on-hook; look at hookswitch lines and at the modem"},
	{mailbox.ErrItem, http.StatusNotFound, "no such message; see hookswitch messages"},
	{mailbox.ErrItemID, http.StatusBadRequest, "that is not an item id; see hookswitch messages"},
	{audio.ErrFormat, http.StatusUnprocessableEntity, ""},
	{audio.ErrBroken, http.StatusUnprocessableEntity, ""},
	{audio.ErrLimit, http.StatusUnprocessableEntity, ""},
}

func (a *API) fail(w http.ResponseWriter, err error) {
	for _, row := range advice {
		if errors.Is(err, row.err) {
			text := row.text
			if text == "" {
				text = err.Error()
			}
			reply(w, row.status, Problem{text})
			return
		}
	}
	a.Log.Error("request failed", "error", err)
	reply(w, http.StatusInternalServerError, Problem{"internal error; the daemon's log says what happened"})
}

func (a *API) lines(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, a.Calls.Lines()) }

// visible says whether a user may see a call.
func visible(u User, c call.Info) bool { return u.Admin || c.User == u.Name }

func (a *API) list(w http.ResponseWriter, r *http.Request) {
	calls := []call.Info{} // never null
	for _, c := range a.Calls.Calls() {
		if visible(UserOf(r), c) {
			calls = append(calls, c)
		}
	}
	reply(w, http.StatusOK, calls)
}

func (a *API) find(r *http.Request) (call.Info, error) {
	c, err := a.Calls.Call(r.PathValue("id"))
	if err == nil && !visible(UserOf(r), c) {
		err = call.ErrUnknown
	}
	return c, err
}

func (a *API) call(w http.ResponseWriter, r *http.Request) {
	c, err := a.find(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, c)
}

func (a *API) play(w http.ResponseWriter, r *http.Request) {
	var req struct{ Item, Number string }
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	body.DisallowUnknownFields()
	if err := body.Decode(&req); err != nil {
		reply(w, http.StatusBadRequest, Problem{"the body must be JSON with item and number"})
		return
	}
	c, err := a.Play(UserOf(r).Name, req.Item, req.Number)
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusCreated, c)
}

func (a *API) disconnect(w http.ResponseWriter, r *http.Request) {
	c, err := a.find(r)
	if err == nil {
		err = a.Calls.Disconnect(r.Context(), c.ID)
	}
	if err == nil {
		c, err = a.find(r)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, c)
}

func (a *API) messages(w http.ResponseWriter, r *http.Request) {
	user := UserOf(r).Name
	if UserOf(r).Admin {
		user = ""
	}
	list, err := a.Store.Messages(user)
	if err != nil {
		a.fail(w, err)
		return
	}
	if list == nil {
		list = []mailbox.Message{}
	}
	reply(w, http.StatusOK, list)
}

func (a *API) version(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, Build()) }

// BuildInfo is which program this is.
type BuildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// version is set by the linker in a release: -X hookswitch/firmware/web.version=1.2.3.
var version = "development"

// Build says which program this is.
func Build() BuildInfo {
	b := BuildInfo{Version: version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = strings.TrimPrefix(info.GoVersion, "go")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	return b
}
