package soap

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// ewsOperation is an operation of Exchange.asmx. Its response is <NameResponse> with a
// ResponseClass, and is itself the response message.
type ewsOperation struct {
	name  string
	quick bool   // never waits for anything: clients poll it
	head  string // of the response, after the envelope's namespace
	read  func(m *message) ([]string, error)
	run   func(h *Handler, ctx context.Context, user string, args []string, out []byte) ([]byte, error)
}

// What stands before an EWS response. ServerVersionInfo has all four numbers, without which
// clients fail. PlayOnPhone's carries the declarations that its published example has.
const (
	serverVersion = `"><s:Header><h:ServerVersionInfo MajorVersion="14" MinorVersion="3" MajorBuildNumber="123" MinorBuildNumber="4" Version="Exchange2010_SP2" xmlns:h="` + nsTypes + `"`
	ewsHead       = serverVersion + `/></s:Header><s:Body>`
	xsiXSD        = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"`
	ewsPlayHead   = serverVersion + ` xmlns="` + nsTypes + `"` + xsiXSD + `/></s:Header><s:Body` + xsiXSD + `>`
)

var ewsOperations = [...]ewsOperation{
	{"GetPhoneCallInformation", true, ewsHead, (*message).phoneCallID, (*Handler).getPhoneCallInformation},
	{"DisconnectPhoneCall", false, ewsHead, (*message).phoneCallID, (*Handler).disconnectPhoneCall},
	{"PlayOnPhone", false, ewsPlayHead, (*message).itemAndNumber, (*Handler).playItemOnPhone},
	{"GetServiceConfiguration", false, ewsHead, (*message).configurations, (*Handler).getServiceConfiguration},
}

// callEWS performs the operation at hand and appends its response. What the backend refuses
// is in the response, not a fault.
func (m *message) callEWS(h *Handler, ctx context.Context, user string) error {
	i := slices.IndexFunc(ewsOperations[:], func(op ewsOperation) bool { return op.name == string(m.operation) })
	if i < 0 {
		return &fault{code: "ErrorInvalidRequest", version: true,
			text: "The request is invalid: the operation " + string(m.operation) + " is not supported by this server."}
	}
	op := &ewsOperations[i]
	args, err := op.read(m)
	if err != nil {
		return err
	}
	if err := m.close(); err != nil {
		return err
	}
	if !op.quick {
		m.unhurried()
	}
	out := append(m.out, xmlDeclaration+`<s:Envelope xmlns:s="`...)
	out = append(out, m.space()...)
	out = append(out, op.head...)
	out = append(out, '<')
	out = append(out, op.name...)
	out = append(out, `Response ResponseClass="`...)
	answer, err := op.run(h, ctx, user, args, append(out, `Success" xmlns="`+nsMessages+`"`...))
	if err == nil {
		out = answer
	} else {
		r := refusalOf(err)
		if r == &internalRefusal {
			h.log().Error("soap: operation failed", "operation", op.name, "user", user, "err", err)
		}
		out = append(out, `Error" xmlns="`+nsMessages+`">`...)
		out = appendError(out, r.code, r.message)
	}
	out = append(out, `</`...)
	out = append(out, op.name...)
	m.out = append(out, `Response></s:Body></s:Envelope>`...)
	return nil
}

// appendError appends the children of a response message that is an error; all three are
// needed by clients, and in this order.
func appendError(out []byte, code, message string) []byte {
	out = nested(out, "MessageText", message)
	out = nested(out, "ResponseCode", code)
	return append(out, `<DescriptiveLinkKey>0</DescriptiveLinkKey>`...)
}

const noError = `><ResponseCode>NoError</ResponseCode>`

// identifier reads the attribute Id of the child local, which has no content, and moves on.
func (m *message) identifier(local string) (string, error) {
	if err := m.expect(local); err != nil {
		return "", err
	}
	x := &m.xml
	for _, a := range x.Attrs {
		known := string(a.Local) == "Id" || string(a.Local) == "ChangeKey" && local == "ItemId"
		if len(a.Space) == 0 && !known {
			return "", x.Errorf("the attribute %s isn't declared", a.Local)
		}
	}
	id, ok := x.Attr("Id")
	if !ok {
		return "", x.Errorf("the required attribute Id is missing")
	}
	value := strings.TrimSpace(string(id))
	if content, err := x.Content(); err != nil {
		return "", err
	} else if len(content) > 0 {
		return "", x.Errorf("the element %s has no content", local)
	}
	return value, m.next()
}

// phoneCallID reads the children of GetPhoneCallInformation and DisconnectPhoneCall.
func (m *message) phoneCallID() ([]string, error) {
	id, err := m.identifier("PhoneCallId")
	if err != nil {
		return nil, err
	}
	return []string{id}, m.expect("")
}

// itemAndNumber reads the children of PlayOnPhone (messages.xsd, PlayOnPhoneType).
func (m *message) itemAndNumber() ([]string, error) {
	id, err := m.identifier("ItemId")
	if err != nil {
		return nil, err
	}
	if err := m.expect("DialString"); err != nil {
		return nil, err
	}
	number, err := m.xml.Content()
	if err != nil {
		return nil, err
	}
	args := []string{id, string(number)}
	if err := m.next(); err != nil {
		return nil, err
	}
	return args, m.expect("")
}

