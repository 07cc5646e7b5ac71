package soap

import (
	"net/http"
	"strings"
)

// Namespaces of the two SOAP versions and of Exchange's services.
const (
	nsSOAP11   = "http://schemas.xmlsoap.org/soap/envelope/"
	nsSOAP12   = "http://www.w3.org/2003/05/soap-envelope"
	nsMessages = "http://schemas.microsoft.com/exchange/services/2006/messages"
	nsTypes    = "http://schemas.microsoft.com/exchange/services/2006/types"
	nsErrors   = "http://schemas.microsoft.com/exchange/services/2006/errors"
	nsInstance = "http://www.w3.org/2001/XMLSchema-instance"
	nsSchema   = "http://www.w3.org/2001/XMLSchema"
)

// inSpace reports whether a namespace as sent is space. Pages of the documentation show all
// of them with "https:", and people copy it.
func inSpace(sent []byte, space string) bool {
	if string(sent) == space {
		return true
	}
	const secure = "https://"
	return len(sent) > len(secure) && string(sent[:len(secure)]) == secure &&
		string(sent[len(secure):]) == space[len("http://"):]
}

// open reads the envelope as far as the start of Body's first child, the operation.
func (m *message) open(h *Handler, user string) error {
	x := &m.xml
	if err := x.Reset(m.in, m.charset); err != nil {
		return err
	}
	if _, err := x.Child(); err != nil {
		return err
	}
	switch {
	case string(x.Name.Local) != "Envelope":
		return notSOAP
	case inSpace(x.Name.Space, nsSOAP11):
	case inSpace(x.Name.Space, nsSOAP12):
		m.soap12 = true
	default:
		return notSOAP
	}
	ok, err := x.Child()
	if err != nil {
		return err
	}
	if ok && m.isEnvelope("Header") {
		if err := m.header(h, user); err != nil {
			return err
		}
		if ok, err = x.Child(); err != nil {
			return err
		}
	}
	switch {
	case !ok:
		return notSOAP
	case !m.isEnvelope("Body"):
		return x.Errorf("the element %s isn't expected here, but Body is", x.Name.Local)
	}
	if ok, err = x.Child(); err != nil {
		return err
	}
	if !ok {
		return notSOAP
	}
	m.operation = x.Name.Local
	return nil
}

// isEnvelope reports whether the parser stands at an element of the envelope.
func (m *message) isEnvelope(local string) bool {
	return string(m.xml.Name.Local) == local && m.isEnvelopeSpace(m.xml.Name.Space)
}

func (m *message) isEnvelopeSpace(space []byte) bool {
	if m.soap12 {
		return inSpace(space, nsSOAP12)
	}
	return inSpace(space, nsSOAP11)
}

// close reads the rest of the document after the operation's end: nothing may follow.
func (m *message) close() error {
	for range 3 { // Body, Envelope, the document
		ok, err := m.xml.Child()
		if err != nil {
			return err
		}
		if ok {
			return m.xml.Errorf("the element %s isn't expected here", m.xml.Name.Local)
		}
	}
	return nil
}

// next moves to the operation's next child, if it has one.
func (m *message) next() (err error) {
	m.child, err = m.xml.Child()
	return err
}

// header reads the elements of Header. RequestServerVersion and ExchangeImpersonation are
// obeyed, others of Exchange's and of WS-Addressing passed over; any other that must be
// understood is refused (SOAP 1.1 §4.2.3).
func (m *message) header(h *Handler, user string) error {
	x := &m.xml
	for {
		ok, err := x.Child()
		if err != nil || !ok {
			return err
		}
		known := inSpace(x.Name.Space, nsTypes) || inSpace(x.Name.Space, nsDiscover) ||
			isAddressing(x.Name.Space)
		switch {
		case !known && m.mustUnderstand():
			return &fault{kind: mustUnderstandFault,
				text: "The header element " + string(x.Name.Local) + " isn't understood, and must be."}
		case m.isNil(): // JAX-WS sends every header of the WSDL; those that a program leaves out are nil
			err = x.Skip()
		case inSpace(x.Name.Space, nsTypes) && string(x.Name.Local) == "RequestServerVersion":
			if version, _ := x.Attr("Version"); !knownVersion(string(version)) {
				return &fault{code: "ErrorInvalidServerVersion", text: "The specified server version is invalid."}
			}
			err = x.Skip()
		case inSpace(x.Name.Space, nsTypes) && string(x.Name.Local) == "ExchangeImpersonation":
			err = m.impersonation(h, user)
		default:
			err = x.Skip()
		}
		if err != nil {
			return err
		}
	}
}

// isNil reports whether the element at hand says that it isn't there (XML Schema part 1 §2.6.2).
func (m *message) isNil() bool {
	for _, a := range m.xml.Attrs {
		if string(a.Local) == "nil" && string(a.Space) == nsInstance {
			value := strings.TrimSpace(string(a.Value))
			return value == "1" || value == "true"
		}
	}
	return false
}

