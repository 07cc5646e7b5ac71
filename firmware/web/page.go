package web

import (
	_ "embed"
	"html/template"
	"net/http"

	"hookswitch/firmware/call"
	"hookswitch/firmware/mailbox"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// page shows a person what the board does now.
func (a *API) page(w http.ResponseWriter, r *http.Request) {
	user := UserOf(r)
	box := user.Name
	if user.Admin {
		box = ""
	}
	messages, err := a.Store.Messages(box)
	if err != nil {
		a.Log.Error("page: messages", "error", err)
	}
	var calls []call.Info
	for _, c := range a.Calls.Calls() {
		if visible(user, c) && len(calls) < 20 {
			calls = append(calls, c)
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = page.Execute(w, struct {
		User     User
		Lines    []call.LineInfo
		Calls    []call.Info
		Messages []mailbox.Message
		Build    BuildInfo
	}{user, a.Calls.Lines(), calls, messages, Build()})
}
