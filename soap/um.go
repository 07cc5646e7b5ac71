package soap

import (
	"context"
	"slices"
	"strings"
)

// umOperation is an operation of the Unified Messaging web service: an element of the
// messages namespace with text children. Its response is <NameResponse>, empty or around
// one element of the same name ([MS-OXWUMS] 3.1.4).
type umOperation struct {
	name     string
	children []string // in their order
	quick    bool     // never waits for anything: clients poll it
	run      func(h *Handler, ctx context.Context, user string, args []string, out []byte) ([]byte, error)
}

var umOperations = [...]umOperation{
	{"GetCallInfo", []string{"CallId"}, true, (*Handler).getCallInfo},
	{"Disconnect", []string{"CallId"}, false, (*Handler).disconnect},
	{"PlayOnPhone", []string{"entryId", "DialString"}, false, (*Handler).playOnPhone},
	{"PlayOnPhoneGreeting", []string{"GreetingType", "DialString"}, false, (*Handler).playOnPhoneGreeting},
	{"IsUMEnabled", nil, false, (*Handler).isUMEnabled},
	{"GetUMProperties", nil, false, (*Handler).getUMProperties},
	{"SetOofStatus", []string{"status"}, false, (*Handler).setOofStatus},
	{"SetMissedCallNotificationEnabled", []string{"status"}, false, (*Handler).setMissedCallNotificationEnabled},
	{"SetPlayOnPhoneDialString", []string{"dialString"}, false, (*Handler).setPlayOnPhoneDialString},
	{"SetTelephoneAccessFolderEmail", []string{"base64FolderID"}, false, (*Handler).setTelephoneAccessFolderEmail},
	{"ResetPIN", nil, false, (*Handler).resetPIN},
}

// callUM performs the operation at hand and appends its response.
func (m *message) callUM(h *Handler, ctx context.Context, user string) error {
	i := slices.IndexFunc(umOperations[:], func(op umOperation) bool { return op.name == string(m.operation) })
	if i < 0 {
		return m.xml.Errorf("there is no operation %s", m.operation)
	}
	op := &umOperations[i]
	if err := m.texts(op.children); err != nil {
		return err
	}
	if err := m.close(); err != nil {
		return err
	}
	m.learn(op)
	return m.runUM(h, ctx, user, op)
}

// runUM performs op, whose parameters are in m.args, and appends its response.
func (m *message) runUM(h *Handler, ctx context.Context, user string, op *umOperation) error {
	if !op.quick {
		m.unhurried()
	}
	out := append(m.out, xmlDeclaration+`<soap:Envelope xmlns:soap="`...)
	out = append(out, m.space()...)
	out = append(out, `" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body><`...)
	out = append(out, op.name...)
	out = append(out, `Response xmlns="`+nsMessages+`"`...)
	start := len(out)
	out, err := op.run(h, ctx, user, m.args[:], append(out, '>'))
	if err != nil {
		return err
	}
	if len(out) == start+1 {
		out = append(out[:start], ` />`...)
	} else {
		out = append(out, `</`...)
		out = append(out, op.name...)
		out = append(out, `Response>`...)
	}
	m.out = append(out, `</soap:Body></soap:Envelope>`...)
	return nil
}

// texts reads the operation's children, which are names in this order, into m.args. A CallId
// that is left out is as good as one that is unknown ([MS-OXWUMS] 3.1.4.1).
func (m *message) texts(names []string) error {
	for i, name := range names {
		if !m.child && name == "CallId" {
			break
		}
		if err := m.expect(name); err != nil {
			return err
		}
		text, err := m.xml.Content()
		if err != nil {
			return err
		}
		m.args[i] = string(text)
		if from, to, ok := m.xml.ContentSpan(); ok {
			m.spans[i] = span{from, to}
		}
		if err := m.next(); err != nil {
			return err
		}
	}
	return m.expect("")
}

// nested appends <name>text</name> around text that is escaped.
func nested(out []byte, name, text string) []byte {
	out = append(out, '<')
	out = append(out, name...)
	out = append(out, '>')
	out = appendText(out, text)
	out = append(out, "</"...)
	out = append(out, name...)
	return append(out, '>')
}

