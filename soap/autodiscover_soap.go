package soap

import (
	"net/http"
	"slices"
	"strings"
)

// Namespaces of SOAP Autodiscover ([MS-OXWSADISC] 2.2.1).
const (
	nsDiscover   = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
	nsAddressing = "http://www.w3.org/2005/08/addressing"
)

// A request names at most so many mailboxes or domains (as Exchange) and settings: the
// answer has every setting for every one of them.
const (
	maxAddressees = 100
	maxSettings   = 64
)

// autodiscoverSOAP performs GetUserSettings ([MS-OXWSADISC] 3.1.4.4) or GetDomainSettings
// (3.1.4.1) and writes the response.
func (m *message) autodiscoverSOAP(h *Handler, r *http.Request, _ service) error {
	if err := m.open(h, h.User(r)); err != nil {
		return err
	}
	x := &m.xml
	if !inSpace(x.Name.Space, nsDiscover) {
		return x.Errorf("the element %s in the namespace '%s' isn't expected here", m.operation, x.Name.Space)
	}
	operation, isMessage := strings.CutSuffix(string(m.operation), "RequestMessage")
	q := discoverRequest{kind: "User"}
	switch {
	case isMessage && operation == "GetUserSettings":
	case isMessage && operation == "GetDomainSettings":
		q.kind = "Domain"
	default:
		return &fault{code: "ErrorInvalidRequest",
			text: "The request is invalid: the operation " + operation + " is not supported by this server."}
	}
	if err := m.discoverRequest(&q); err != nil {
		return err
	}
	if err := m.close(); err != nil {
		return err
	}
	w := &m.w
	w.begin(spacedEnd)
	w.open("s:Envelope", "xmlns:s", m.space(), "xmlns:a", nsAddressing)
	writeDiscoverHeader(w, operation)
	w.open("s:Body")
	w.open(operation+"ResponseMessage", "xmlns", nsDiscover)
	w.open("Response", "xmlns:i", nsInstance)
	h.writeDiscovered(w, r, &q)
	w.closeAll()
	return nil
}

// writeDiscoverHeader writes Header, whose ServerVersionInfo has elements where that of EWS
// has attributes.
func writeDiscoverHeader(w *writer, operation string) {
	w.open("s:Header")
	w.leaf("a:Action", nsDiscover+"/Autodiscover/"+operation+"Response", "s:mustUnderstand", "1")
	w.open("h:ServerVersionInfo", "xmlns:h", nsDiscover, "xmlns:i", nsInstance)
	w.leaf("h:MajorVersion", "14")
	w.leaf("h:MinorVersion", "3")
	w.leaf("h:MajorBuildNumber", "123")
	w.leaf("h:MinorBuildNumber", "4")
	w.leaf("h:Version", "Exchange2010_SP2")
	w.close()
	w.close()
}

// discoverRequest is what both operations ask: settings of users or of domains.
type discoverRequest struct {
	kind       string // "User" or "Domain"
	addressees []string
	settings   []string
}

// discoverRequest reads the operation at hand: Request with Users or Domains and
// RequestedSettings, in any order and among others.
func (m *message) discoverRequest(q *discoverRequest) error {
	x := &m.xml
	var path []string // below the operation
	for {
		ok, err := x.Child()
		if err != nil {
			return err
		}
		if !ok {
			if len(path) == 0 {
				return nil
			}
			path = path[:len(path)-1]
			continue
		}
		local := string(x.Name.Local)
		switch strings.Join(append(path, local), "/") {
		case "Request", "Request/Users", "Request/Users/User", "Request/Domains", "Request/RequestedSettings":
			path = append(path, local)
			continue
		case "Request/Users/User/Mailbox", "Request/Domains/Domain":
			err = m.gather(&q.addressees, maxAddressees)
		case "Request/RequestedSettings/Setting":
			err = m.gather(&q.settings, maxSettings)
		default:
			err = x.Skip()
		}
		if err != nil {
			return err
		}
	}
}

// gather appends the text of the element at hand to list, once.
func (m *message) gather(list *[]string, limit int) error {
	text, err := m.xml.Content()
	if err != nil {
		return err
	}
	if slices.Contains(*list, string(text)) {
		return nil
	}
	if len(*list) == limit {
		return m.xml.Errorf("there are more than %d", limit)
	}
	*list = append(*list, string(text))
	return nil
}