// mustUnderstand reports whether the header element at hand is for us and mandatory.
func (m *message) mustUnderstand() bool {
	must, ours := false, true
	for _, a := range m.xml.Attrs {
		if !m.isEnvelopeSpace(a.Space) {
			continue
		}
		switch value := strings.TrimSpace(string(a.Value)); string(a.Local) {
		case "mustUnderstand":
			must = value == "1" || value == "true"
		case "actor", "role": // SOAP 1.1 §4.2.2, SOAP 1.2 part 1 §2.2
			ours = value == "" || strings.HasSuffix(value, "/next") || strings.HasSuffix(value, "/ultimateReceiver")
		}
	}
	return must && ours
}

func isAddressing(space []byte) bool {
	return inSpace(space, "http://www.w3.org/2005/08/addressing") ||
		inSpace(space, "http://schemas.xmlsoap.org/ws/2004/08/addressing")
}

// knownVersion reports whether a RequestServerVersion is one that Exchange had (types.xsd,
// ExchangeVersionType).
func knownVersion(v string) bool {
	switch v {
	case "Exchange2007", "Exchange2007_SP1", "Exchange2009", "Exchange2010", "Exchange2010_SP1",
		"Exchange2010_SP2", "Exchange2012", "Exchange2013", "Exchange2013_SP1", "Exchange2015", "Exchange2016":
		return true
	}
	const dated = "V0000_00_00"
	if len(v) != len(dated) {
		return false
	}
	for i := range dated {
		if dated[i] == '0' && (v[i] < '0' || v[i] > '9') || dated[i] != '0' && v[i] != dated[i] {
			return false
		}
	}
	return true
}

// impersonation reads ExchangeImpersonation. We can't act for another user, and must not
// silently act as the caller instead; to name the caller does no harm.
func (m *message) impersonation(h *Handler, user string) error {
	x := &m.xml
	allowed, denied, empty := false, false, true
	for depth := 0; depth >= 0; { // ConnectingSID, and one of its four children
		ok, err := x.Child()
		empty = empty && !ok
		switch {
		case err != nil:
			return err
		case !ok:
			depth--
		case string(x.Name.Local) == "ConnectingSID" && depth == 0:
			depth++
		case depth == 1 && string(x.Name.Local) != "SID":
			name, err := x.Content()
			if err != nil {
				return err
			}
			if allowed = h.isUser(string(name), user); !allowed {
				denied = true
			}
		default:
			denied = true
			if err := x.Skip(); err != nil {
				return err
			}
		}
	}
	if empty { // Perl's SOAP::WSDL always sends the first header of the WSDL
		return nil
	}
	if denied || !allowed {
		return &fault{code: "ErrorImpersonateUserDenied", text: "The account does not have permission to impersonate the requested user."}
	}
	return nil
}

// isUser reports whether name, an address or a user principal name, is user.
func (h *Handler) isUser(name, user string) bool {
	if strings.EqualFold(name, user) {
		return name != ""
	}
	if h.UserByEmail == nil {
		return false
	}
	found, ok := h.UserByEmail(name)
	return ok && found == user
}

// call performs the operation in the body and writes the response.
func (m *message) call(h *Handler, r *http.Request, service service) error {
	user := h.User(r)
	if err := m.open(h, user); err != nil {
		return err
	}
	x := &m.xml
	if !inSpace(x.Name.Space, nsMessages) {
		return x.Errorf("the element %s in the namespace '%s' isn't expected here", m.operation, x.Name.Space)
	}
	if err := m.next(); err != nil {
		return err
	}
	if string(m.operation) == "PlayOnPhone" && m.child {
		// Both services have it, by the same name. The path tells which is meant, unless the
		// first child is only the other's.
		switch {
		case strings.EqualFold(string(x.Name.Local), "entryId"):
			service = unifiedMessaging
		case strings.EqualFold(string(x.Name.Local), "ItemId"):
			service = exchange
		}
	}
	if service == unifiedMessaging {
		return m.callUM(h, r.Context(), user)
	}
	return m.callEWS(h, r, user)
}

// is reports whether the operation's child at hand has a name. Its case doesn't matter:
// documentation spells some names two ways.
func (m *message) is(local string) bool {
	return m.child && inSpace(m.xml.Name.Space, nsMessages) && strings.EqualFold(string(m.xml.Name.Local), local)
}

// expect reports an error unless the child at hand is local; an empty local means that there
// must be no more.
func (m *message) expect(local string) error {
	switch {
	case local == "" && m.child:
		return m.xml.Errorf("the element %s isn't expected here", m.xml.Name.Local)
	case local == "" || m.is(local):
		return nil
	case m.child:
		return m.xml.Errorf("the element %s in the namespace '%s' isn't expected here, but %s is",
			m.xml.Name.Local, m.xml.Name.Space, local)
	}
	return m.xml.Errorf("the required element %s is missing", local)
}
