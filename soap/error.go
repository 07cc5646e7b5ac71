package soap

import (
	"cmp"
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
	{ErrRinging, "NoFreeLineException", "The telephone line is ringing. Try again later.", // ours
		"ErrorUnifiedMessagingRequestFailed", "The telephone line is ringing. Try again later."},
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
		if !errors.Is(err, refusals[i].err) {
			continue
		}
		var own spoken
		if errors.As(err, &own) {
			told := refusals[i]
			told.text, told.message = own.Sentence(), own.Sentence()
			return &told
		}
		return &refusals[i]
	}
	return &internalRefusal
}

// spoken is an error that says to a person what is wrong, better than the table can.
type spoken interface {
	error
	Sentence() string
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
	reason  string         // for the log, if text doesn't tell
	at      *xmlpull.Error // of a schema violation
	version bool           // it tells the server's version: a client may ask for that by an operation that isn't here
}

// Error implements error.
func (f *fault) Error() string { return f.code + ": " + cmp.Or(f.reason, f.text) }

// Faults that are always the same.
var (
	// invalidRequest is the UM service's answer to any request that isn't as the schema has
	// it ([MS-OXWUMS] 2.2.2.1).
	invalidRequest = &fault{code: "ErrorInvalidRequest", text: "The request is invalid.", reason: "a parameter has a value that it can't have"}

	// notSOAP is the answer to a document that is no SOAP envelope with an operation in it.
	notSOAP = &fault{code: "ErrorInvalidRequest", text: "The request is invalid.", reason: "it is no SOAP envelope with an operation in it"}

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

// writeFault makes the answer the fault f, in the SOAP version of the request.
func (m *message) writeFault(f *fault) {
	w := &m.w
	if f.version {
		m.openEWS(false)
	} else {
		w.begin(tightEnd)
		w.open("s:Envelope", "xmlns:s", m.space())
		w.open("s:Body")
	}
	w.open("s:Fault")
	if m.soap12 {
		f.write12(w)
	} else {
		f.write11(w)
	}
	w.closeAll()
}

// codeSpace is the namespace of the fault's code.
func (f *fault) codeSpace() string {
	if f.kind == exceptionFault {
		return nsErrors
	}
	return nsTypes
}

// write11 writes what is in a SOAP 1.1 Fault. A fault about a header has no detail (SOAP 1.1
// §4.4), and clients that then look for xml:lang stumble.
func (f *fault) write11(w *writer) {
	if f.kind == mustUnderstandFault {
		w.leaf("faultcode", "s:MustUnderstand")
		w.leaf("faultstring", f.text)
		return
	}
	w.leaf("faultcode", "a:"+f.code, "xmlns:a", f.codeSpace())
	w.leaf("faultstring", f.text, "xml:lang", "en-US")
	w.open("detail")
	f.writeDetail(w)
	w.close()
}

// write12 writes what is in a SOAP 1.2 Fault (part 1 §5.4).
func (f *fault) write12(w *writer) {
	w.open("s:Code")
	switch {
	case f.kind == mustUnderstandFault:
		w.leaf("s:Value", "s:MustUnderstand")
	default:
		side := "s:Sender"
		if f == internalFault {
			side = "s:Receiver"
		}
		w.leaf("s:Value", side)
		w.open("s:Subcode")
		w.leaf("s:Value", "a:"+f.code, "xmlns:a", f.codeSpace())
		w.close()
	}
	w.close()
	w.open("s:Reason")
	w.leaf("s:Text", f.text, "xml:lang", "en-US")
	w.close()
	if f.kind == mustUnderstandFault {
		return
	}
	w.open("s:Detail")
	f.writeDetail(w)
	w.close()
}

// writeDetail writes what tells programs of the fault.
func (f *fault) writeDetail(w *writer) {
	if f.kind == exceptionFault {
		w.leaf("m:ExceptionType", f.code, "xmlns:m", nsMessages)
		return
	}
	w.leaf("e:ResponseCode", f.code, "xmlns:e", nsErrors)
	w.leaf("e:Message", cmp.Or(f.message, f.text), "xmlns:e", nsErrors)
	if f.at == nil {
		return
	}
	w.open("t:MessageXml", "xmlns:t", nsTypes)
	w.leaf("t:LineNumber", strconv.Itoa(f.at.Line))
	w.leaf("t:LinePosition", strconv.Itoa(f.at.Column))
	w.leaf("t:Violation", sentence(f.at.Msg))
	w.close()
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
