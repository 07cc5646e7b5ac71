package soap

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ewsOperation is an operation of Exchange.asmx. Its response is <NameResponse> with a
// ResponseClass, and is itself the response message.
type ewsOperation struct {
	name     string
	quick    bool // never waits for anything: clients poll it
	declares bool // its response declares the namespaces that its published example has
	read     func(m *message) ([]string, error)
	run      func(h *Handler, ctx context.Context, user string, args []string) (content, error)
}

var ewsOperations = [...]ewsOperation{
	{"GetPhoneCallInformation", true, false, (*message).phoneCallID, (*Handler).getPhoneCallInformation},
	{"DisconnectPhoneCall", false, false, (*message).phoneCallID, (*Handler).disconnectPhoneCall},
	{"PlayOnPhone", false, true, (*message).itemAndNumber, (*Handler).playItemOnPhone},
	{"GetServiceConfiguration", false, false, (*message).configurations, (*Handler).getServiceConfiguration},
}

// callEWS performs the operation at hand and writes its response. What the backend refuses
// is in the response, not a fault.
func (m *message) callEWS(h *Handler, r *http.Request, user string) error {
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
	class := "Success"
	response, err := op.run(h, r.Context(), user, args)
	if err != nil {
		m.refused(h, r, err)
		class, response = "Error", refusalOf(err).write
	}
	w := &m.w
	m.openEWS(op.declares)
	w.open(op.name+"Response", "ResponseClass", class, "xmlns", nsMessages)
	response(w)
	w.closeAll()
	return nil
}

// openEWS writes an answer of Exchange.asmx as far as the start of Body. ServerVersionInfo has
// all four numbers, without which clients fail. declares adds the declarations that the
// published example of PlayOnPhone has.
func (m *message) openEWS(declares bool) {
	w := &m.w
	w.begin(tightEnd)
	w.open("s:Envelope", "xmlns:s", m.space())
	w.open("s:Header")
	w.open("h:ServerVersionInfo", "MajorVersion", "14", "MinorVersion", "3",
		"MajorBuildNumber", "123", "MinorBuildNumber", "4", "Version", "Exchange2010_SP2", "xmlns:h", nsTypes)
	if declares {
		w.attribute("xmlns", nsTypes)
		w.attribute("xmlns:xsi", nsInstance)
		w.attribute("xmlns:xsd", nsSchema)
	}
	w.close()
	w.close()
	w.open("s:Body")
	if declares {
		w.attribute("xmlns:xsi", nsInstance)
		w.attribute("xmlns:xsd", nsSchema)
	}
}

// write writes the children of a response message that is an error; all three are needed by
// clients, and in this order.
func (r *refusal) write(w *writer) {
	w.leaf("MessageText", r.message)
	w.leaf("ResponseCode", r.code)
	w.leaf("DescriptiveLinkKey", "0")
}

func noError(w *writer) { w.leaf("ResponseCode", "NoError") }

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
func (h *Handler) playItemOnPhone(ctx context.Context, user string, args []string) (content, error) {
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
	return func(w *writer) {
		noError(w)
		w.open("PhoneCallId", "Id", id)
		w.close()
	}, nil
}

// getPhoneCallInformation is [MS-OXWUMS] 3.1.4.4. The SIP elements are there only where the
// call failed.
func (h *Handler) getPhoneCallInformation(ctx context.Context, user string, args []string) (content, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	info, err := h.Phone.CallInfo(ctx, user, args[0])
	if err != nil {
		return nil, err
	}
	info = h.published(info)
	return func(w *writer) {
		noError(w)
		w.open("PhoneCallInformation", "xmlns:t", nsTypes)
		w.leaf("t:PhoneCallState", info.State)
		w.leaf("t:ConnectionFailureCause", info.Cause)
		if info.SIPCode != 0 {
			w.leaf("t:SIPResponseText", info.SIPText)
			w.leaf("t:SIPResponseCode", strconv.Itoa(info.SIPCode))
		}
		w.close()
	}, nil
}

// disconnectPhoneCall is [MS-OXWUMS] 3.1.4.2.
func (h *Handler) disconnectPhoneCall(ctx context.Context, user string, args []string) (content, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	if err := h.Phone.Disconnect(ctx, user, args[0]); err != nil {
		return nil, err
	}
	return noError, nil
}

// umConfigurationName is the configuration that this server has.
const umConfigurationName = "UnifiedMessagingConfiguration"

// configurationNames are the values of ServiceConfigurationType (types.xsd).
var configurationNames = [...]string{"MailTips", umConfigurationName, "ProtectionRules",
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
func (h *Handler) getServiceConfiguration(ctx context.Context, user string, args []string) (content, error) {
	on, p, err := false, Properties{}, error(nil)
	if slices.Contains(args, umConfigurationName) {
		if on, p, err = h.umConfiguration(ctx, user); err != nil {
			return nil, err
		}
	}
	return func(w *writer) {
		w.attribute("xmlns:t", nsTypes)
		noError(w)
		w.open("ResponseMessages")
		for _, name := range args {
			w.open("ServiceConfigurationResponseMessageType")
			if name == umConfigurationName {
				w.attribute("ResponseClass", "Success")
				noError(w)
				w.open("UnifiedMessagingConfiguration")
				w.leaf("t:UmEnabled", boolean(on))
				w.leaf("t:PlayOnPhoneDialString", p.DialString)
				w.leaf("t:PlayOnPhoneEnabled", boolean(on))
				w.close()
			} else {
				w.attribute("ResponseClass", "Error")
				unsupported := refusal{code: "ErrorInvalidOperation", message: "The configuration " + name + " is not supported by this server."}
				unsupported.write(w)
			}
			w.close()
		}
		w.close()
	}, nil
}

func (h *Handler) umConfiguration(ctx context.Context, user string) (on bool, p Properties, err error) {
	if on, err = h.Mailbox.Enabled(ctx, user); err != nil || !on {
		return false, p, err
	}
	p, err = h.Mailbox.Properties(ctx, user)
	return on, p, err
}
