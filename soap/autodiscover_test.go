package soap_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"hookswitch/soap"
)

const (
	poxPath     = "/autodiscover/autodiscover.xml"
	svcPath     = "/autodiscover/autodiscover.svc"
	poxRequest  = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
	poxResponse = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
	discoverNS  = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
)

// pox is a POX request for an address.
func pox(email string) string {
	return `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="` + poxRequest + `"><Request><EMailAddress>` + email +
		`</EMailAddress><AcceptableResponseSchema>` + poxResponse + `</AcceptableResponseSchema></Request></Autodiscover>`
}

func TestAutodiscoverLeadsFromAnAddressToTheServices(t *testing.T) {
	url := serve(t, handler(&board{}))
	got := post(t, url+"/Autodiscover/Autodiscover.xml", pox("Anna@example.test"))
	protocol := func(kind string) string {
		return "<Protocol><Type>" + kind + "</Type><ASUrl>" + url + ewsPath + "</ASUrl><EwsUrl>" + url + ewsPath +
			"</EwsUrl><OOFUrl>" + url + ewsPath + "</OOFUrl><UMUrl>" + url + umPath + "</UMUrl></Protocol>"
	}
	want := `<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response xmlns="` + poxResponse + `">` +
		`<User><DisplayName>anna</DisplayName><LegacyDN>/o=hookswitch/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=anna</LegacyDN><AutoDiscoverSMTPAddress>Anna@example.test</AutoDiscoverSMTPAddress></User>` +
		`<Account><AccountType>email</AccountType><Action>settings</Action>` + protocol("EXCH") + protocol("EXPR") + `</Account></Response></Autodiscover>`
	if got.status != 200 || got.body != want || got.header.Get("Content-Type") != "text/xml; charset=utf-8" {
		t.Errorf("got %d %s\nwant %s", got.status, got.body, want)
	}
}

func TestAutodiscoverRefusesByItsOwnErrors(t *testing.T) {
	url := serve(t, handler(&board{})) + poxPath
	for _, test := range []struct{ name, body, code string }{
		{"an unknown address", pox("nobody@example.test"), "500"},
		{"an address that is markup", pox("&lt;x&gt;@example.test"), "500"},
		{"no address", strings.Replace(pox(""), "<EMailAddress></EMailAddress>", "", 1), "600"},
		{"no schema", `<Autodiscover xmlns="` + poxRequest + `"><Request><EMailAddress>anna@example.test</EMailAddress></Request></Autodiscover>`, "600"},
		{"another schema", strings.Replace(pox("anna@example.test"), "2006a<", "2007<", 1), "601"},
		{"a telephone's request", strings.Replace(pox("anna@example.test"), "autodiscover/outlook/requestschema", "autodiscover/mobilesync/requestschema", 1), "601"},
		{"another root", "<a/>", "600"},
		{"a request cut short", pox("anna@example.test")[:300], "600"},
		{"a second document", pox("anna@example.test") + "<a/>", "600"},
		{"nothing", "", "600"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, url, test.body)
			if got.status != 200 || !strings.Contains(got.body, "<ErrorCode>"+test.code+"</ErrorCode>") ||
				!regexp.MustCompile(`<Response><Error Time="\d\d:\d\d:\d\d\.\d{7}" Id="\d+">`).MatchString(got.body) {
				t.Errorf("got %d %s, want %s", got.status, got.body, test.code)
			}
		})
	}
	r, _ := http.NewRequest("GET", url, nil)
	got := do(t, r)
	if got.status != 200 || !strings.Contains(got.body, "<ErrorCode>600</ErrorCode>") || got.header.Get("X-SOAP-Enabled") != "True" {
		t.Errorf("GET: got %d %v %s", got.status, got.header, got.body)
	}
}

func userSettings(users, settings string) string {
	return `<s:Envelope xmlns:s="` + envelope11 + `" xmlns:a="` + discoverNS + `" xmlns:wsa="http://www.w3.org/2005/08/addressing"><s:Header>` +
		`<a:RequestedServerVersion>Exchange2010</a:RequestedServerVersion>` +
		`<wsa:Action s:mustUnderstand="1">` + discoverNS + `/Autodiscover/GetUserSettings</wsa:Action></s:Header><s:Body>` +
		`<a:GetUserSettingsRequestMessage><a:Request><a:Users>` + users + `</a:Users><a:RequestedSettings>` + settings +
		`</a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>`
}

func setting(name string) string { return "<a:Setting>" + name + "</a:Setting>" }
func mailbox(name string) string {
	return "<a:User><a:Mailbox>" + name + "</a:Mailbox></a:User>"
}

