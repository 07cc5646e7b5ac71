package soap

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hookswitch/soap/internal/xmlpull"
)

// refusal is how an operation that the backend refuses is told to a client.
type refusal struct {
	err error

	exception string // UM: name in the fault, [MS-OXWUMS] 3.1.4 or, where it says so, our own
	text      string // UM: faultstring

	code    string // EWS: ResponseCodeType
	message string // EWS: MessageText
}

// Errors that only this package tells apart.
var (
	errEmptyID = errors.New("soap: item id is empty")
	errSIPURI  = errors.New("soap: dial string is a SIP URI")
)

// Faultstrings that [MS-OXWUMS] gives exactly.
const (
	textCallID = "The call identifier isn't valid."
	textObject = "The object identifier isn't valid."
	textRules  = "Dialing restrictions are preventing the phone number that was entered from being dialed."
)

// refusals is searched in order. The specification names three exceptions; the other names
// are our own, in its manner.
var refusals = [...]refusal{
	{ErrCallID, "InvalidCallIdException", textCallID,
		"ErrorInvalidPhoneCallId", "The phone call ID isn't valid"},
	{errEmptyID, "InvalidObjectIdException", textObject,
		"ErrorInvalidIdEmpty", "The item id is empty."},
	{ErrItemID, "InvalidObjectIdException", textObject,
		"ErrorInvalidIdMalformed", "The item id is malformed."},
	{ErrItem, "InvalidObjectIdException", textObject,
		"ErrorItemNotFound", "The specified object was not found in the store."},
	{ErrAudio, "MessageNotPlayableException", "The message can't be played: its audio is damaged or of a kind that isn't supported.", // ours
		"ErrorUnifiedMessagingRequestFailed", "The message can't be played: its audio is damaged or of a kind that isn't supported."},
	{errSIPURI, "DialingRulesException", textRules,
		"ErrorInvalidSIPUri", "A SIP URI can't be dialed: this server dials telephone numbers."},
	{ErrNumber, "DialingRulesException", textRules,
		"ErrorPhoneNumberNotDialable", "The phone number isn't in a form that can be dialed."},
	{ErrDialRules, "DialingRulesException", textRules,
		"ErrorInvalidPhoneNumber", textRules},
	{ErrUserBusy, "CallInProgressException", "You already have a call. Disconnect it, or wait until it has ended.", // ours
		"ErrorUnifiedMessagingRequestFailed", "You already have a call. Disconnect it, or wait until it has ended."},
	{ErrNoLine, "NoFreeLineException", "All telephone lines are in use. Try again later.", // ours
		"ErrorUnifiedMessagingRequestFailed", "All telephone lines are in use. Try again later."},
	{ErrLineFault, "LineOutOfServiceException", "No telephone line is in service.", // ours
		"ErrorUnifiedMessagingServerNotFound", "No telephone line is in service."},
	{ErrNotEnabled, "UserNotUmEnabledException", "The user isn't enabled for unified messaging.", // ours
		"ErrorUserNotUnifiedMessagingEnabled", "The user isn't enabled for unified messaging."},
	{ErrHangup, "HangUpNotConfirmedException", "The line was told to hang up, but isn't confirmed to be on-hook.", // ours
		"ErrorUnifiedMessagingRequestFailed", "The line was told to hang up, but isn't confirmed to be on-hook."},
}

// internalRefusal stands for any error that isn't in the table: its cause is for the log.
var internalRefusal = refusal{code: "ErrorInternalServerError", message: "An internal server error occurred. The operation failed."}

func refusalOf(err error) *refusal {
	for i := range refusals {
		if errors.Is(err, refusals[i].err) {
			return &refusals[i]
		}
	}
	return &internalRefusal
}

// faultKind is one of the shapes of a fault.
type faultKind uint8

const (
	requestFault        faultKind = iota // the request can't be used: code in the types namespace
	exceptionFault                       // an operation of the UM service failed ([MS-OXWUMS] 2.2.3.1)
	mustUnderstandFault                  // a header element can't be obeyed (SOAP 1.1 §4.4.1)
)

// fault is a SOAP fault.
type fault struct {
	kind    faultKind
	code    string
	text    string         // faultstring
	message string         // e:Message, if it isn't text
	at      *xmlpull.Error // of a schema violation
	version bool           // it tells the server's version: a client may ask for that by an operation that isn't here
}

// Error implements error.
func (f *fault) Error() string { return f.code + ": " + f.text }

// Faults that are always the same.
var (
	// invalidRequest is the UM service's answer to any request that isn't as the schema has
	// it ([MS-OXWUMS] 2.2.2.1).
	invalidRequest = &fault{code: "ErrorInvalidRequest", text: "The request is invalid."}

	// notSOAP is the answer to a document that is no SOAP envelope with an operation in it.
	notSOAP = invalidRequest

	internalFault = &fault{code: internalRefusal.code, text: internalRefusal.message}
)

