package soap_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"hookswitch/soap"
)

func golden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/golden/" + name + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// exampleBoard answers as the published examples do.
func exampleBoard() *board {
	return &board{
		id:   exampleCall,
		info: soap.CallInfo{State: "Disconnected", Cause: "UserBusy", SIPCode: 486, SIPText: "Busy Here"},
		props: soap.Properties{MissedCallNotification: true, DialString: "2077",
			AccessNumbers: "+15555550100", AccessFolder: "AAAAAFZvbGRlcklkRXhhbXBsZQ=="},
	}
}

// TestPublishedExamplesWorkByteForByte sends the requests of the specification's examples as
// they are, and wants their responses as they are.
func TestPublishedExamplesWorkByteForByte(t *testing.T) {
	info := "anna: info " + exampleCall
	disconnect := "anna: disconnect " + exampleCall
	for _, test := range []struct{ service, operation, asked string }{
		{"um", "IsUMEnabled", "anna: enabled"},
		{"um", "GetUMProperties", "anna: properties"},
		{"um", "SetOofStatus", "anna: set"},
		{"um", "SetMissedCallNotificationEnabled", "anna: set"},
		{"um", "SetPlayOnPhoneDialString", "anna: set"},
		{"um", "SetTelephoneAccessFolderEmail", "anna: set"},
		{"um", "ResetPIN", "anna: pin"},
		{"um", "PlayOnPhone", "anna: play AAAAAEl0ZW1JZEV4YW1wbGU= to 2077"},
		{"um", "PlayOnPhoneGreeting", "anna: greeting OofCustom to 2077"},
		{"um", "GetCallInfo", info},
		{"um", "Disconnect", disconnect},
		{"ews", "PlayOnPhone", "anna: play AAMkAGI2TExample= to +15555550123"},
		{"ews", "GetPhoneCallInformation", info},
		{"ews", "DisconnectPhoneCall", disconnect},
		{"ews", "GetServiceConfiguration", "anna: enabled anna: properties"},
	} {
		t.Run(test.service+" "+test.operation, func(t *testing.T) {
			b := exampleBoard()
			path := umPath
			if test.service == "ews" {
				path = ewsPath
				b.info = soap.CallInfo{State: "Disconnected", Cause: "NoAnswer"}
			}
			if test.operation == "PlayOnPhoneGreeting" {
				b.id = strings.Replace(b.id, "ZTAx", "ZTAy", 1)
			}
			name := test.service + "-" + test.operation
			got := post(t, serve(t, handler(b))+path, golden(t, name+".request"))
			if want := golden(t, name+".response"); got.status != http.StatusOK || got.body != want {
				t.Errorf("got %d\n%s\nwant\n%s", got.status, got.body, want)
			}
			if asked := strings.Join(b.asked, " "); asked != test.asked {
				t.Errorf("the backend was asked %q, want %q", asked, test.asked)
			}
		})
	}
}

func TestPublishedFaultsComeByteForByte(t *testing.T) {
	b := &board{err: fmt.Errorf("call 7: %w", soap.ErrCallID)}
	url := serve(t, handler(b))
	for _, test := range []struct {
		name, path, request, response string
		status                        int
	}{
		{"an unknown call to the UM service", umPath, golden(t, "um-GetCallInfo.request"), golden(t, "um-fault-exception.response"), 500},
		{"no XML to the UM service", umPath, "hello", golden(t, "um-fault-invalid.response"), 500},
		{"an unknown call to EWS", ewsPath, golden(t, "ews-GetPhoneCallInformation.request"), golden(t, "ews-error.response"), 200},
		{"a missing element to EWS", ewsPath,
			strings.Replace(golden(t, "ews-PlayOnPhone.request"), "<m:DialString>+15555550123</m:DialString>", "", 1),
			strings.Replace(golden(t, "ews-fault.response"), "</detail>",
				`<t:MessageXml xmlns:t="`+typesNS+`"><t:LineNumber>2</t:LineNumber><t:LinePosition>428</t:LinePosition>`+
					`<t:Violation>The required element DialString is missing.</t:Violation></t:MessageXml></detail>`, 1), 500},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, url+test.path, test.request)
			if got.status != test.status || got.body != test.response {
				t.Errorf("got %d\n%s\nwant %d\n%s", got.status, got.body, test.status, test.response)
			}
		})
	}
}

func TestSettingsReachTheBackend(t *testing.T) {
	b := &board{}
	url := serve(t, handler(b)) + umPath
	for _, body := range []string{
		`<m:SetOofStatus><m:status>1</m:status></m:SetOofStatus>`,
		`<m:SetMissedCallNotificationEnabled><m:status> true </m:status></m:SetMissedCallNotificationEnabled>`,
		`<m:SetPlayOnPhoneDialString><m:dialString>+1 555 &lt;0100&gt;</m:dialString></m:SetPlayOnPhoneDialString>`,
		`<m:SetTelephoneAccessFolderEmail><m:base64FolderId>QUJD</m:base64FolderId></m:SetTelephoneAccessFolderEmail>`,
	} {
		if got := post(t, url, envelope(body)); got.status != 200 {
			t.Fatalf("%s: %s", body, got.body)
		}
	}
	want := soap.Properties{OOF: true, MissedCallNotification: true, DialString: "+1 555 <0100>", AccessFolder: "QUJD"}
	if b.props != want {
		t.Errorf("got %+v, want %+v", b.props, want)
	}
	got := post(t, url, envelope(`<m:GetUMProperties/>`))
	if !strings.Contains(got.body, "<PlayOnPhoneDialString>+1 555 &lt;0100&gt;</PlayOnPhoneDialString><TelephoneAccessNumbers></TelephoneAccessNumbers>") {
		t.Errorf("got %s", got.body)
	}
	post(t, url, envelope(`<m:SetOofStatus><m:status>0</m:status></m:SetOofStatus>`))
	if b.props.OOF {
		t.Error("status 0 didn't switch the greeting off")
	}
}

