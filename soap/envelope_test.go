package soap_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"hookswitch/soap"
)

const getCallInfo = `<m:GetCallInfo><m:CallId>x</m:CallId></m:GetCallInfo>`

// TestWhatClientsSendIsTaken sends one request in many forms that clients are known to use.
func TestWhatClientsSendIsTaken(t *testing.T) {
	b := &board{id: "c", info: soap.CallInfo{State: "Connected"}}
	url := serve(t, handler(b))
	um := func(body string, header ...string) string { return envelope(body, header...) }
	secure := strings.NewReplacer("http://schemas", "https://schemas")
	for _, test := range []struct{ name, path, body, want string }{
		{"another prefix", umPath, strings.NewReplacer("<s:", "<SOAP-ENV:", "</s:", "</SOAP-ENV:", ":s=", ":SOAP-ENV=").Replace(um(getCallInfo)), "Connected"},
		{"the 2007 path", "/UnifiedMessaging/Service.asmx", um(getCallInfo), "Connected"},
		{"a path in lower case", strings.ToLower(umPath), um(getCallInfo), "Connected"},
		{"a path in upper case", strings.ToUpper(ewsPath), um(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`), "Success"},
		{"an XML declaration and a byte order mark", umPath, "\uFEFF<?xml version='1.0'?>\r\n" + um(getCallInfo), "Connected"},
		{"white space, comments and instructions", umPath, um("\n <!-- c --><m:GetCallInfo >\n <m:CallId> x </m:CallId><?p?> </m:GetCallInfo >\n "), "Connected"},
		{"namespaces with https, as the documentation has them", umPath, secure.Replace(um(getCallInfo)), "Connected"},
		{"the same to EWS", ewsPath, secure.Replace(um(`<m:PlayOnPhone><m:ItemId Id="i"/><m:DialString>1</m:DialString></m:PlayOnPhone>`, `<t:RequestServerVersion Version="Exchange2010"/>`)), `Id="c"`},
		{"a child's name in another case", umPath, um(`<m:PlayOnPhone><m:EntryID>i</m:EntryID><m:dialString>1</m:dialString></m:PlayOnPhone>`), ">c<"},
		{"the same to EWS's", ewsPath, um(`<m:PlayOnPhone><m:itemId Id="i"/><m:dialString>1</m:dialString></m:PlayOnPhone>`), `Id="c"`},
		{"xsi:type, from tools that write it", umPath, um(`<m:GetCallInfo xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><m:CallId xsi:type="xs:string">x</m:CallId></m:GetCallInfo>`), "Connected"},
		{"the 2007 PlayOnPhone at the 2010 path", ewsPath, um(`<m:PlayOnPhone><m:entryId>i</m:entryId><m:DialString>1</m:DialString></m:PlayOnPhone>`), "<PlayOnPhoneResponse>c<"},
		{"the 2010 PlayOnPhone at the 2007 path", umPath, um(`<m:PlayOnPhone><m:ItemId Id="i"/><m:DialString>1</m:DialString></m:PlayOnPhone>`), `<PhoneCallId Id="c"/>`},
		{"every header of Exchange's", ewsPath, um(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`,
			`<t:RequestServerVersion Version="V2016_01_06" s:mustUnderstand="1"/><t:MailboxCulture>en-US</t:MailboxCulture><t:TimeZoneContext><t:TimeZoneDefinition Id="UTC"/></t:TimeZoneContext><t:DateTimePrecision>Seconds</t:DateTimePrecision>`), "Success"},
		{"headers of WS-Addressing, even if they must be understood", umPath, um(getCallInfo,
			`<a:Action xmlns:a="http://www.w3.org/2005/08/addressing" s:mustUnderstand="1">x</a:Action><a:To xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">x</a:To>`), "Connected"},
		{"a header that nobody knows", umPath, um(getCallInfo, `<x:y xmlns:x="urn:x" s:mustUnderstand="0"><x:z/></x:y>`), "Connected"},
		{"one that must be understood by another", umPath, um(getCallInfo, `<x:y xmlns:x="urn:x" s:mustUnderstand="1" s:actor="urn:other"/>`), "Connected"},
		{"an empty header", umPath, strings.Replace(um(getCallInfo), "<s:Body>", "<s:Header/><s:Body>", 1), "Connected"},
		{"headers that say that they aren't there", ewsPath, um(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`,
			`<t:ExchangeImpersonation xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/><t:RequestServerVersion xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1"/>`), "Success"},
		{"impersonation that says nothing", ewsPath, envelope(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`, `<t:ExchangeImpersonation/>`), "Success"},
		{"impersonation of oneself by address", ewsPath, um(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`,
			`<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>Anna@example.test</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`), "Success"},
		{"impersonation of oneself by name", ewsPath, um(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`,
			`<t:ExchangeImpersonation><t:ConnectingSID><t:PrincipalName>anna</t:PrincipalName></t:ConnectingSID></t:ExchangeImpersonation>`), "Success"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := post(t, url+test.path, test.body); got.status != 200 || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d %s, want %s", got.status, got.body, test.want)
			}
		})
	}
}

func TestSOAP12IsAnsweredInKind(t *testing.T) {
	b := &board{info: soap.CallInfo{State: "Connected"}}
	url := serve(t, handler(b))
	to12 := strings.NewReplacer(envelope11, envelope12)
	for _, test := range []struct{ name, path, body, want string }{
		{"UM", umPath, envelope(getCallInfo), `<soap:Envelope xmlns:soap="` + envelope12 + `"`},
		{"EWS", ewsPath, envelope(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`), `<s:Envelope xmlns:s="` + envelope12 + `"><s:Header>`},
		{"a fault", umPath, envelope(`<m:Dance/>`), `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value xmlns:a="` + typesNS + `">a:ErrorInvalidRequest</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">The request is invalid.</s:Text></s:Reason><s:Detail>`},
		{"a header that must be understood", umPath, envelope(getCallInfo, `<x:y xmlns:x="urn:x" s:mustUnderstand="true" s:role="http://www.w3.org/2003/05/soap-envelope/role/next"/>`), `<s:Value>s:MustUnderstand</s:Value>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := http.NewRequest("POST", url+test.path, strings.NewReader(to12.Replace(test.body)))
			r.Header.Set("Content-Type", `application/soap+xml; charset=utf-8; action="x"`)
			if got := do(t, r); !strings.Contains(got.body, test.want) {
				t.Errorf("got %s, want %s", got.body, test.want)
			}
		})
	}
}

// TestUnusableRequestsAreRefusedWithAFault holds what must not be done: the backend is never
// asked.
func TestUnusableRequestsAreRefusedWithAFault(t *testing.T) {
	b := &board{}
	url := serve(t, handler(b))
	play := func(children string) string { return envelope(`<m:PlayOnPhone>` + children + `</m:PlayOnPhone>`) }
	disconnect := `<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`
	impersonate := func(who string) string {
		return `<t:ExchangeImpersonation><t:ConnectingSID>` + who + `</t:ConnectingSID></t:ExchangeImpersonation>`
	}
	for _, test := range []struct{ name, path, body, code, text string }{
		{"an envelope of another namespace", umPath, strings.Replace(envelope(getCallInfo), envelope11, "urn:x", 1), "ErrorInvalidRequest", ""},
		{"a root that is no envelope", ewsPath, `<m:DisconnectPhoneCall xmlns:m="` + messagesNS + `"/>`, "ErrorInvalidRequest", ""},
		{"no body", ewsPath, `<s:Envelope xmlns:s="` + envelope11 + `"><s:Header/></s:Envelope>`, "ErrorInvalidRequest", ""},
		{"an empty body", ewsPath, envelope(""), "ErrorInvalidRequest", ""},
		{"nothing at all", ewsPath, "", "ErrorSchemaValidation", "root element"},
		{"text in the body", ewsPath, envelope("x" + disconnect), "ErrorSchemaValidation", "Text"},
		{"a second operation", ewsPath, envelope(disconnect + disconnect), "ErrorSchemaValidation", ""},
		{"an element after the body", ewsPath, strings.Replace(envelope(disconnect), "</s:Body>", "</s:Body><m:x/>", 1), "ErrorSchemaValidation", ""},
		{"a header after the body", ewsPath, strings.Replace(envelope(disconnect), "</s:Body>", "</s:Body><s:Header/>", 1), "ErrorSchemaValidation", ""},
		{"a second header", ewsPath, strings.Replace(envelope(disconnect, ""), "<s:Body>", "<s:Header/><s:Body>", 1), "ErrorSchemaValidation", ""},
		{"an operation of another namespace", ewsPath, strings.Replace(envelope(disconnect), messagesNS, "urn:x", 1), "ErrorSchemaValidation", "urn:x"},
		{"an operation that EWS has and we don't", ewsPath, envelope(`<m:GetFolder/>`), "ErrorInvalidRequest", "GetFolder"},
		{"an operation of the other service", ewsPath, envelope(getCallInfo), "ErrorInvalidRequest", "GetCallInfo"},
		{"an unknown UM operation", umPath, envelope(`<m:Dance/>`), "ErrorInvalidRequest", ""},
		{"an unknown server version", ewsPath, envelope(disconnect, `<t:RequestServerVersion Version="Exchange5.5"/>`), "ErrorInvalidServerVersion", ""},
		{"a server version without Version", ewsPath, envelope(disconnect, `<t:RequestServerVersion/>`), "ErrorInvalidServerVersion", ""},
		{"a dated version that is no date", ewsPath, envelope(disconnect, `<t:RequestServerVersion Version="V2016_01-06"/>`), "ErrorInvalidServerVersion", ""},
		{"impersonation of another", ewsPath, envelope(disconnect, impersonate(`<t:SmtpAddress>bert@example.test</t:SmtpAddress>`)), "ErrorImpersonateUserDenied", ""},
		{"impersonation of nobody", ewsPath, envelope(disconnect, impersonate(``)), "ErrorImpersonateUserDenied", ""},
		{"impersonation of an empty name", ewsPath, envelope(disconnect, impersonate(`<t:PrincipalName/>`)), "ErrorImpersonateUserDenied", ""},
		{"impersonation by SID", ewsPath, envelope(disconnect, impersonate(`<t:SID>anna</t:SID>`)), "ErrorImpersonateUserDenied", ""},
		{"impersonation of another and oneself", ewsPath, envelope(disconnect, impersonate(`<t:SmtpAddress>bert@example.test</t:SmtpAddress><t:PrincipalName>anna</t:PrincipalName>`)), "ErrorImpersonateUserDenied", ""},
		{"impersonation at the UM service", umPath, envelope(getCallInfo, impersonate(`<t:PrincipalName>bert</t:PrincipalName>`)), "ErrorImpersonateUserDenied", ""},
		{"a header that must be understood and isn't", ewsPath, envelope(disconnect, `<x:Security xmlns:x="urn:x" s:mustUnderstand="1"/>`), "s:MustUnderstand", "Security"},

		{"PlayOnPhone without ItemId", ewsPath, play(`<m:DialString>1</m:DialString>`), "ErrorSchemaValidation", "ItemId"},
		{"PlayOnPhone without children", ewsPath, play(``), "ErrorSchemaValidation", "the required element ItemId is missing"},
		{"children in the wrong order", ewsPath, play(`<m:DialString>1</m:DialString><m:ItemId Id="i"/>`), "ErrorSchemaValidation", "ItemId"},
		{"a child twice", ewsPath, play(`<m:ItemId Id="i"/><m:ItemId Id="i"/><m:DialString>1</m:DialString>`), "ErrorSchemaValidation", ""},
		{"a child too many", ewsPath, play(`<m:ItemId Id="i"/><m:DialString>1</m:DialString><m:DialString>1</m:DialString>`), "ErrorSchemaValidation", "DialString"},
		{"a child of the types namespace", ewsPath, play(`<t:ItemId Id="i"/><m:DialString>1</m:DialString>`), "ErrorSchemaValidation", "ItemId"},
		{"ItemId without Id", ewsPath, play(`<m:ItemId id="i"/><m:DialString>1</m:DialString>`), "ErrorSchemaValidation", "id"},
		{"PhoneCallId without Id", ewsPath, envelope(`<m:DisconnectPhoneCall><m:PhoneCallId/></m:DisconnectPhoneCall>`), "ErrorSchemaValidation", "Id"},
		{"PhoneCallId with a ChangeKey", ewsPath, envelope(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x" ChangeKey="y"/></m:DisconnectPhoneCall>`), "ErrorSchemaValidation", "ChangeKey"},
		{"PhoneCallId with text", ewsPath, envelope(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x">y</m:PhoneCallId></m:DisconnectPhoneCall>`), "ErrorSchemaValidation", "content"},
		{"an element inside DialString", ewsPath, play(`<m:ItemId Id="i"/><m:DialString><m:x/></m:DialString>`), "ErrorSchemaValidation", ""},
		{"an unknown configuration", ewsPath, envelope(`<m:GetServiceConfiguration><m:RequestedConfiguration><m:ConfigurationName>Dance</m:ConfigurationName></m:RequestedConfiguration></m:GetServiceConfiguration>`), "ErrorSchemaValidation", "Dance"},
		{"no configuration", ewsPath, envelope(`<m:GetServiceConfiguration><m:RequestedConfiguration/></m:GetServiceConfiguration>`), "ErrorSchemaValidation", "ConfigurationName"},
		{"configurations left out", ewsPath, envelope(`<m:GetServiceConfiguration/>`), "ErrorSchemaValidation", "RequestedConfiguration"},

		{"UM PlayOnPhone without entryId", umPath, play(`<m:DialString>1</m:DialString>`), "ErrorInvalidRequest", ""},
		{"UM PlayOnPhone without DialString", umPath, play(`<m:entryId>i</m:entryId>`), "ErrorInvalidRequest", ""},
		{"UM children in the wrong order", umPath, play(`<m:DialString>1</m:DialString><m:entryId>i</m:entryId>`), "ErrorInvalidRequest", ""},
		{"UM child twice", umPath, envelope(`<m:GetCallInfo><m:CallId>x</m:CallId><m:CallId>y</m:CallId></m:GetCallInfo>`), "ErrorInvalidRequest", ""},
		{"UM child of no namespace", umPath, envelope(`<m:GetCallInfo><CallId>x</CallId></m:GetCallInfo>`), "ErrorInvalidRequest", ""},
		{"UM text where there should be none", umPath, envelope(`<m:IsUMEnabled>x</m:IsUMEnabled>`), "ErrorInvalidRequest", ""},
		{"a child where there should be none", umPath, envelope(`<m:ResetPIN><m:x/></m:ResetPIN>`), "ErrorInvalidRequest", ""},
		{"a status that is no boolean", umPath, envelope(`<m:SetOofStatus><m:status>yes</m:status></m:SetOofStatus>`), "ErrorInvalidRequest", ""},
		{"a status left out", umPath, envelope(`<m:SetMissedCallNotificationEnabled/>`), "ErrorInvalidRequest", ""},
		{"a notification that is no boolean", umPath, envelope(`<m:SetMissedCallNotificationEnabled><m:status>TRUE</m:status></m:SetMissedCallNotificationEnabled>`), "ErrorInvalidRequest", ""},
		{"a greeting that isn't one", umPath, envelope(`<m:PlayOnPhoneGreeting><m:GreetingType>normalcustom</m:GreetingType><m:DialString>1</m:DialString></m:PlayOnPhoneGreeting>`), "ErrorInvalidRequest", ""},
		{"a dial string without end", umPath, envelope(`<m:SetPlayOnPhoneDialString><m:dialString>` + strings.Repeat("1", 300) + `</m:dialString></m:SetPlayOnPhoneDialString>`), "ErrorInvalidRequest", ""},
		{"a folder without end", umPath, envelope(`<m:SetTelephoneAccessFolderEmail><m:base64FolderID>` + strings.Repeat("A", 5000) + `</m:base64FolderID></m:SetTelephoneAccessFolderEmail>`), "ErrorInvalidRequest", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, url+test.path, test.body)
			if got.status != 500 || !strings.Contains(got.body, test.code) || !strings.Contains(got.body, test.text) {
				t.Errorf("got %d %s, want %s, %q", got.status, got.body, test.code, test.text)
			}
			if test.code == "ErrorSchemaValidation" && !strings.Contains(got.body, "<t:LineNumber>1</t:LineNumber><t:LinePosition>") {
				t.Errorf("no line and position: %s", got.body)
			}
		})
	}
	if len(b.asked) > 0 {
		t.Errorf("the backend was asked %q", b.asked)
	}
}

// TestTheBackendIsAskedOnlyWhenTheWholeDocumentIsGood sends requests whose fault comes after
// all that the operation needs.
func TestTheBackendIsAskedOnlyWhenTheWholeDocumentIsGood(t *testing.T) {
	b := &board{}
	url := serve(t, handler(b))
	for path, operation := range map[string]string{
		umPath:  `<m:Disconnect><m:CallId>x</m:CallId></m:Disconnect>`,
		ewsPath: `<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`,
	} {
		whole := envelope(operation)
		for n := range len(whole) {
			if got := post(t, url+path, whole[:n]); got.status != 500 {
				t.Errorf("the first %d bytes: got %d %s", n, got.status, got.body)
			}
		}
		for _, more := range []string{"x", "<a/>", "</a>", "&amp;", "\x00"} {
			if got := post(t, url+path, whole+more); got.status != 500 {
				t.Errorf("with %q after it: got %d %s", more, got.status, got.body)
			}
		}
	}
	if len(b.asked) > 0 {
		t.Errorf("the backend was asked %q", b.asked)
	}
}

// TestWhatTheBackendRefusesIsToldInEachServicesWay is the table of errors, seen from outside.
func TestWhatTheBackendRefusesIsToldInEachServicesWay(t *testing.T) {
	const rules = "Dialing restrictions are preventing the phone number that was entered from being dialed."
	for _, test := range []struct {
		err             error
		dial            string
		exception, text string
		code            string
	}{
		{soap.ErrCallID, "1", "InvalidCallIdException", "The call identifier isn't valid.", "ErrorInvalidPhoneCallId"},
		{soap.ErrItemID, "1", "InvalidObjectIdException", "The object identifier isn't valid.", "ErrorInvalidIdMalformed"},
		{soap.ErrItem, "1", "InvalidObjectIdException", "The object identifier isn't valid.", "ErrorItemNotFound"},
		{soap.ErrAudio, "1", "MessageNotPlayableException", "can't be played", "ErrorUnifiedMessagingRequestFailed"},
		{soap.ErrNumber, "", "DialingRulesException", rules, "ErrorPhoneNumberNotDialable"},
		{soap.ErrNumber, "SIP:anna@example.test", "DialingRulesException", rules, "ErrorInvalidSIPUri"},
		{soap.ErrDialRules, "1", "DialingRulesException", rules, "ErrorInvalidPhoneNumber"},
		{soap.ErrUserBusy, "1", "CallInProgressException", "already have a call", "ErrorUnifiedMessagingRequestFailed"},
		{soap.ErrNoLine, "1", "NoFreeLineException", "in use", "ErrorUnifiedMessagingRequestFailed"},
		{soap.ErrLineFault, "1", "LineOutOfServiceException", "in service", "ErrorUnifiedMessagingServerNotFound"},
		{soap.ErrNotEnabled, "1", "UserNotUmEnabledException", "isn't enabled", "ErrorUserNotUnifiedMessagingEnabled"},
		{soap.ErrHangup, "1", "HangUpNotConfirmedException", "on-hook", "ErrorUnifiedMessagingRequestFailed"},
	} {
		t.Run(test.err.Error()+" "+test.dial, func(t *testing.T) {
			b := &board{err: fmt.Errorf("line 1 of a long story: %w", test.err)}
			url := serve(t, handler(b))
			got := post(t, url+umPath, envelope(`<m:PlayOnPhone><m:entryId>i</m:entryId><m:DialString>`+test.dial+`</m:DialString></m:PlayOnPhone>`))
			if got.status != 500 || !strings.Contains(got.body, ">a:"+test.exception+"<") ||
				!strings.Contains(got.body, ">"+test.exception+"</m:ExceptionType>") || !strings.Contains(got.body, test.text) {
				t.Errorf("UM: got %d %s", got.status, got.body)
			}
			got = post(t, url+ewsPath, envelope(`<m:PlayOnPhone><m:ItemId Id="i"/><m:DialString>`+test.dial+`</m:DialString></m:PlayOnPhone>`))
			if got.status != 200 || !strings.Contains(got.body, "<ResponseCode>"+test.code+"</ResponseCode>") || strings.Contains(got.body, "PhoneCallId ") {
				t.Errorf("EWS: got %d %s", got.status, got.body)
			}
		})
	}
}

func TestEmptyIdentifiersAreInvalidOnes(t *testing.T) {
	b := &board{}
	url := serve(t, handler(b))
	for _, test := range []struct{ path, body, want string }{
		{umPath, `<m:GetCallInfo/>`, "InvalidCallIdException"},
		{umPath, `<m:Disconnect/>`, "InvalidCallIdException"},
		{umPath, `<m:Disconnect><m:CallId> </m:CallId></m:Disconnect>`, "InvalidCallIdException"},
		{umPath, `<m:PlayOnPhone><m:entryId/><m:DialString>1</m:DialString></m:PlayOnPhone>`, "InvalidObjectIdException"},
		{ewsPath, `<m:GetPhoneCallInformation><m:PhoneCallId Id=""/></m:GetPhoneCallInformation>`, "ErrorInvalidPhoneCallId"},
		{ewsPath, `<m:DisconnectPhoneCall><m:PhoneCallId Id=""/></m:DisconnectPhoneCall>`, "ErrorInvalidPhoneCallId"},
		{ewsPath, `<m:PlayOnPhone><m:ItemId Id=" "/><m:DialString>1</m:DialString></m:PlayOnPhone>`, "ErrorInvalidIdEmpty"},
	} {
		if got := post(t, url+test.path, envelope(test.body)); !strings.Contains(got.body, test.want) {
			t.Errorf("%s: got %s, want %s", test.body, got.body, test.want)
		}
	}
	if len(b.asked) > 0 {
		t.Errorf("the backend was asked %q", b.asked)
	}
}

// TestInternalErrorsAreLoggedAndNotShown uses an error that nobody outside may read.
func TestInternalErrorsAreLoggedAndNotShown(t *testing.T) {
	var log bytes.Buffer
	h := handler(&board{err: errors.New("disk /dev/secret is full")})
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	url := serve(t, h)
	for _, test := range []struct {
		path, body string
		status     int
	}{
		{umPath, getCallInfo, 500},
		{umPath, `<m:IsUMEnabled/>`, 500},
		{umPath, `<m:GetUMProperties/>`, 500},
		{umPath, `<m:ResetPIN/>`, 500},
		{ewsPath, `<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`, 200},
		{ewsPath, `<m:GetServiceConfiguration><m:RequestedConfiguration><m:ConfigurationName>UnifiedMessagingConfiguration</m:ConfigurationName></m:RequestedConfiguration></m:GetServiceConfiguration>`, 200},
	} {
		log.Reset()
		got := post(t, url+test.path, envelope(test.body))
		if got.status != test.status || !strings.Contains(got.body, "ErrorInternalServerError") || strings.Contains(got.body, "secret") {
			t.Errorf("%s: got %d %s", test.body, got.status, got.body)
		}
		if !strings.Contains(log.String(), "/dev/secret") || !strings.Contains(log.String(), "user=anna") {
			t.Errorf("%s: logged %q", test.body, &log)
		}
	}
}

func TestAPanicIsThisRequestsInternalError(t *testing.T) {
	var log bytes.Buffer
	h := handler(&board{})
	h.Phone = nil
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	got := post(t, serve(t, h)+umPath, envelope(getCallInfo))
	if got.status != 500 || !strings.Contains(got.body, "ErrorInternalServerError") || !strings.Contains(log.String(), "getCallInfo") {
		t.Errorf("got %d %s; logged %s", got.status, got.body, &log)
	}
}
