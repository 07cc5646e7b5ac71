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

// discoverHead stands between the envelope's namespace and the operation's name, and
// discoverInfo before the response.
const (
	discoverHead = `" xmlns:a="` + nsAddressing + `"><s:Header><a:Action s:mustUnderstand="1">` + nsDiscover + `/Autodiscover/`
	discoverInfo = `Response</a:Action><h:ServerVersionInfo xmlns:h="` + nsDiscover + `" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">` +
		`<h:MajorVersion>14</h:MajorVersion><h:MinorVersion>3</h:MinorVersion><h:MajorBuildNumber>123</h:MajorBuildNumber>` +
		`<h:MinorBuildNumber>4</h:MinorBuildNumber><h:Version>Exchange2010_SP2</h:Version></h:ServerVersionInfo></s:Header><s:Body>`
)

// autodiscoverSOAP performs GetUserSettings ([MS-OXWSADISC] 3.1.4.4) or GetDomainSettings
// (3.1.4.1) and appends the response to m.out.
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
	out := append(m.out, xmlDeclaration+`<s:Envelope xmlns:s="`...)
	out = append(out, m.space()...)
	out = append(out, discoverHead...)
	out = append(out, operation...)
	out = append(out, discoverInfo+`<`...)
	out = append(out, operation...)
	out = append(out, `ResponseMessage xmlns="`+nsDiscover+`"><Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`...)
	out = h.discovered(r, &q, out)
	out = append(out, `</Response></`...)
	out = append(out, operation...)
	m.out = append(out, `ResponseMessage></s:Body></s:Envelope>`...)
	return nil
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

// discovered appends what is inside Response.
func (h *Handler) discovered(r *http.Request, q *discoverRequest, out []byte) []byte {
	if len(q.addressees) == 0 || len(q.settings) == 0 {
		out = nested(out, "ErrorCode", "InvalidRequest")
		return nested(out, "ErrorMessage", "The request names no "+strings.ToLower(q.kind)+" or no setting.")
	}
	out = append(out, `<ErrorCode>NoError</ErrorCode><ErrorMessage /><`...)
	out = append(out, q.kind...)
	out = append(out, `Responses>`...)
	for _, to := range q.addressees {
		if q.kind == "User" {
			out = h.userResponse(r, to, q.settings, out)
		} else {
			out = h.domainResponse(r, q.settings, out)
		}
	}
	out = append(out, `</`...)
	out = append(out, q.kind...)
	return append(out, `Responses>`...)
}

// userResponse appends the settings of the user with an address.
func (h *Handler) userResponse(r *http.Request, email string, settings []string, out []byte) []byte {
	out = append(out, `<UserResponse>`...)
	user, ok := h.addressee(r, email)
	if !ok {
		out = nested(out, "ErrorCode", "InvalidUser")
		out = nested(out, "ErrorMessage", "Invalid user: '"+email+"'")
		return append(out, `<RedirectTarget i:nil="true" /><UserSettingErrors /><UserSettings /></UserResponse>`...)
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
	out = append(out, `<ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil="true" />`...)
	out = settingErrors(settings, value, "UserSettingError", out)
	out = settingValues(settings, value, "UserSetting", "StringSetting", out)
	return append(out, `</UserResponse>`...)
}

// domainResponse appends the settings of a domain, which are the same for all.
func (h *Handler) domainResponse(r *http.Request, settings []string, out []byte) []byte {
	base := h.baseURL(r)
	value := func(setting string) string {
		if setting == "ExternalEwsUrl" || setting == "ExternalEwsVersion" {
			return ewsSetting(setting, base)
		}
		return ""
	}
	out = append(out, `<DomainResponse><ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage>`...)
	out = settingErrors(settings, value, "DomainSettingError", out)
	out = settingValues(settings, value, "DomainSetting", "DomainStringSetting", out)
	return append(out, `<RedirectTarget i:nil="true" /></DomainResponse>`...)
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

// settingErrors appends an error for each setting that has no value.
func settingErrors(settings []string, value func(string) string, element string, out []byte) []byte {
	out = append(out, `<`+element+`s>`...)
	for _, s := range settings {
		if value(s) == "" {
			out = append(out, `<`+element+`><ErrorCode>SettingIsNotAvailable</ErrorCode>`...)
			out = nested(out, "ErrorMessage", "The requested setting, '"+s+"', isn't available.")
			out = nested(out, "SettingName", s)
			out = append(out, `</`+element+`>`...)
		}
	}
	return append(out, `</`+element+`s>`...)
}

// settingValues appends the settings that have a value.
func settingValues(settings []string, value func(string) string, element, kind string, out []byte) []byte {
	out = append(out, `<`+element+`s>`...)
	for _, s := range settings {
		if v := value(s); v != "" {
			out = append(out, `<`+element+` i:type="`+kind+`">`...)
			out = nested(out, "Name", s)
			out = nested(out, "Value", v)
			out = append(out, `</`+element+`>`...)
		}
	}
	return append(out, `</`+element+`s>`...)
}
