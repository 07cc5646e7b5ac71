package soap

import (
	"context"
	"slices"
	"strings"
)

// content writes what is inside a response.
type content func(w *writer)

// umOperation is an operation of the Unified Messaging web service: an element of the
// messages namespace with text children. Its response is <NameResponse>, empty or around
// one element of the same name ([MS-OXWUMS] 3.1.4).
type umOperation struct {
	name     string
	children []string // in their order
	quick    bool     // never waits for anything: clients poll it
	run      func(h *Handler, ctx context.Context, user string, args []string) (content, error)
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

// callUM performs the operation at hand and writes its response.
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
	if !op.quick {
		m.unhurried()
	}
	response, err := op.run(h, ctx, user, m.args[:])
	if err != nil {
		return err
	}
	w := &m.w
	w.begin(spacedEnd)
	w.open("soap:Envelope", "xmlns:soap", m.space(), "xmlns:xsi", nsInstance, "xmlns:xsd", nsSchema)
	w.open("soap:Body")
	w.open(op.name+"Response", "xmlns", nsMessages)
	if response != nil {
		response(w)
	}
	w.closeAll()
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
		if err := m.next(); err != nil {
			return err
		}
	}
	return m.expect("")
}

// only is the content that is a single element with text.
func only(name, text string) content {
	return func(w *writer) { w.leaf(name, text) }
}

// getCallInfo is [MS-OXWUMS] 3.1.4.3.
func (h *Handler) getCallInfo(ctx context.Context, user string, args []string) (content, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	info, err := h.Phone.CallInfo(ctx, user, args[0])
	if err != nil {
		return nil, err
	}
	info = h.published(info)
	return func(w *writer) {
		w.open("GetCallInfoResponse")
		w.leaf("CallState", info.State)
		w.leaf("EventCause", info.Cause)
		w.close()
	}, nil
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
func (h *Handler) disconnect(ctx context.Context, user string, args []string) (content, error) {
	if args[0] == "" {
		return nil, ErrCallID
	}
	return nil, h.Phone.Disconnect(ctx, user, args[0])
}

// playOnPhone is [MS-OXWUMS] 3.1.4.8.
func (h *Handler) playOnPhone(ctx context.Context, user string, args []string) (content, error) {
	if args[0] == "" {
		return nil, ErrItemID
	}
	id, err := h.Phone.PlayOnPhone(ctx, user, args[0], args[1])
	return only("PlayOnPhoneResponse", id), err
}

// playOnPhoneGreeting is [MS-OXWUMS] 3.1.4.9.
func (h *Handler) playOnPhoneGreeting(ctx context.Context, user string, args []string) (content, error) {
	if args[0] != "NormalCustom" && args[0] != "OofCustom" {
		return nil, invalidRequest
	}
	id, err := h.Phone.PlayOnPhoneGreeting(ctx, user, args[0], args[1])
	return only("PlayOnPhoneGreetingResponse", id), err
}

// isUMEnabled is [MS-OXWUMS] 3.1.4.5.
func (h *Handler) isUMEnabled(ctx context.Context, user string, _ []string) (content, error) {
	on, err := h.Mailbox.Enabled(ctx, user)
	return only("IsUMEnabledResponse", boolean(on)), err
}

// getUMProperties is [MS-OXWUMS] 3.1.4.4. All five are sent, an unset one empty.
func (h *Handler) getUMProperties(ctx context.Context, user string, _ []string) (content, error) {
	p, err := h.Mailbox.Properties(ctx, user)
	return func(w *writer) {
		w.open("GetUMPropertiesResponse")
		w.leaf("OofStatus", boolean(p.OOF))
		w.leaf("MissedCallNotificationEnabled", boolean(p.MissedCallNotification))
		w.leaf("PlayOnPhoneDialString", p.DialString)
		w.leaf("TelephoneAccessNumbers", p.AccessNumbers)
		w.leaf("TelephoneAccessFolderEmail", p.AccessFolder)
		w.close()
	}, err
}

func (h *Handler) setOofStatus(ctx context.Context, user string, args []string) (content, error) {
	on, ok := parseBoolean(args[0])
	if !ok {
		return nil, invalidRequest
	}
	return nil, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.OOF = on })
}

func (h *Handler) setMissedCallNotificationEnabled(ctx context.Context, user string, args []string) (content, error) {
	on, ok := parseBoolean(args[0])
	if !ok {
		return nil, invalidRequest
	}
	return nil, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.MissedCallNotification = on })
}

// Settings that are kept as text are no longer than these. From experience: an extension or
// E.164 number with a prefix, and a folder's EntryID, are far shorter.
const (
	maxDialString = 256
	maxFolderID   = 4096
)

func (h *Handler) setPlayOnPhoneDialString(ctx context.Context, user string, args []string) (content, error) {
	if len(args[0]) > maxDialString {
		return nil, invalidRequest
	}
	return nil, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.DialString = args[0] })
}

func (h *Handler) setTelephoneAccessFolderEmail(ctx context.Context, user string, args []string) (content, error) {
	if len(args[0]) > maxFolderID {
		return nil, invalidRequest
	}
	return nil, h.Mailbox.SetProperties(ctx, user, func(p *Properties) { p.AccessFolder = args[0] })
}

func (h *Handler) resetPIN(ctx context.Context, user string, _ []string) (content, error) {
	return nil, h.Mailbox.ResetPIN(ctx, user)
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