// writeDiscovered writes what is inside Response.
func (h *Handler) writeDiscovered(w *writer, r *http.Request, q *discoverRequest) {
	if len(q.addressees) == 0 || len(q.settings) == 0 {
		w.leaf("ErrorCode", "InvalidRequest")
		w.leaf("ErrorMessage", "The request names no "+strings.ToLower(q.kind)+" or no setting.")
		return
	}
	w.leaf("ErrorCode", "NoError")
	w.open("ErrorMessage")
	w.close()
	w.open(q.kind + "Responses")
	for _, to := range q.addressees {
		if q.kind == "User" {
			h.writeUser(w, r, to, q.settings)
		} else {
			h.writeDomain(w, r, q.settings)
		}
	}
	w.close()
}

// writeUser writes the settings of the user with an address.
func (h *Handler) writeUser(w *writer, r *http.Request, email string, settings []string) {
	w.open("UserResponse")
	defer w.close()
	user, ok := h.addressee(r, email)
	if !ok {
		w.leaf("ErrorCode", "InvalidUser")
		w.leaf("ErrorMessage", "Invalid user: '"+email+"'")
		writeNoRedirect(w)
		w.open("UserSettingErrors")
		w.close()
		w.open("UserSettings")
		w.close()
		return
	}
	base := h.baseURL(r)
	value := func(setting string) string {
		switch setting {
		case "UserDisplayName":
			return user
		case "UserDN", "MailboxDN": // exchangelib finds no board without them
			return legacyDN(user)
		case "AutoDiscoverSMTPAddress":
			return email
		case "InternalUMUrl", "ExternalUMUrl":
			return base + "/EWS/UM2007Legacy.asmx"
		}
		return ewsSetting(setting, base)
	}
	w.leaf("ErrorCode", "NoError")
	w.leaf("ErrorMessage", "No error.")
	writeNoRedirect(w)
	writeSettingErrors(w, settings, value, "UserSettingError")
	writeSettings(w, settings, value, "UserSetting", "StringSetting")
}

// writeDomain writes the settings of a domain, which are the same for all.
func (h *Handler) writeDomain(w *writer, r *http.Request, settings []string) {
	base := h.baseURL(r)
	value := func(setting string) string {
		if setting == "ExternalEwsUrl" || setting == "ExternalEwsVersion" {
			return ewsSetting(setting, base)
		}
		return ""
	}
	w.open("DomainResponse")
	w.leaf("ErrorCode", "NoError")
	w.leaf("ErrorMessage", "No error.")
	writeSettingErrors(w, settings, value, "DomainSettingError")
	writeSettings(w, settings, value, "DomainSetting", "DomainStringSetting")
	writeNoRedirect(w)
	w.close()
}

func writeNoRedirect(w *writer) {
	w.open("RedirectTarget", "i:nil", "true")
	w.close()
}

// ewsSetting is a setting about EWS; empty if it is none.
func ewsSetting(setting, base string) string {
	switch setting {
	case "InternalEwsUrl", "ExternalEwsUrl":
		return base + "/EWS/Exchange.asmx"
	case "ExternalEwsVersion":
		return "14.03.0123.004"
	case "EwsSupportedSchemas":
		return "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2"
	}
	return ""
}

// writeSettingErrors writes an error for each setting that has no value.
func writeSettingErrors(w *writer, settings []string, value func(string) string, element string) {
	w.open(element + "s")
	w.text("")
	for _, s := range settings {
		if value(s) == "" {
			w.open(element)
			w.leaf("ErrorCode", "SettingIsNotAvailable")
			w.leaf("ErrorMessage", "The requested setting, '"+s+"', isn't available.")
			w.leaf("SettingName", s)
			w.close()
		}
	}
	w.close()
}

// writeSettings writes the settings that have a value.
func writeSettings(w *writer, settings []string, value func(string) string, element, kind string) {
	w.open(element + "s")
	w.text("")
	for _, s := range settings {
		if v := value(s); v != "" {
			w.open(element, "i:type", kind)
			w.leaf("Name", s)
			w.leaf("Value", v)
			w.close()
		}
	}
	w.close()
}