// playItemOnPhone is what [MS-OXWUMS] calls PlayOnPhone2, 3.1.4.7.
func (h *Handler) playItemOnPhone(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if args[0] == "" {
		return nil, errEmptyID
	}
	id, err := h.Phone.PlayOnPhone(ctx, user, args[0], args[1])
	if err != nil {
		if lower := strings.ToLower(args[1]); strings.HasPrefix(lower, "sip:") || strings.HasPrefix(lower, "sips:") {
			if errors.Is(err, ErrNumber) {
				err = errSIPURI
			}
		}
		return nil, err
	}
	out = append(out, noError+`<PhoneCallId Id="`...)
	out = appendText(out, id)
	return append(out, `"/>`...), nil
}

// getPhoneCallInformation is [MS-OXWUMS] 3.1.4.4. The SIP elements are there only where the
// call failed.
func (h *Handler) getPhoneCallInformation(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	info, err := h.Phone.CallInfo(ctx, user, args[0])
	if err != nil {
		return nil, err
	}
	info = h.published(info)
	out = append(out, noError+`<PhoneCallInformation xmlns:t="`+nsTypes+`">`...)
	out = nested(out, "t:PhoneCallState", info.State)
	out = nested(out, "t:ConnectionFailureCause", info.Cause)
	if info.SIPCode != 0 {
		out = nested(out, "t:SIPResponseText", info.SIPText)
		out = append(out, `<t:SIPResponseCode>`...)
		out = strconv.AppendInt(out, int64(info.SIPCode), 10)
		out = append(out, `</t:SIPResponseCode>`...)
	}
	return append(out, `</PhoneCallInformation>`...), nil
}

// disconnectPhoneCall is [MS-OXWUMS] 3.1.4.2.
func (h *Handler) disconnectPhoneCall(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	if err := h.Phone.Disconnect(ctx, user, args[0]); err != nil {
		return nil, err
	}
	return append(out, noError...), nil
}

// configurationNames are the values of ServiceConfigurationType (types.xsd).
var configurationNames = [...]string{"MailTips", "UnifiedMessagingConfiguration", "ProtectionRules",
	"PolicyNudges", "SharePointURLs", "OfficeIntegrationConfiguration"}

// configurations reads the children of GetServiceConfiguration ([MS-OXWCONFIG] 3.1.4.1) and
// gives the names asked for, each once.
func (m *message) configurations() ([]string, error) {
	x := &m.xml
	if m.is("ActingAs") {
		if err := x.Skip(); err != nil {
			return nil, err
		}
		if err := m.next(); err != nil {
			return nil, err
		}
	}
	if err := m.expect("RequestedConfiguration"); err != nil {
		return nil, err
	}
	names, err := m.configurationList()
	if err != nil {
		return nil, err
	}
	if err := m.next(); err != nil {
		return nil, err
	}
	if m.is("ConfigurationRequestDetails") {
		if err := x.Skip(); err != nil {
			return nil, err
		}
		if err := m.next(); err != nil {
			return nil, err
		}
	}
	return names, m.expect("")
}

func (m *message) configurationList() (names []string, err error) {
	for {
		if err := m.next(); err != nil {
			return nil, err
		}
		if !m.child && len(names) > 0 {
			return names, nil
		}
		if err := m.expect("ConfigurationName"); err != nil {
			return nil, err
		}
		text, err := m.xml.Content()
		if err != nil {
			return nil, err
		}
		name := string(text)
		if !slices.Contains(configurationNames[:], name) {
			return nil, m.xml.Errorf("there is no ConfigurationName '%s'", name)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
}

// getServiceConfiguration tells EWS clients that unified messaging is on. It answers one
// response message for each configuration asked for.
func (h *Handler) getServiceConfiguration(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	out = append(out, ` xmlns:t="`+nsTypes+`"`+noError+`<ResponseMessages>`...)
	for _, name := range args {
		out = append(out, `<ServiceConfigurationResponseMessageType ResponseClass="`...)
		if name == "UnifiedMessagingConfiguration" {
			on, p, err := h.umConfiguration(ctx, user)
			if err != nil {
				return nil, err
			}
			out = append(out, `Success"`+noError+`<UnifiedMessagingConfiguration>`...)
			out = nested(out, "t:UmEnabled", boolean(on))
			out = nested(out, "t:PlayOnPhoneDialString", p.DialString)
			out = nested(out, "t:PlayOnPhoneEnabled", boolean(on))
			out = append(out, `</UnifiedMessagingConfiguration>`...)
		} else {
			out = append(out, `Error">`...)
			out = appendError(out, "ErrorInvalidOperation", "The configuration "+name+" is not supported by this server.")
		}
		out = append(out, `</ServiceConfigurationResponseMessageType>`...)
	}
	return append(out, `</ResponseMessages>`...), nil
}

func (h *Handler) umConfiguration(ctx context.Context, user string) (on bool, p Properties, err error) {
	if on, err = h.Mailbox.Enabled(ctx, user); err != nil || !on {
		return false, p, err
	}
	p, err = h.Mailbox.Properties(ctx, user)
	return on, p, err
}