func TestSOAPAutodiscoverGivesTheSettingsAskedFor(t *testing.T) {
	url := serve(t, handler(&board{}))
	got := post(t, url+svcPath, userSettings(mailbox("anna@example.test")+mailbox("nobody@example.test"),
		setting("InternalUMUrl")+setting("ExternalUMUrl")+setting("ExternalEwsUrl")+setting("InternalEwsUrl")+setting("UserDisplayName")+setting("UserDN")+setting("CasVersion")))
	value := func(name, value string) string {
		return `<UserSetting i:type="StringSetting"><Name>` + name + `</Name><Value>` + value + `</Value></UserSetting>`
	}
	for _, want := range []string{
		`Autodiscover/GetUserSettingsResponse</a:Action>`,
		`<Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ErrorCode>NoError</ErrorCode>`,
		`<UserSettings>` + value("InternalUMUrl", url+umPath) + value("ExternalUMUrl", url+umPath) + value("ExternalEwsUrl", url+ewsPath) + value("InternalEwsUrl", url+ewsPath) + value("UserDisplayName", "anna") +
			value("UserDN", "/o=hookswitch/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=anna") + `</UserSettings>`,
		`<UserSettingErrors><UserSettingError><ErrorCode>SettingIsNotAvailable</ErrorCode><ErrorMessage>The requested setting, 'CasVersion', isn't available.</ErrorMessage><SettingName>CasVersion</SettingName></UserSettingError></UserSettingErrors>`,
		`<UserResponse><ErrorCode>InvalidUser</ErrorCode><ErrorMessage>Invalid user: 'nobody@example.test'</ErrorMessage>`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("got %s\nwant %s", got.body, want)
		}
	}
	got = post(t, url+svcPath, `<s:Envelope xmlns:s="`+envelope11+`"><s:Body><GetDomainSettingsRequestMessage xmlns="`+discoverNS+`"><Request>`+
		`<Domains><Domain>example.test</Domain></Domains><RequestedSettings><Setting>ExternalEwsUrl</Setting><Setting>X</Setting></RequestedSettings></Request></GetDomainSettingsRequestMessage></s:Body></s:Envelope>`)
	for _, want := range []string{
		`<DomainResponses><DomainResponse><ErrorCode>NoError</ErrorCode>`,
		`<DomainSetting i:type="DomainStringSetting"><Name>ExternalEwsUrl</Name><Value>` + url + ewsPath + `</Value></DomainSetting>`,
		`<SettingName>X</SettingName>`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("got %s\nwant %s", got.body, want)
		}
	}
}

func TestSOAPAutodiscoverRefuses(t *testing.T) {
	url := serve(t, handler(&board{})) + svcPath
	one := mailbox("anna@example.test")
	for _, test := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"no users", userSettings("", setting("ExternalUMUrl")), 200, "<ErrorCode>InvalidRequest</ErrorCode>"},
		{"no settings", userSettings(one, ""), 200, "<ErrorCode>InvalidRequest</ErrorCode>"},
		{"more users than Exchange takes", userSettings(repeat(101, func(i int) string { return mailbox(strings.Repeat("x", i+1)) }), setting("X")), 500, "more than 100"},
		{"settings without end", userSettings(one, repeat(65, func(i int) string { return setting(strings.Repeat("x", i+1)) })), 500, "more than 64"},
		{"another operation", strings.ReplaceAll(userSettings(one, ""), "GetUserSettingsR", "GetFederationInformationR"), 500, "GetFederationInformation"},
		{"an operation of EWS", envelope("<m:GetFolder/>"), 500, "ErrorSchemaValidation"},
		{"no XML", "x", 500, "ErrorSchemaValidation"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := post(t, url, test.body); got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d %s, want %s", got.status, got.body, test.want)
			}
		})
	}
}

func TestURLsNameTheHostThatTheClientKnows(t *testing.T) {
	for _, test := range []struct {
		name, target, host, configured, want string
	}{
		{"the host asked for", "http://x/", "box.lan:8080", "", "http://box.lan:8080"},
		{"over TLS", "https://x/", "box.lan", "", "https://box.lan"},
		{"the name configured, with the port asked for", "https://x/", "192.0.2.1:8443", "um.example.test", "https://um.example.test:8443"},
		{"the name configured", "https://x/", "192.0.2.1", "um.example.test", "https://um.example.test"},
		{"a host that is markup", "http://x/", `"><x>`, "", "http://&quot;&gt;&lt;x&gt;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := handler(&board{})
			h.Host = test.configured
			r := httptest.NewRequest("POST", test.target, strings.NewReader(pox("anna@example.test")))
			r.URL.Path, r.Host = poxPath, test.host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if want := "<UMUrl>" + test.want + umPath + "</UMUrl>"; !strings.Contains(w.Body.String(), want) {
				t.Errorf("got %s, want %s", w.Body, want)
			}
			for _, path := range []string{umPath + "?wsdl", ewsPath} {
				w = httptest.NewRecorder()
				r = httptest.NewRequest("GET", path, nil)
				r.Host = `"><script>`
				h.ServeHTTP(w, r)
				if strings.Contains(w.Body.String(), "<script>") {
					t.Errorf("%s has the client's markup in it", path)
				}
			}
		})
	}
}

func TestWithoutAddressesAutodiscoverAnswersForTheCaller(t *testing.T) {
	h := handler(&board{})
	h.UserByEmail = nil
	url := serve(t, h) + poxPath
	if got := post(t, url, pox("whoever@example.test")); !strings.Contains(got.body, "<DisplayName>anna</DisplayName>") {
		t.Errorf("got %s", got.body)
	}
	if got := post(t, url, pox("no-address")); !strings.Contains(got.body, "<ErrorCode>500</ErrorCode>") {
		t.Errorf("got %s", got.body)
	}
}

func TestPagesAndContractsNeedNoAuthentication(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         bool
	}{
		{"GET", umPath, true}, {"GET", umPath + "?wsdl", true}, {"HEAD", "/ews/exchange.asmx", true}, {"OPTIONS", ewsPath, true},
		{"GET", "/ews/TYPES.xsd", true}, {"GET", poxPath, true},
		{"POST", umPath, false}, {"POST", ewsPath, false}, {"POST", poxPath, false}, {"PUT", ewsPath, false},
		{"GET", "/", false}, {"GET", "/ews", false}, {"GET", "/EWS/Exchange.asmx/x", false},
	} {
		if got := soap.Public(httptest.NewRequest(test.method, test.path, nil)); got != test.want {
			t.Errorf("%s %s: got %v", test.method, test.path, got)
		}
	}
}
