package soap

import (
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Namespaces of "plain old XML" Autodiscover ([MS-OXDSCLI] 2.2.2).
const (
	nsPOXRequest  = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
	nsPOXResponse = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
	nsPOXOutlook  = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
)

// poxError is an error of Autodiscover, which is answered with HTTP 200 ([MS-OXDSCLI]
// 2.2.4.1.1.2.6).
type poxError struct {
	code int
	text string
}

var (
	poxUnknown  = &poxError{500, "The email address can't be found."}
	poxInvalid  = &poxError{600, "Invalid Request"}
	poxProvider = &poxError{601, "Provider is not available"}
)

// autodiscover makes m.w the answer to a POX request.
func (m *message) autodiscover(h *Handler, r *http.Request) {
	email, problem := m.poxRequest()
	user := ""
	if problem == nil {
		var ok bool
		if user, ok = h.addressee(r, email); !ok {
			problem = poxUnknown
		}
	}
	if problem != nil {
		line, column := m.xml.Position()
		h.log().Warn("soap: request refused", "user", h.User(r), "path", r.URL.Path, "operation", "Autodiscover", "reason", problem.text, "line", line, "column", column)
	}
	m.w.pox(func() {
		if problem != nil {
			problem.write(&m.w)
		} else {
			writePOX(&m.w, user, email, h.baseURL(r))
		}
	})
}

// pox writes an Autodiscover document, whose Response is written by response.
func (w *writer) pox(response func()) {
	w.begin(spacedEnd)
	w.open("Autodiscover", "xmlns", nsPOXResponse)
	response()
	w.closeAll()
}

// writePOX writes the answer for a user.
func writePOX(w *writer, user, email, base string) {
	w.open("Response", "xmlns", nsPOXOutlook)
	w.open("User")
	w.leaf("DisplayName", user)
	w.leaf("LegacyDN", legacyDN(user))
	w.leaf("AutoDiscoverSMTPAddress", email)
	w.close()
	w.open("Account")
	w.leaf("AccountType", "email")
	w.leaf("Action", "settings")
	for _, kind := range [...]string{"EXCH", "EXPR"} { // inside the network, and outside it
		w.open("Protocol")
		w.leaf("Type", kind)
		w.leaf("ASUrl", base+"/EWS/Exchange.asmx")
		w.leaf("EwsUrl", base+"/EWS/Exchange.asmx")
		w.leaf("OOFUrl", base+"/EWS/Exchange.asmx")
		w.leaf("UMUrl", base+"/EWS/UM2007Legacy.asmx")
		w.close()
	}
}

// poxRequest reads the request in m.in.
func (m *message) poxRequest() (email string, problem *poxError) {
	x := &m.xml
	if err := x.Reset(m.in, m.charset); err != nil {
		return "", poxInvalid
	}
	if _, err := x.Child(); err != nil || string(x.Name.Local) != "Autodiscover" {
		return "", poxInvalid
	}
	schema := ""
	outlook := inSpace(x.Name.Space, nsPOXRequest)
	for depth := 0; depth >= 0; { // Request, and its children
		ok, err := x.Child()
		if err != nil {
			return "", poxInvalid
		}
		if !ok {
			depth--
			continue
		}
		switch local := string(x.Name.Local); {
		case depth == 0 && local == "Request":
			depth++
		case depth == 1 && (local == "EMailAddress" || local == "AcceptableResponseSchema"):
			text, err := x.Content()
			if err != nil {
				return "", poxInvalid
			}
			if local == "EMailAddress" {
				email = string(text)
			} else {
				schema = string(text)
			}
		default:
			if err := x.Skip(); err != nil {
				return "", poxInvalid
			}
		}
	}
	switch _, err := x.Child(); {
	case err != nil, email == "", schema == "":
		return "", poxInvalid
	case !outlook, !inSpace([]byte(schema), nsPOXOutlook):
		return "", poxProvider
	}
	return email, nil
}

// write writes the Response that tells of the error. It is never in the namespace of answers:
// exchangelib takes one that is for an answer, and breaks.
func (e *poxError) write(w *writer) {
	w.open("Response")
	w.open("Error", "Time", time.Now().Format("15:04:05.0000000"), "Id", strconv.FormatUint(uint64(rand.Uint32()), 10))
	w.leaf("ErrorCode", strconv.Itoa(e.code))
	w.leaf("Message", e.text)
	w.open("DebugData")
	w.close()
}

// legacyDN is a user's name in the form that Exchange had it in its directory ([MS-OXDSCLI]
// 2.2.4.1.1.1.5). Clients take it for one and the same user's, and no more.
func legacyDN(user string) string {
	return "/o=hookswitch/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=" + user
}

// addressee finds the user with an address.
func (h *Handler) addressee(r *http.Request, email string) (user string, ok bool) {
	if h.UserByEmail != nil {
		return h.UserByEmail(email)
	}
	return h.User(r), strings.Contains(email, "@")
}

// baseURL is where the client reached us, without a path.
func (h *Handler) baseURL(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	host := r.Host
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); host == "" && ok {
		host = local.String() // HTTP/1.0 has no Host
	}
	if h.Host != "" {
		_, port, err := net.SplitHostPort(host)
		host = h.Host
		if err == nil {
			host = net.JoinHostPort(h.Host, port)
		}
	}
	return scheme + host
}