// faultOf is the fault that tells a client of err.
func faultOf(service service, err error) *fault {
	var f *fault
	var violation *xmlpull.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &violation) && service == unifiedMessaging:
		return invalidRequest
	case errors.As(err, &violation):
		const failed = "The request failed schema validation"
		return &fault{code: "ErrorSchemaValidation", text: failed + ": " + violation.Msg + ".",
			message: failed + ".", at: violation}
	}
	if r := refusalOf(err); r != &internalRefusal {
		return &fault{kind: exceptionFault, code: r.exception, text: r.text}
	}
	return internalFault
}

// writeFault makes m.out the fault f, in the SOAP version of the request.
func (m *message) writeFault(f *fault) {
	out := append(m.out[:0], xmlDeclaration+`<s:Envelope xmlns:s="`...)
	out = append(out, m.space()...)
	if f.version {
		out = append(out, ewsHead...)
	} else {
		out = append(out, `"><s:Body>`...)
	}
	out = append(out, `<s:Fault>`...)
	if m.soap12 {
		out = f.body12(out)
	} else {
		out = f.body11(out)
	}
	m.out = append(out, `</s:Fault></s:Body></s:Envelope>`...)
}

// codeSpace is the namespace of the fault's code.
func (f *fault) codeSpace() string {
	if f.kind == exceptionFault {
		return nsErrors
	}
	return nsTypes
}

// body11 appends what is in a SOAP 1.1 Fault. A fault about a header has no detail (SOAP 1.1
// §4.4), and clients that then look for xml:lang stumble.
func (f *fault) body11(out []byte) []byte {
	if f.kind == mustUnderstandFault {
		out = append(out, `<faultcode>s:MustUnderstand</faultcode>`...)
		return nested(out, "faultstring", f.text)
	}
	out = append(out, `<faultcode xmlns:a="`...)
	out = append(out, f.codeSpace()...)
	out = append(out, `">a:`...)
	out = append(out, f.code...)
	out = append(out, `</faultcode><faultstring xml:lang="en-US">`...)
	out = appendText(out, f.text)
	out = append(out, `</faultstring><detail>`...)
	out = f.detail(out)
	return append(out, `</detail>`...)
}

// body12 appends what is in a SOAP 1.2 Fault (part 1 §5.4).
func (f *fault) body12(out []byte) []byte {
	switch {
	case f.kind == mustUnderstandFault:
		out = append(out, `<s:Code><s:Value>s:MustUnderstand</s:Value></s:Code>`...)
	default:
		side := "Sender"
		if f == internalFault {
			side = "Receiver"
		}
		out = append(out, `<s:Code><s:Value>s:`+side+`</s:Value><s:Subcode><s:Value xmlns:a="`...)
		out = append(out, f.codeSpace()...)
		out = append(out, `">a:`...)
		out = append(out, f.code...)
		out = append(out, `</s:Value></s:Subcode></s:Code>`...)
	}
	out = append(out, `<s:Reason><s:Text xml:lang="en-US">`...)
	out = appendText(out, f.text)
	out = append(out, `</s:Text></s:Reason>`...)
	if f.kind == mustUnderstandFault {
		return out
	}
	out = append(out, `<s:Detail>`...)
	out = f.detail(out)
	return append(out, `</s:Detail>`...)
}

// detail appends what tells programs of the fault.
func (f *fault) detail(out []byte) []byte {
	if f.kind == exceptionFault {
		out = append(out, `<m:ExceptionType xmlns:m="`+nsMessages+`">`...)
		out = append(out, f.code...)
		return append(out, `</m:ExceptionType>`...)
	}
	message := f.message
	if message == "" {
		message = f.text
	}
	out = append(out, `<e:ResponseCode xmlns:e="`+nsErrors+`">`...)
	out = append(out, f.code...)
	out = append(out, `</e:ResponseCode><e:Message xmlns:e="`+nsErrors+`">`...)
	out = appendText(out, message)
	out = append(out, `</e:Message>`...)
	if f.at == nil {
		return out
	}
	out = append(out, `<t:MessageXml xmlns:t="`+nsTypes+`">`...)
	out = nested(out, "t:LineNumber", strconv.Itoa(f.at.Line))
	out = nested(out, "t:LinePosition", strconv.Itoa(f.at.Column))
	out = nested(out, "t:Violation", sentence(f.at.Msg))
	return append(out, `</t:MessageXml>`...)
}

// sentence gives text a capital and a full stop.
func sentence(text string) string {
	first, n := utf8.DecodeRuneInString(text)
	var b strings.Builder
	b.WriteRune(unicode.ToUpper(first))
	b.WriteString(text[n:])
	b.WriteByte('.')
	return b.String()
}