func TestStatesAndCausesAreToldAsTheSpecificationAllows(t *testing.T) {
	for _, test := range []struct {
		name         string
		alerted      bool
		info         soap.CallInfo
		state, cause string
		sip          string
	}{
		{"connecting has no cause", false, soap.CallInfo{State: "Connecting", Cause: "Other"}, "Connecting", "None", ""},
		{"alerted is connecting", false, soap.CallInfo{State: "Alerted", Cause: "None"}, "Connecting", "None", ""},
		{"alerted is told if so configured", true, soap.CallInfo{State: "Alerted", Cause: "None"}, "Alerted", "None", ""},
		{"a normal end has the cause None and no SIP code", false, soap.CallInfo{State: "Disconnected"}, "Disconnected", "None", ""},
		{"a failed call has its SIP code", false, soap.CallInfo{State: "Disconnected", Cause: "UserBusy", SIPCode: 486, SIPText: "Busy Here"},
			"Disconnected", "UserBusy", "<t:SIPResponseText>Busy Here</t:SIPResponseText><t:SIPResponseCode>486</t:SIPResponseCode>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := handler(&board{info: test.info})
			h.AlertedState = test.alerted
			url := serve(t, h)
			got := post(t, url+umPath, envelope(`<m:GetCallInfo><m:CallId>x</m:CallId></m:GetCallInfo>`))
			if want := "<CallState>" + test.state + "</CallState><EventCause>" + test.cause + "</EventCause>"; !strings.Contains(got.body, want) {
				t.Errorf("UM: got %s, want %s", got.body, want)
			}
			got = post(t, url+ewsPath, envelope(`<m:GetPhoneCallInformation><m:PhoneCallId Id="x"/></m:GetPhoneCallInformation>`))
			want := "<t:PhoneCallState>" + test.state + "</t:PhoneCallState><t:ConnectionFailureCause>" + test.cause + "</t:ConnectionFailureCause>" + test.sip + "</PhoneCallInformation>"
			if !strings.Contains(got.body, want) {
				t.Errorf("EWS: got %s, want %s", got.body, want)
			}
		})
	}
}

func TestAUserWithoutUnifiedMessagingIsToldSo(t *testing.T) {
	url := serve(t, handler(&board{off: true, props: soap.Properties{DialString: "1"}}))
	got := post(t, url+umPath, envelope(`<m:IsUMEnabled/>`))
	if !strings.Contains(got.body, "<IsUMEnabledResponse>false<") {
		t.Errorf("IsUMEnabled: %s", got.body)
	}
	got = post(t, url+ewsPath, golden(t, "ews-GetServiceConfiguration.request"))
	const want = "<t:UmEnabled>false</t:UmEnabled><t:PlayOnPhoneDialString></t:PlayOnPhoneDialString><t:PlayOnPhoneEnabled>false</t:PlayOnPhoneEnabled>"
	if !strings.Contains(got.body, want) {
		t.Errorf("GetServiceConfiguration: %s", got.body)
	}
}

func TestOtherConfigurationsAreRefusedOneByOne(t *testing.T) {
	got := post(t, serve(t, handler(exampleBoard()))+ewsPath, envelope(`<m:GetServiceConfiguration>
		<m:ActingAs><t:EmailAddress>anna@example.test</t:EmailAddress></m:ActingAs>
		<m:RequestedConfiguration><m:ConfigurationName>MailTips</m:ConfigurationName>
		<m:ConfigurationName>UnifiedMessagingConfiguration</m:ConfigurationName></m:RequestedConfiguration>
		</m:GetServiceConfiguration>`))
	for _, want := range []string{
		`<ServiceConfigurationResponseMessageType ResponseClass="Error"><MessageText>The configuration MailTips is not supported by this server.</MessageText><ResponseCode>ErrorInvalidOperation</ResponseCode>`,
		`<ServiceConfigurationResponseMessageType ResponseClass="Success"><ResponseCode>NoError</ResponseCode><UnifiedMessagingConfiguration><t:UmEnabled>true<`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("got %s\nwant %s", got.body, want)
		}
	}
}

// TestWhatTheBackendSaysIsEscaped gives it text that is no XML.
func TestWhatTheBackendSaysIsEscaped(t *testing.T) {
	b := &board{id: "a<b>&\"c\t\x00\x1b\xff\uFFFEé😀", props: soap.Properties{DialString: "</x>\r\n"}}
	url := serve(t, handler(b))
	const want = "a&lt;b&gt;&amp;&quot;c&#9;\uFFFD\uFFFD\uFFFD\uFFFDé😀"
	got := post(t, url+umPath, golden(t, "um-PlayOnPhone.request"))
	if !strings.Contains(got.body, "<PlayOnPhoneResponse>"+want+"</PlayOnPhoneResponse>") {
		t.Errorf("as text: got %s", got.body)
	}
	got = post(t, url+ewsPath, golden(t, "ews-PlayOnPhone.request"))
	if !strings.Contains(got.body, `<PhoneCallId Id="`+want+`"/>`) {
		t.Errorf("as an attribute: got %s", got.body)
	}
	got = post(t, url+umPath, envelope(`<m:GetUMProperties/>`))
	if !strings.Contains(got.body, "<PlayOnPhoneDialString>&lt;/x&gt;&#13;&#10;</PlayOnPhoneDialString>") {
		t.Errorf("line ends: got %s", got.body)
	}
}
