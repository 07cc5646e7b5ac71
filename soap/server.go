package soap

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
)

// Handler serves the two telephone services, Autodiscover and their contract files. It knows
// its paths itself and matches them without regard to case, as IIS does; Serves tells which
// they are. Phone, Mailbox and User must be set.
type Handler struct {
	Phone   Phone
	Mailbox Mailbox

	// User gives the name of the user that an outer layer has authenticated.
	User func(*http.Request) string

	// UserByEmail finds the user whose address email is, for Autodiscover and for the
	// impersonation of oneself. Nil if users have no addresses: Autodiscover then answers
	// for any address.
	UserByEmail func(email string) (user string, ok bool)

	// Host is the host name that goes into URLs; the port is the request's. Empty means the
	// host that the client asked for.
	Host string

	// AlertedState reports the state Alerted as it is. Without it Alerted is Connecting: the
	// specification says that only Connecting, Connected and Disconnected are sent, and
	// Outlook is known to know only these ([MS-OXWUMS] 3.1.4.3.4.1).
	AlertedState bool

	// Log gets internal errors, which are never shown to clients. Nil drops them.
	Log *slog.Logger
}

// service is one of the interfaces that share the handler.
type service uint8

const (
	unifiedMessaging service = iota
	exchange
	autodiscoverPOX
	autodiscoverSOAP
	contractFile
)

// endpoints are the paths served. Exchange 2007 and 2010 had the UM service at different ones.
var endpoints = [...]struct {
	path    string
	service service
}{
	{"/EWS/UM2007Legacy.asmx", unifiedMessaging},
	{"/EWS/Exchange.asmx", exchange},
	{"/UnifiedMessaging/Service.asmx", unifiedMessaging},
	{"/autodiscover/autodiscover.xml", autodiscoverPOX},
	{"/autodiscover/autodiscover.svc", autodiscoverSOAP},
	{"/EWS/Services.wsdl", contractFile},
	{"/EWS/messages.xsd", contractFile},
	{"/EWS/types.xsd", contractFile},
	{"/EWS/UM2007Legacy.wsdl", contractFile},
	{"/EWS/UM2007Legacy.xsd", contractFile},
}

// find gives the endpoint of a path, in its published case.
func find(path string) (string, service, bool) {
	for i := range endpoints {
		if e := &endpoints[i]; e.path == path || strings.EqualFold(e.path, path) {
			return e.path, e.service, true
		}
	}
	return "", 0, false
}

// Serves reports whether a Handler has anything at path.
func Serves(path string) bool {
	_, _, ok := find(path)
	return ok
}

// Public reports whether r needs no authentication: it asks for a page, a WSDL or a schema,
// and can change and learn nothing.
func Public(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return Serves(r.URL.Path)
	}
	return false
}

// isBrowser reports whether a browser says where a request comes from.
func isBrowser(r *http.Request) bool {
	return len(r.Header["Sec-Fetch-Site"]) > 0 || len(r.Header["Origin"]) > 0
}

// sameOrigin refuses what a browser sends on behalf of another site's page.
var sameOrigin http.CrossOriginProtection

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, service, ok := find(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	switch {
	case r.Method == http.MethodPost && service != contractFile:
		h.post(w, r, service)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		h.get(w, r, path, service)
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST")
		if service == contractFile {
			w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.turnAway(w, r, http.StatusMethodNotAllowed, "this address takes POST")
	}
}

// turnAway refuses a request whose body is not read.
func (h *Handler) turnAway(w http.ResponseWriter, r *http.Request, status int, reason string) {
	h.log().Warn("soap: request refused", "user", h.User(r), "path", r.URL.Path, "method", r.Method, "reason", reason)
	http.Error(w, reason, status)
}

// post answers a request that has a body of XML.
func (h *Handler) post(w http.ResponseWriter, r *http.Request, service service) {
	echoRequestID(w, r)
	if isBrowser(r) && sameOrigin.Check(r) != nil {
		h.turnAway(w, r, http.StatusForbidden, "this request comes from another site's page")
		return
	}
	m := messages.Get().(*message)
	defer m.free()
	if err := m.read(w, r); err != nil {
		h.log().Warn("soap: request refused", "user", h.User(r), "path", r.URL.Path, "reason", err)
		refuse(w, r, err)
		return
	}
	status := http.StatusOK
	switch service {
	case autodiscoverPOX:
		m.autodiscover(h, r)
	case autodiscoverSOAP:
		status = m.answer(h, r, service, m.autodiscoverSOAP)
	default:
		status = m.answer(h, r, service, m.call)
	}
	m.send(w, r, status)
}

// answer runs call, which writes its response, and makes a fault of its error. A
// panic is an internal error of this request only.
func (m *message) answer(h *Handler, r *http.Request, service service, call func(*Handler, *http.Request, service) error) (status int) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // what was panicked with, as it is
				panic(p)
			}
			h.log().Error("soap: panic", "panic", p, "stack", string(debug.Stack()))
			m.writeFault(internalFault)
			status = http.StatusInternalServerError
		}
	}()
	err := call(h, r, service)
	if err == nil {
		return http.StatusOK
	}
	m.refused(h, r, err)
	m.writeFault(faultOf(service, err))
	return http.StatusInternalServerError
}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}
