package soap

import (
	"context"
	"errors"
	"net/http"

	"hookswitch/soap/internal/xmlpull"
)

// maxLogged is the most bytes of what a client sent that go into a line of the log.
const maxLogged = 80

// refused logs a request that is not done: whose it is, what it asks for, why not and, for XML
// that can't be used, where. An error that no client is told of is logged as one.
func (m *message) refused(h *Handler, r *http.Request, err error) {
	operation := string(m.operation[:min(len(m.operation), maxLogged)])
	log := h.log().With("user", h.User(r), "path", r.URL.Path, "operation", operation)
	var violation *xmlpull.Error
	var f *fault
	switch {
	case errors.Is(err, context.Canceled):
		log.Info("soap: the client has gone, nothing was done")
	case errors.As(err, &violation):
		log.Warn("soap: request refused", "reason", short(violation.Msg), "line", violation.Line, "column", violation.Column)
	case errors.As(err, &f):
		line, column := m.xml.Position()
		log.Warn("soap: request refused", "reason", short(f.Error()), "line", line, "column", column)
	case refusalOf(err) == &internalRefusal:
		log.Error("soap: operation failed", "err", err)
	default:
		log.Warn("soap: request refused", "reason", short(err.Error()))
	}
}

// short bounds a text that may quote what a client sent.
func short(text string) string {
	if len(text) > 4*maxLogged {
		return text[:4*maxLogged] + "…"
	}
	return text
}