// getCallInfo is [MS-OXWUMS] 3.1.4.3.
func (h *Handler) getCallInfo(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	info, err := h.Phone.CallInfo(ctx, user, args[0])
	if err != nil {
		return nil, err
	}
	info = h.published(info)
	out = append(out, `<GetCallInfoResponse>`...)
	out = nested(out, "CallState", info.State)
	out = nested(out, "EventCause", info.Cause)
	return append(out, `</GetCallInfoResponse>`...), nil
}

// published is info as the specification lets it be told: no Alerted, and no cause before
// the call is Disconnected ([MS-OXWUMS] 3.1.4.3.4).
func (h *Handler) published(info CallInfo) CallInfo {
	if info.State == "Alerted" && !h.AlertedState {
		info.State = "Connecting"
	}
	if info.State != "Disconnected" || info.Cause == "" {
		info.Cause = "None"
	}
	return info
}

// disconnect is [MS-OXWUMS] 3.1.4.1.
func (h *Handler) disconnect(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	return out, h.Phone.Disconnect(ctx, user, args[0])
}

// playOnPhone is [MS-OXWUMS] 3.1.4.8.
func (h *Handler) playOnPhone(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if args[0] == "" {
		return nil, ErrItemID
	}
	id, err := h.Phone.PlayOnPhone(ctx, user, args[0], args[1])
	return nested(out, "PlayOnPhoneResponse", id), err
}

// playOnPhoneGreeting is [MS-OXWUMS] 3.1.4.9.
func (h *Handler) playOnPhoneGreeting(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if args[0] != "NormalCustom" && args[0] != "OofCustom" {
		return nil, invalidRequest
	}
	id, err := h.Phone.PlayOnPhoneGreeting(ctx, user, args[0], args[1])
	return nested(out, "PlayOnPhoneGreetingResponse", id), err
}

// isUMEnabled is [MS-OXWUMS] 3.1.4.5.
func (h *Handler) isUMEnabled(ctx context.Context, user string, _ []string, out []byte) ([]byte, error) {
	on, err := h.Mailbox.Enabled(ctx, user)
	return nested(out, "IsUMEnabledResponse", boolean(on)), err
}

// getUMProperties is [MS-OXWUMS] 3.1.4.4. All five are sent, an unset one empty.
func (h *Handler) getUMProperties(ctx context.Context, user string, _ []string, out []byte) ([]byte, error) {
	p, err := h.Mailbox.Properties(ctx, user)
	out = append(out, `<GetUMPropertiesResponse>`...)
	out = nested(out, "OofStatus", boolean(p.OOF))
	out = nested(out, "MissedCallNotificationEnabled", boolean(p.MissedCallNotification))
	out = nested(out, "PlayOnPhoneDialString", p.DialString)
	out = nested(out, "TelephoneAccessNumbers", p.AccessNumbers)
	out = nested(out, "TelephoneAccessFolderEmail", p.AccessFolder)
	return append(out, `</GetUMPropertiesResponse>`...), err
}

func (h *Handler) setOofStatus(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	on, ok := parseBoolean(args[0])
	if !ok {
		return nil, invalidRequest
	}
	return out, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.OOF = on })
}

func (h *Handler) setMissedCallNotificationEnabled(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	on, ok := parseBoolean(args[0])
	if !ok {
		return nil, invalidRequest
	}
	return out, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.MissedCallNotification = on })
}

// Settings that are kept as text are no longer than these. From experience: an extension or
// E.164 number with a prefix, and a folder's EntryID, are far shorter.
const (
	maxDialString = 256
	maxFolderID   = 4096
)

func (h *Handler) setPlayOnPhoneDialString(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if len(args[0]) > maxDialString {
		return nil, invalidRequest
	}
	return out, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.DialString = args[0] })
}

func (h *Handler) setTelephoneAccessFolderEmail(ctx context.Context, user string, args []string, out []byte) ([]byte, error) {
	if len(args[0]) > maxFolderID {
		return nil, invalidRequest
	}
	return out, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.AccessFolder = args[0] })
}

func (h *Handler) resetPIN(ctx context.Context, user string, _ []string, out []byte) ([]byte, error) {
	return out, h.Mailbox.ResetPIN(ctx, user)
}

func boolean(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// parseBoolean reads an xs:boolean, whose white space doesn't matter.
func parseBoolean(s string) (on, ok bool) {
	switch strings.TrimSpace(s) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}
