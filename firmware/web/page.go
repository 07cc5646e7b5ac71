package web

import (
	_ "embed"
	"html/template"
	"net/http"

	"hookswitch/firmware/call"
	"hookswitch/firmware/mailbox"
)

// What is on the page; the command line lists all.
const (
	pageCalls    = 20
	pageMessages = 100
)

//go:embed page.html
var pageText string

//go:embed page.js
var pageScript []byte

var page = template.Must(template.New("page").Parse(pageText))

// page shows a person what the board does now.
func (a *API) page(w http.ResponseWriter, r *http.Request) {
	user := UserOf(r)
	messages, err := a.Store.Messages(user.box())
	if err != nil {
		a.Log.Error("page: messages", "error", err)
	}
	calls := a.visible(user)
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'self'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	_ = page.Execute(w, struct {
		User     User
		Faults   []string
		Lines    []call.LineInfo
		Calls    []call.Info
		Messages []mailbox.Message
		More     int // messages
		Build    BuildInfo
		Update   bool
	}{user, a.faults(), a.shown(user), calls[:min(len(calls), pageCalls)], messages[:min(len(messages), pageMessages)], max(0, len(messages)-pageMessages), Build(), a.Updates && user.Admin})
}

// script keeps the page up to date, and shows how an update goes.
func script(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(pageScript)
}
